"""on_none_event in isolation: a real database, no broker. This file is yours."""

from __future__ import annotations

from import_service._generated import examples
from import_service._runtime.testing import HandlerRunner
from import_service.handlers.on_none_event import on_none_event


async def test_on_none_event_takes_the_example(handle: HandlerRunner) -> None:
    published = await handle(on_none_event, examples.none_event())

    assert published == []
