"""Makes ParcelWeighedV3 of ParcelWeighedV2, for the handler of the newest version. Yours."""

from __future__ import annotations

from .._generated.events import ParcelWeighedV2, ParcelWeighedV3


def upcast(old: ParcelWeighedV2) -> ParcelWeighedV3:
    """ParcelWeighedV3, from what ParcelWeighedV2 knows."""
    # This carries over what both have in common. Whatever else the newer one needs is made here.
    return ParcelWeighedV3.model_validate_json(old.model_dump_json(), strict=True)
