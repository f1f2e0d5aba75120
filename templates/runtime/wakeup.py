"""Telling relays of new events, so that none waits until its relay looks again by itself.

A relay in this process is told at once, those of other processes through the database. Whatever
is lost on that way is found by looking: nothing depends on it but how long an event takes.
"""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING

import structlog

from .retry import outage_delay
from .tasks import first, sleep

if TYPE_CHECKING:
    from collections.abc import Callable

    from .database import Database

# Between two calls through the database: it lets one transaction that calls commit at a time.
CALL_EVERY = 0.05  # seconds

_log = structlog.get_logger("eventgen.wakeup")


class Wakeup:
    """What one process calls and hears."""

    def __init__(self, database: Database, wake: Callable[[], None] | None) -> None:
        """`wake` is the relay's of this process, if it has one."""
        self._database = database
        self._wake = wake
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Something new is committed to the outbox."""
        if self._wake is not None:
            self._wake()
        self._rung.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Call, and be called, until `stopping`."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._call(stopping), name="wakeup-call")
            if self._wake is not None:
                both.create_task(self._listen(self._wake, stopping), name="wakeup-listen")

    async def _call(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            await first(stopping, self._rung)
            self._rung.clear()
            try:
                await self._database.call_relays()
            except Exception as error:  # noqa: BLE001  - they look by themselves, too
                _log.debug("wakeup.not_called", error=repr(error))
            await sleep(CALL_EVERY, stopping)

    async def _listen(self, wake: Callable[[], None], stopping: asyncio.Event) -> None:
        for attempt in count():
            try:
                await self._database.hear_calls(wake, stopping)
            except Exception as error:  # noqa: BLE001  - then it looks by itself meanwhile
                _log.debug("wakeup.not_listening", error=repr(error))
            if await sleep(outage_delay(attempt), stopping):
                return
