"""What happens when a payment failed."""

from __future__ import annotations

from .. import orders
from .._generated.events import PaymentFailed
from .._generated.publishers import Context
from .._runtime.errors import Retry


async def on_payment_failed(event: PaymentFailed, ctx: Context) -> None:
    """Note why the payment failed. The customer may try again: a later payment still counts."""
    order = await orders.get(ctx.db, event.order_id)
    if order is None:
        # See on_payment_captured.
        raise Retry(after=5, reason=f"there is no order {event.order_id} yet")
    if order.status == "paid":
        # An earlier attempt to pay, overtaken by the one that succeeded.
        ctx.logger.info("late failure of a paid order", order_id=str(order.id))
        return

    order.status = "payment_failed"
    order.failure = event.reason.value
