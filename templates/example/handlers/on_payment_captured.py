"""What happens when a payment was captured."""

from __future__ import annotations

from .. import orders
from .._generated.events import OrderPaid, PaymentCaptured
from .._generated.publishers import Context
from .._runtime.errors import DeadLetter, Retry


async def on_payment_captured(event: PaymentCaptured, ctx: Context) -> None:
    """Mark the order as paid, and say so. Money that fits no order is for a person to look at."""
    order = await orders.get(ctx.db, event.order_id)
    if order is None:
        # A customer may pay a moment before the transaction that places the order has committed.
        # An order that never turns up makes this a dead letter once the attempts are used up.
        raise Retry(after=5, reason=f"there is no order {event.order_id} yet")
    if order.payment_id == event.payment_id:
        ctx.logger.info("payment announced again", payment_id=str(event.payment_id))
        return
    if order.payment_id is not None:
        raise DeadLetter(
            f"order {order.id} was paid with payment {order.payment_id}: "
            f"payment {event.payment_id} has to be refunded"
        )
    if event.amount != order.amount:
        raise DeadLetter(f"order {order.id} costs {order.amount}, but {event.amount} was paid")

    order.status = "paid"
    order.payment_id = event.payment_id
    order.paid_at = event.captured_at
    ctx.publish(OrderPaid(order_id=order.id, amount=event.amount, paid_at=event.captured_at))
