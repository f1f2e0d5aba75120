"""on_payment_captured in isolation: a real database, no broker."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from orders._generated.events import OrderPaid, PaymentCaptured
from orders._runtime.errors import DeadLetter, Retry
from orders._runtime.testing import HandlerRunner
from orders.handlers.on_payment_captured import on_payment_captured
from orders.tables import Order

Stored = Callable[[UUID], Awaitable[Order]]

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def payment_of(order_id: UUID, amount: str = "42.50") -> PaymentCaptured:
    return PaymentCaptured(
        payment_id=uuid4(), order_id=order_id, amount=Decimal(amount), captured_at=NOON
    )


async def test_a_payment_pays_the_order(
    handle: HandlerRunner, placed: Order, stored: Stored
) -> None:
    published = await handle(on_payment_captured, payment_of(placed.id))

    assert published == [OrderPaid(order_id=placed.id, paid_at=NOON, amount=Decimal("42.50"))]
    assert (await stored(placed.id)).status == "paid"


async def test_a_payment_announced_twice_counts_once(handle: HandlerRunner, placed: Order) -> None:
    payment = payment_of(placed.id)
    await handle(on_payment_captured, payment)

    assert await handle(on_payment_captured, payment) == []


async def test_a_second_payment_is_for_a_person_to_refund(
    handle: HandlerRunner, placed: Order, stored: Stored
) -> None:
    first = payment_of(placed.id)
    await handle(on_payment_captured, first)

    with pytest.raises(DeadLetter, match="has to be refunded"):
        await handle(on_payment_captured, payment_of(placed.id))
    assert (await stored(placed.id)).payment_id == first.payment_id


async def test_a_wrong_amount_pays_nothing(
    handle: HandlerRunner, placed: Order, stored: Stored
) -> None:
    with pytest.raises(DeadLetter, match=r"costs 42\.50, but 40\.00 was paid"):
        await handle(on_payment_captured, payment_of(placed.id, "40.00"))
    assert (await stored(placed.id)).status == "placed"


async def test_a_payment_waits_for_its_order(handle: HandlerRunner) -> None:
    with pytest.raises(Retry) as error:
        await handle(on_payment_captured, payment_of(uuid4()))
    assert error.value.after == 5
