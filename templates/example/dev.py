"""What `make dev` plays: an order is placed, and a payment service made up here pays for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from ._generated.events import PaymentCaptured
from ._generated.topology import CHANNEL_PAYMENTS, EVENT_PAYMENT_CAPTURED
from ._runtime.app import App
from ._runtime.codec import encode
from ._runtime.envelope import Envelope, to_headers, uuid7
from ._runtime.transport import Outgoing
from .orders import Basket, place_order
from .tables import Order


async def play(app: App) -> None:
    """Place an order through a unit of work, as a request would; then have it paid."""
    async with app.unit_of_work() as uow:
        order = await place_order(uow, Basket(uuid4(), Decimal("49.90"), "EUR"))
    await _pay(app, order)


async def summary(db: AsyncSession) -> Mapping[str, int]:
    """How many orders there are, by status."""
    rows = await db.execute(select(Order.status, func.count()).group_by(Order.status))
    return {f"orders {status}": count for status, count in rows}


async def _pay(app: App, order: Order) -> None:
    """Send what another service would: straight to the broker, for it has its own outbox."""
    event = PaymentCaptured(
        payment_id=uuid4(), order_id=order.id, amount=order.amount, captured_at=datetime.now(UTC)
    )
    type_ = EVENT_PAYMENT_CAPTURED
    key = str(order.id)
    envelope = Envelope(uuid7(), type_.type, "payments", datetime.now(UTC), type_.version, key)
    headers = to_headers(envelope, type_.content_type)
    message = Outgoing(CHANNEL_PAYMENTS.destination, key, headers, encode(type_, event))
    await app.transport.publish([message])
