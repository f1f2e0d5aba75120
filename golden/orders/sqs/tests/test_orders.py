"""Placing orders: the order and its event are stored together, or neither is."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from uuid import uuid4

import pytest

from orders._generated.events import Money, OrderPlaced
from orders._generated.publishers import UnitOfWork
from orders._runtime.testing import Outbox
from orders.orders import Basket, get, place_order

BASKET = Basket(uuid4(), Decimal("42.50"), "EUR", note="leave it at the door")


async def test_an_order_is_stored_with_its_event(
    unit_of_work: Callable[[], UnitOfWork], outbox: Outbox
) -> None:
    async with unit_of_work() as uow:
        order = await place_order(uow, BASKET)

    async with unit_of_work() as uow:
        stored = await get(uow.db, order.id)
    assert stored is not None
    assert (stored.amount, stored.status) == (Decimal("42.50"), "placed")
    assert await outbox() == [
        OrderPlaced(
            order_id=order.id,
            customer_id=BASKET.customer_id,
            total=Money(amount=Decimal("42.50"), currency="EUR"),
            placed_at=order.placed_at,
            note="leave it at the door",
        )
    ]


async def test_what_fails_leaves_neither(
    unit_of_work: Callable[[], UnitOfWork], outbox: Outbox
) -> None:
    async def place_and_fail() -> None:
        async with unit_of_work() as uow:
            await place_order(uow, BASKET)
            raise TimeoutError("the stock did not answer")

    with pytest.raises(TimeoutError):
        await place_and_fail()

    assert await outbox() == []
