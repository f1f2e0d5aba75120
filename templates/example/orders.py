"""What can be done with an order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID, uuid4

from pydantic import MISSING
from sqlalchemy.ext.asyncio import AsyncSession

from ._generated.events import Money, OrderPlaced
from ._generated.publishers import UnitOfWork
from .tables import Order


@dataclass(frozen=True, slots=True)
class Basket:
    """What somebody wants to order. `amount` has two decimals, `currency` is an ISO 4217 code."""

    customer_id: UUID
    amount: Decimal
    currency: str
    note: str | None = None


async def place_order(uow: UnitOfWork, basket: Basket) -> Order:
    """Store an order and publish OrderPlaced, both when the unit of work commits."""
    order = Order(
        id=uuid4(),
        customer_id=basket.customer_id,
        amount=basket.amount,
        currency=basket.currency,
        note=basket.note,
        status="placed",
        placed_at=datetime.now(UTC),
    )
    uow.db.add(order)
    uow.publish(
        OrderPlaced(
            order_id=order.id,
            customer_id=order.customer_id,
            total=Money(amount=order.amount, currency=order.currency),
            placed_at=order.placed_at,
            note=MISSING if order.note is None else order.note,
        )
    )
    return order


async def get(db: AsyncSession, order_id: UUID) -> Order | None:
    """The order, locked until the transaction ends; None when there is no such order.

    Events about one order come one after the other, but nothing else does: a request that cancels
    the order has to wait until its payment is dealt with, and the other way round.
    """
    return await db.get(Order, order_id, with_for_update=True)
