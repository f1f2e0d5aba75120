"""What happens when PositionReported arrives. This file is yours."""

from __future__ import annotations

from .._generated.events import PositionReported
from .._generated.publishers import Context


async def on_position_reported(event: PositionReported, ctx: Context) -> None:
    """Handle one PositionReported."""
    # What you write through ctx.db and publish through ctx.publish happens exactly once, or not
    # at all. Calls to other systems may repeat: give them ctx.idempotency_key.
    ctx.logger.info("position_reported received", payload=event.model_dump(mode="json"))
