"""What happens when ParcelLost arrives. This file is yours."""

from __future__ import annotations

from .._generated.events import ParcelLost
from .._generated.publishers import Context


async def on_parcel_lost(event: ParcelLost, ctx: Context) -> None:
    """A parcel is not to be found. It is an envelope of its own."""
    # What you write through ctx.db and publish through ctx.publish happens exactly once, or not
    # at all. Calls to other systems may repeat: give them ctx.idempotency_key.
    ctx.logger.info("parcel_lost received", payload=event.model_dump(mode="json"))
