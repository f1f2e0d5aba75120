"""on_position_reported in isolation: a real database, no broker. This file is yours."""

from __future__ import annotations

from fleet._generated import examples
from fleet._runtime.testing import HandlerRunner
from fleet.handlers.on_position_reported import on_position_reported


async def test_on_position_reported_takes_the_example(handle: HandlerRunner) -> None:
    published = await handle(on_position_reported, examples.position_reported())

    assert published == []
