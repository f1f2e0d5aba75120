"""on_account_closed in isolation: a real database, no broker. This file is yours."""

from __future__ import annotations

from accounts._generated import examples
from accounts._runtime.testing import HandlerRunner
from accounts.handlers.on_account_closed import on_account_closed


async def test_on_account_closed_takes_the_example(handle: HandlerRunner) -> None:
    published = await handle(on_account_closed, examples.account_closed())

    assert published == []
