"""on_payment_captured in isolation: a real database, no broker. This file is yours."""

from __future__ import annotations

from billing._generated import examples
from billing._runtime.testing import HandlerRunner
from billing.handlers.on_payment_captured import on_payment_captured


async def test_on_payment_captured_takes_the_example(handle: HandlerRunner) -> None:
    published = await handle(on_payment_captured, examples.payment_captured())

    assert published == []
