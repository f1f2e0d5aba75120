"""What happens when NoneEvent arrives. This file is yours."""

from __future__ import annotations

from .._generated.events import NoneEvent
from .._generated.publishers import Context


async def on_none_event(event: NoneEvent, ctx: Context) -> None:
    """Handle one NoneEvent."""
    # What you write through ctx.db and publish through ctx.publish happens exactly once, or not
    # at all. Calls to other systems may repeat: give them ctx.idempotency_key.
    ctx.logger.info("none_event received", payload=event.model_dump(mode="json"))
