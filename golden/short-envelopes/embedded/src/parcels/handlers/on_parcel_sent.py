"""What happens when ParcelSent arrives. This file is yours."""

from __future__ import annotations

from .._generated.events import ParcelSent
from .._generated.publishers import Context


async def on_parcel_sent(event: ParcelSent, ctx: Context) -> None:
    """A parcel left the house."""
    # What you write through ctx.db and publish through ctx.publish happens exactly once, or not
    # at all. Calls to other systems may repeat: give them ctx.idempotency_key.
    ctx.logger.info("parcel_sent received", payload=event.model_dump(mode="json"))
