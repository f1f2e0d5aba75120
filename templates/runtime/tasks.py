"""The background tasks of one process: any that fails ends the service, loudly."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

log = structlog.get_logger("eventgen.tasks")


class Tasks:
    """Runs tasks beside each other and keeps the first exception one of them raised."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._crashed = asyncio.Event()
        self._error: BaseException | None = None

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` in the background."""
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        self._tasks[name] = task

    async def watch(self, stopping: asyncio.Event) -> None:
        """Wait for `stopping`. When a task fails first, raise what it raised."""
        await first(stopping, self._crashed)
        if self._error is not None:
            raise self._error

    async def finish(self, name: str, seconds: float) -> None:
        """Give one task this long to end, then cancel it."""
        task = self._tasks.pop(name, None)
        if task is None:
            return
        done, _ = await asyncio.wait({task}, timeout=max(seconds, 0.0))
        if not done:
            log.warning("task.cancelled", task=name, after_seconds=round(seconds, 1))
            task.cancel()
            await asyncio.wait({task}, timeout=1.0)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or (error := task.exception()) is None:
            return
        log.critical("task.crashed", task=task.get_name(), error=repr(error))
        if self._error is None:
            self._error = error
        self._crashed.set()


async def first(*events: asyncio.Event) -> None:
    """Wait until one of these events is set."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


async def sleep(seconds: float, stopping: asyncio.Event) -> bool:
    """Sleep, but no longer than until `stopping` is set; whether it is."""
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return False
    return True


async def unless(stopping: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Do `work` unless `stopping` is set before it is done; whether it was done."""
    doing = asyncio.ensure_future(work)
    wait = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait({doing, wait}, return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            doing.result()
            return True
        return False
    finally:
        doing.cancel()
        wait.cancel()
