"""What happens when PaymentCaptured arrives. This file is yours."""

from __future__ import annotations

from .._generated.events import PaymentCaptured
from .._generated.publishers import Context


async def on_payment_captured(event: PaymentCaptured, ctx: Context) -> None:
    """Handle one PaymentCaptured."""
    # What you write through ctx.db and publish through ctx.publish happens exactly once, or not
    # at all. Calls to other systems may repeat: give them ctx.idempotency_key.
    ctx.logger.info("payment_captured received", payload=event.model_dump(mode="json"))
