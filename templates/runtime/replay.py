"""Handling events again that the broker still has, without touching the service's own group.

With the group `same`, the inbox knows what was handled: only what never was is handled now. With a
new name every event counts as new: its handlers run again, with an inbox, parked events and dead
letters of their own, under the consumer `SUBSCRIPTION@NAME`. A second replay with the same name
goes on where the first one was interrupted.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import text

from . import pauses
from .consumer import Consumption
from .envelope import Undecodable, read_envelope
from .handling import Handling
from .parked import ParkedWorker
from .tasks import sleep

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from .database import Database
    from .outbox import Publisher
    from .service import Subscription
    from .transport import Consumer, Deliver, Incoming, Transport

SAME = "same"
LOOK_EVERY = 0.5  # seconds between two looks at what is parked

# What can still be handled: the first parked event of a key, unless it is a dead letter.
_OPEN = text("""
SELECT count(*) FROM parked p WHERE consumer = :consumer AND status <> 'dead' AND NOT EXISTS (
  SELECT 1 FROM parked e WHERE e.consumer = p.consumer AND e.key = p.key AND e.seq < p.seq)
""")


@dataclass(frozen=True, slots=True)
class Replay:
    """What is to be handled again: from when on or from which offset, as whom, of which type."""

    start: datetime | int
    group: str = SAME
    type: str | None = None

    def consumer(self, subscription: Subscription) -> str:
        """The consumer name that the inbox knows."""
        same = self.group == SAME
        return subscription.name if same else f"{subscription.name}@{self.group}"

    async def read(
        self, transport: Transport, subscription: Subscription
    ) -> AsyncIterator[Sequence[Incoming]]:
        """The messages that are meant."""
        async for messages in transport.history(subscription.channel, self.start):
            yield [m for m in messages if self._means(m, subscription)]

    def _means(self, message: Incoming, subscription: Subscription) -> bool:
        try:
            type_ = read_envelope(message, subscription).type
        except Undecodable:
            return self.type is None
        return subscription.route(type_) is not None and self.type in (None, type_)


@dataclass(slots=True)
class Replayed:
    """What became of the events of one subscription, by the names of the metric's results."""

    subscription: str
    read: int = 0
    results: Counter[str] = field(default_factory=Counter)


async def look(replay: Replay, transport: Transport, subscription: Subscription) -> Replayed:
    """Only count."""
    seen = Replayed(subscription.name)
    async for messages in replay.read(transport, subscription):
        seen.read += len(messages)
    return seen


async def run(
    replay: Replay,
    subscription: Subscription,
    transport: Transport,
    database: Database,
    publisher: Publisher,
) -> Replayed:
    """Handle a subscription's events again, those parked meanwhile too; returns when it is done."""
    renamed = replace(subscription, name=replay.consumer(subscription))
    handling = Handling(renamed, database, publisher, _nothing)
    history = _History(replay, transport, subscription)
    consumption = Consumption(handling, history, replay.group)
    stopping = asyncio.Event()
    await pauses.apply(database, [handling.flow])
    beside = [asyncio.create_task(pauses.follow(database, [handling.flow], stopping))]
    try:
        await consumption.start()
        await history.finished()
        if replay.group != SAME:  # those of the service are the service's
            parked = ParkedWorker(database, [handling])
            beside.append(asyncio.create_task(parked.run(stopping)))
            while await _left(database, renamed.name):
                await sleep(LOOK_EVERY, stopping)
    finally:
        stopping.set()
        await consumption.close()
        await asyncio.gather(*beside)
    return Replayed(subscription.name, history.count, consumption.results)


async def _left(database: Database, consumer: str) -> int:
    async with database.reading() as connection:
        number: int = (await connection.execute(_OPEN, {"consumer": consumer})).scalar_one()
    return number


class _History:
    """Source and consumer of a subscription at once: reads what was, up to now."""

    def __init__(self, replay: Replay, transport: Transport, subscription: Subscription) -> None:
        self.count = 0
        self._messages = replay.read(transport, subscription)
        self._reading: asyncio.Task[None] | None = None
        self._open = 0  # messages that are not acknowledged
        self._acked = asyncio.Event()

    async def consume(self, _subscription: Subscription, _group: str, deliver: Deliver) -> Consumer:
        """Begin to read."""
        self._reading = asyncio.create_task(self._read(deliver), name="replay")
        return self

    async def finished(self) -> None:
        """Wait until all is read and settled. Raises what made reading fail."""
        assert self._reading is not None
        await self._reading
        while self._open:
            self._acked.clear()
            await self._acked.wait()

    def ack(self, messages: Sequence[Incoming]) -> None:
        """These are settled."""
        self._open -= len(messages)
        self._acked.set()

    async def pause(self) -> None:
        """Read no further."""
        await self.close()

    async def close(self) -> None:
        """Read no further."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def lag(self) -> int | None:
        """Nobody asks."""
        return None

    async def _read(self, deliver: Deliver) -> None:
        async for messages in self._messages:
            self.count += len(messages)
            self._open += len(messages)
            await deliver(messages)


def _nothing() -> None:
    """What the handlers publish is sent by the relay of the service."""
