"""What happens when HumidityMeasured arrives. This file is yours."""

from __future__ import annotations

from .._generated.events import HumidityMeasured
from .._generated.publishers import Context


async def on_humidity_measured(event: HumidityMeasured, ctx: Context) -> None:
    """Handle one HumidityMeasured."""
    # What you write through ctx.db and publish through ctx.publish happens exactly once, or not
    # at all. Calls to other systems may repeat: give them ctx.idempotency_key.
    ctx.logger.info("humidity_measured received", payload=event.model_dump(mode="json"))
