"""What happens when PriceRequested arrives. This file is yours."""

from __future__ import annotations

from .._generated.events import PriceRequested
from .._generated.publishers import Context


async def on_price_requested(event: PriceRequested, ctx: Context) -> None:
    """Somebody wants to know a price."""
    # What you write through ctx.db and publish through ctx.publish happens exactly once, or not
    # at all. Calls to other systems may repeat: give them ctx.idempotency_key.
    ctx.logger.info("price_requested received", payload=event.model_dump(mode="json"))
