"""on_payment_failed in isolation: a real database, no broker."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from orders._generated.events import PaymentCaptured, PaymentFailed, PaymentFailedReason
from orders._runtime.errors import Retry
from orders._runtime.testing import HandlerRunner
from orders.handlers.on_payment_captured import on_payment_captured
from orders.handlers.on_payment_failed import on_payment_failed
from orders.tables import Order

Stored = Callable[[UUID], Awaitable[Order]]


NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def failure_of(order_id: UUID) -> PaymentFailed:
    return PaymentFailed(
        payment_id=uuid4(),
        order_id=order_id,
        reason=PaymentFailedReason.EXPIRED,
        failed_at=NOON,
    )


def payment_of(order: Order) -> PaymentCaptured:
    return PaymentCaptured(
        payment_id=uuid4(), order_id=order.id, amount=order.amount, captured_at=NOON
    )


async def test_a_failure_is_noted(handle: HandlerRunner, placed: Order, stored: Stored) -> None:
    published = await handle(on_payment_failed, failure_of(placed.id))

    assert published == []
    order = await stored(placed.id)
    assert (order.status, order.failure) == ("payment_failed", "expired")


async def test_an_order_can_be_paid_after_a_failure(
    handle: HandlerRunner, placed: Order, stored: Stored
) -> None:
    await handle(on_payment_failed, failure_of(placed.id))

    await handle(on_payment_captured, payment_of(placed))
    assert (await stored(placed.id)).status == "paid"


async def test_a_late_failure_does_not_unpay_an_order(
    handle: HandlerRunner, placed: Order, stored: Stored
) -> None:
    await handle(on_payment_captured, payment_of(placed))

    await handle(on_payment_failed, failure_of(placed.id))
    assert (await stored(placed.id)).status == "paid"


async def test_a_failure_waits_for_its_order(handle: HandlerRunner) -> None:
    with pytest.raises(Retry):
        await handle(on_payment_failed, failure_of(uuid4()))
