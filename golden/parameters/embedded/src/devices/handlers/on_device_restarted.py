"""What happens when DeviceRestarted arrives. This file is yours."""

from __future__ import annotations

from .._generated.events import DeviceRestarted
from .._generated.publishers import Context


async def on_device_restarted(event: DeviceRestarted, ctx: Context) -> None:
    """Handle one DeviceRestarted."""
    # What you write through ctx.db and publish through ctx.publish happens exactly once, or not
    # at all. Calls to other systems may repeat: give them ctx.idempotency_key.
    ctx.logger.info("device_restarted received", payload=event.model_dump(mode="json"))
