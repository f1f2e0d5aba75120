"""Makes ParcelWeighedV2 of ParcelWeighed, for the handler of the newest version. Yours."""

from __future__ import annotations

from .._generated.events import ParcelWeighed, ParcelWeighedV2


def upcast(old: ParcelWeighed) -> ParcelWeighedV2:
    """ParcelWeighedV2, from what ParcelWeighed knows."""
    # This carries over what both have in common. Whatever else the newer one needs is made here.
    return ParcelWeighedV2.model_validate_json(old.model_dump_json(), strict=True)
