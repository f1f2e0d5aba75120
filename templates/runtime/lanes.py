"""Lanes: events of one key one after the other, events of different keys side by side."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar
from zlib import crc32

import structlog

from .retry import outage_delay

HIGH = 1000  # events in the lanes at which intake stops ...
LOW = 500  # ... and at which it goes on
HIGH_BYTES = 64 * 1024 * 1024  # the same for what they weigh; one more event may be on top
LOW_BYTES = HIGH_BYTES // 2

T = TypeVar("T")

# Handles the first events of a lane, in order, and returns those to be taken again first.
Handle = Callable[[Sequence[T]], Awaitable[Sequence[T]]]

_log = structlog.get_logger("eventgen.lanes")


class _Lane(Generic[T]):
    """The events of one lane that wait, and the bell that tells its worker."""

    def __init__(self) -> None:
        self.waiting: deque[T] = deque()
        self.bell = asyncio.Event()


class Lanes(Generic[T]):
    """A fixed number of queues with a worker each; what they hold together is bounded."""

    def __init__(  # noqa: PLR0913  - the bounds are the same but in tests
        self,
        count: int,
        batch: int,
        handle: Handle[T],
        weigh: Callable[[T], int] = lambda _: 0,
        *,
        high: int = HIGH,
        low: int = LOW,
    ) -> None:
        """`weigh` says how many bytes an event holds."""
        self._lanes: list[_Lane[T]] = [_Lane() for _ in range(count)]
        self._batch = batch
        self._handle = handle
        self._weigh = weigh
        self._high, self._low = high, low
        self._held = 0
        self._bytes = 0
        self._room = asyncio.Event()
        self._room.set()
        self._stopping = False
        self._workers: list[asyncio.Task[None]] = []

    @property
    def held(self) -> int:
        """How many events are in the lanes, those being handled included."""
        return self._held

    def start(self) -> None:
        """Start the workers."""
        self._workers = [
            asyncio.create_task(self._work(lane), name=f"lane-{number}")
            for number, lane in enumerate(self._lanes)
        ]

    async def put(self, key: str, item: T) -> bool:
        """Append to the lane of `key`, once there is room. False: the lanes take no more."""
        while not self._room.is_set() and not self._stopping:
            await self._room.wait()
        if self._stopping:
            return False
        lane = self._lanes[crc32(key.encode()) % len(self._lanes)]
        lane.waiting.append(item)
        lane.bell.set()
        self._held += 1
        self._bytes += self._weigh(item)
        if self._held >= self._high or self._bytes >= HIGH_BYTES:
            self._room.clear()
        return True

    async def drain(self, seconds: float) -> bool:
        """Take no more, finish what is held; whether that was done within so many seconds.

        What is not done by then is cancelled: its transactions roll back.
        """
        self._stopping = True
        self._room.set()
        for lane in self._lanes:
            lane.bell.set()
        if self._workers:
            await asyncio.wait(self._workers, timeout=seconds)
        await self.close()
        return self._held == 0

    async def close(self) -> None:
        """Stop at once."""
        self._stopping = True
        self._room.set()
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    async def _work(self, lane: _Lane[T]) -> None:
        failures = 0
        while lane.waiting or not self._stopping:
            if not lane.waiting:
                lane.bell.clear()
                await lane.bell.wait()
                continue
            try:
                await self._turn(lane)
                failures = 0
            except Exception:  # noqa: BLE001  - a lane never ends, or its events would never come
                # Nothing is lost: the events are at the front of the lane again.
                if self._stopping:
                    return
                _log.exception("lane.failed", waiting=len(lane.waiting))
                await asyncio.sleep(outage_delay(failures))
                failures += 1

    async def _turn(self, lane: _Lane[T]) -> None:
        """Hand the first events over; whatever is not done goes back to the front, in order."""
        size = min(self._batch, len(lane.waiting))
        taken: Sequence[T] = [lane.waiting.popleft() for _ in range(size)]
        rest = taken
        try:
            rest = await self._handle(taken)
        finally:
            lane.waiting.extendleft(reversed(rest))
            self._held -= size - len(rest)
            self._bytes -= sum(map(self._weigh, taken)) - sum(map(self._weigh, rest))
            if self._held <= self._low and self._bytes <= LOW_BYTES:
                self._room.set()
