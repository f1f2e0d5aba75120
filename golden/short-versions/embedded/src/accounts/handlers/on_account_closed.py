"""What happens when AccountClosed arrives. This file is yours."""

from __future__ import annotations

from .._generated.events import AccountClosed
from .._generated.publishers import Context


async def on_account_closed(event: AccountClosed, ctx: Context) -> None:
    """Handle one AccountClosed."""
    # What you write through ctx.db and publish through ctx.publish happens exactly once, or not
    # at all. Calls to other systems may repeat: give them ctx.idempotency_key.
    ctx.logger.info("account_closed received", payload=event.model_dump(mode="json"))
