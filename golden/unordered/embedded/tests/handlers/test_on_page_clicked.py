"""on_page_clicked in isolation: a real database, no broker. This file is yours."""

from __future__ import annotations

from audit._generated import examples
from audit._runtime.testing import HandlerRunner
from audit.handlers.on_page_clicked import on_page_clicked


async def test_on_page_clicked_takes_the_example(handle: HandlerRunner) -> None:
    published = await handle(on_page_clicked, examples.page_clicked())

    assert published == []
