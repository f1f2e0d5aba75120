"""What the tests of handlers may ask for besides."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from orders import orders
from orders._generated.publishers import UnitOfWork
from orders.tables import Order

Stored = Callable[[UUID], Awaitable[Order]]


@pytest.fixture
async def placed(unit_of_work: Callable[[], UnitOfWork]) -> Order:
    """An order of 42.50 EUR that nobody has paid for."""
    async with unit_of_work() as uow:
        return await orders.place_order(uow, orders.Basket(uuid4(), Decimal("42.50"), "EUR"))


@pytest.fixture
def stored(unit_of_work: Callable[[], UnitOfWork]) -> Stored:
    """`await stored(order_id)`: the order as the database has it."""

    async def read(order_id: UUID) -> Order:
        async with unit_of_work() as uow:
            order = await orders.get(uow.db, order_id)
        assert order is not None
        return order

    return read
