"""on_price_requested in isolation: a real database, no broker. This file is yours."""

from __future__ import annotations

from prices._generated import examples
from prices._runtime.testing import HandlerRunner
from prices.handlers.on_price_requested import on_price_requested


async def test_on_price_requested_takes_the_example(handle: HandlerRunner) -> None:
    published = await handle(on_price_requested, examples.price_requested())

    assert published == []
