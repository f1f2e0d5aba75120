"""What happens when ParcelWeighedV3 arrives. This file is yours."""

from __future__ import annotations

from .._generated.events import ParcelWeighedV3
from .._generated.publishers import Context


async def on_parcel_weighed(event: ParcelWeighedV3, ctx: Context) -> None:
    """A parcel was put on a scale."""
    # What you write through ctx.db and publish through ctx.publish happens exactly once, or not
    # at all. Calls to other systems may repeat: give them ctx.idempotency_key.
    ctx.logger.info("parcel_weighed_v3 received", payload=event.model_dump(mode="json"))
