"""What happens when TemperatureMeasured arrives. This file is yours."""

from __future__ import annotations

from .._generated.events import TemperatureMeasured
from .._generated.publishers import Context


async def on_temperature_measured(event: TemperatureMeasured, ctx: Context) -> None:
    """Handle one TemperatureMeasured."""
    # What you write through ctx.db and publish through ctx.publish happens exactly once, or not
    # at all. Calls to other systems may repeat: give them ctx.idempotency_key.
    ctx.logger.info("temperature_measured received", payload=event.model_dump(mode="json"))
