"""Telling RabbitMQ what is done: as much as possible in one word.

An acknowledgement may stand for all deliveries before it. Told one by one, a quorum queue writes
each of them to its log, and then delivers what comes next one by one.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from math import inf
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiormq.abc import AbstractChannel

_TOGETHER_SECONDS = 0.02  # what is done waits so long for more that is done
_ALONE_SECONDS = 0.1  # ... and so long for what was delivered before it


class Acks:
    """The deliveries of one channel, from their arrival until the broker was told of their end."""

    def __init__(self, channel: AbstractChannel, prefetch: int) -> None:
        """The broker has `prefetch` messages delivered at a time, so half of them is enough."""
        self._channel = channel
        self._enough = max(1, prefetch // 2)
        self._held: set[int] = set()  # delivery tags: they count up from 1
        self._done: dict[int, float] = {}  # ... and when they were done
        self._new = 0  # of those
        self._some_done, self._enough_done = asyncio.Event(), asyncio.Event()
        self._telling = asyncio.Lock()

    @property
    def held(self) -> int:
        """How many deliveries are here and not done."""
        return len(self._held)

    def arrived(self, tag: int) -> None:
        """A delivery, in the order of tags."""
        self._held.add(tag)

    def done(self, tag: int) -> None:
        """It need not come again."""
        if tag in self._held:
            self._held.discard(tag)
            self._done[tag] = monotonic()
            self._new += 1
            self._some_done.set()
            if self._new >= self._enough:
                self._enough_done.set()

    async def run(self) -> None:
        """Tell the broker, until cancelled."""
        while True:
            await self._some_done.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(_TOGETHER_SECONDS):
                    await self._enough_done.wait()
            self._some_done.clear()
            self._enough_done.clear()
            self._new = 0
            await self._tell(monotonic() - _ALONE_SECONDS)
            if self._done:
                self._some_done.set()

    async def finish(self) -> None:
        """Tell the broker of all that is done."""
        await self._tell(inf)

    async def _tell(self, before: float) -> None:
        """Of all without a gap, and of the others if they were done before this time."""
        async with self._telling:  # a tag that another word stood for is an error
            first = min(self._held, default=inf)
            last = max((tag for tag in self._done if tag < first), default=0)
            others = {tag: at for tag, at in self._done.items() if tag > last}
            alone = [tag for tag, at in others.items() if at <= before]
            self._done = {tag: at for tag, at in others.items() if at > before}
            if last:
                await self._channel.basic_ack(last, multiple=True, wait=False)
            for tag in alone:
                await self._channel.basic_ack(tag, wait=False)
