"""on_humidity_measured in isolation: a real database, no broker. This file is yours."""

from __future__ import annotations

from devices._generated import examples
from devices._runtime.testing import HandlerRunner
from devices.handlers.on_humidity_measured import on_humidity_measured


async def test_on_humidity_measured_takes_the_example(handle: HandlerRunner) -> None:
    published = await handle(on_humidity_measured, examples.humidity_measured())

    assert published == []
