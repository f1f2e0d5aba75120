"""What happens when ItSSaidHereFruh日本 arrives. This file is yours."""

from __future__ import annotations

from .._generated.events import ItSSaidHereFruh日本
from .._generated.publishers import Context


async def on_it_s_said_here_fruh_日本(event: ItSSaidHereFruh日本, ctx: Context) -> None:
    """Backslash at the end \\"""
    # What you write through ctx.db and publish through ctx.publish happens exactly once, or not
    # at all. Calls to other systems may repeat: give them ctx.idempotency_key.
    ctx.logger.info("it_s_said_here_fruh_日本 received", payload=event.model_dump(mode="json"))
