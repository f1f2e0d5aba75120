"""on_device_restarted in isolation: a real database, no broker. This file is yours."""

from __future__ import annotations

from devices._generated import examples
from devices._runtime.testing import HandlerRunner
from devices.handlers.on_device_restarted import on_device_restarted


async def test_on_device_restarted_takes_the_example(handle: HandlerRunner) -> None:
    published = await handle(on_device_restarted, examples.device_restarted())

    assert published == []
