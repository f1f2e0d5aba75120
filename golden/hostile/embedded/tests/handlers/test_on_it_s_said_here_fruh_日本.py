"""on_it_s_said_here_fruh_日本 in isolation: a real database, no broker. This file is yours."""

from __future__ import annotations

from hostile._generated import examples
from hostile._runtime.testing import HandlerRunner
from hostile.handlers.on_it_s_said_here_fruh_日本 import on_it_s_said_here_fruh_日本


async def test_on_it_s_said_here_fruh_日本_takes_the_example(handle: HandlerRunner) -> None:
    published = await handle(on_it_s_said_here_fruh_日本, examples.it_s_said_here_fruh_日本())

    assert published == []
