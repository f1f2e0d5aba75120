"""The broker for when there is none: a durable log in the service's own database.

It keeps the promises of the others (nothing lost, order per key, one consumer of a partition) so
that a service behaves the same on it, in development, in tests, and where one database is enough.
What was published survives any crash; every group reads the log from its beginning, once.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from itertools import count
from time import monotonic
from typing import TYPE_CHECKING, Any
from uuid import uuid4
from zlib import crc32

import structlog
from sqlalchemy import inspect, text

from .dialect import clean, headers_json
from .embedded_log import DIALECTS, FETCH, FETCH_BYTES, LAST, Destination, Statements
from .embedded_state import read_lags, unconsumed
from .tracker import Tracker
from .transport import Change, Deliver, Incoming, Outcome, Outgoing, Sent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from .database import Database
    from .findings import Finding, PartitionLag
    from .service import Channel, Service, Subscription
    from .transport import Consumer

LEASE_SECONDS = 4.0  # a group waits this long for the successor of a consumer that was killed
COMMIT_EVERY = 0.2  # seconds
RETENTION_SECONDS = 7 * 24 * 3600.0  # what every known group has handled is kept so long
TRIM_EVERY = 600.0  # seconds
POLL_FASTEST = 0.02  # seconds; only for what other processes publish
POLL_SLOWEST = 0.5

_log = structlog.get_logger("eventgen.embedded")


class EmbeddedTransport:
    """A `Transport` whose broker is two tables, `embedded_log` and `embedded_group`."""

    def __init__(self, database: Database, *, partitions: int = 8) -> None:
        """Messages of a key are in one of `partitions`; a later change leaves old ones in place."""
        self.database = database
        self.statements = Statements(DIALECTS[database.engine.dialect.name])
        self._partitions = partitions
        self._keyless = count()
        self._consumers: set[EmbeddedConsumer] = set()

    async def start(self) -> None:
        """Create the tables where they are missing."""
        async with self.database.transaction() as tx:
            await self._lock(tx)  # CREATE IF NOT EXISTS alone fails when two do it at once
            for statement in self.statements.create:
                await tx.execute(text(statement))

    async def publish(self, messages: Sequence[Outgoing]) -> Sequence[Sent]:
        """Append messages to the log, all or none; they are durable when this returns."""
        if not messages:
            return []
        try:
            async with self.database.transaction(within=LEASE_SECONDS) as tx:
                await self._lock(tx)
                values = [self._values(message) for message in messages]
                await tx.execute(text(self.statements.publish), values)
        except Exception as error:
            if not self.database.is_outage(error):
                raise
            return [Sent(Outcome.TRANSIENT, repr(error))] * len(messages)
        for consumer in self._consumers:
            consumer.wake()
        return [Sent(Outcome.SENT)] * len(messages)

    async def consume(self, subscription: Subscription, group: str, deliver: Deliver) -> Consumer:
        """Start delivering; waits for its turn while another process consumes for this group."""
        consumer = EmbeddedConsumer(self, subscription.channel.destination, group, deliver)
        self._consumers.add(consumer)
        consumer.start()
        return consumer

    async def history(
        self, channel: Channel, start: datetime | int
    ) -> AsyncIterator[Sequence[Incoming]]:
        """The messages of a channel from a time or an id up to now; no group takes note."""
        destination = Destination(channel.destination)
        async with self.database.transaction() as tx:
            end: int = (await tx.execute(text(self.statements.end))).scalar_one()
        since = start.timestamp() if isinstance(start, datetime) else 0.0
        begin = 0 if isinstance(start, datetime) else start
        while rows := await self.read(destination, begin, end=end, since=since):
            begin = rows[-1].id + 1
            yield [_incoming(row) for row in rows if destination.means(row.destination)]

    async def read(
        self, destination: Destination, start: int, *, end: int = LAST, since: float = 0.0
    ) -> Sequence[Any]:
        """The next rows of the log with ids from `start` to `end`, published from `since` on."""
        values = {"pattern": destination.like, "start": start, "end": end, "since": since}
        values |= {"limit": FETCH, "bytes": FETCH_BYTES}
        async with self.database.transaction() as tx:
            return (await tx.execute(self.statements.read, values)).all()

    async def provision(self, channels: Sequence[Channel], *, dry_run: bool) -> Sequence[Change]:
        """Create the log where it is missing; channels need nothing of their own."""
        if not channels or await self._is_there():
            return []
        if not dry_run:
            await self.start()
        return [Change(f"create the embedded log ({self._partitions} partitions)", not dry_run)]

    def export(self, service: Service, user: str) -> str:  # noqa: ARG002 - the protocol's shape
        """Nothing: the log's tables are made when it starts."""
        return ""

    async def lags(self, subscription: Subscription, group: str) -> Sequence[PartitionLag]:
        """How far the group has come, by partition."""
        if not await self._is_there():
            return []
        destination = Destination(subscription.channel.destination)
        return await read_lags(self.database, group, destination.like, destination.pattern)

    async def examine(self, service: Service, inbox_seconds: float) -> Sequence[Finding]:
        """The subscriptions that nobody consumes; the log needs no settings."""
        del inbox_seconds  # what was handled is not delivered again, however old
        likes = [Destination(s.channel.destination).like for s in service.subscriptions]
        now = DIALECTS[self.database.engine.dialect.name].now
        return await unconsumed(self.database, service, likes, now)

    async def healthy(self) -> bool:
        """Whether the database answers."""
        return await self.database.healthy()

    async def close(self) -> None:
        """Stop the consumers; the database stays open, it is the service's."""
        for consumer in list(self._consumers):
            await consumer.close()

    def forget(self, consumer: EmbeddedConsumer) -> None:
        """A consumer was closed."""
        self._consumers.discard(consumer)

    async def _is_there(self) -> bool:
        async with self.database.reading() as tx:
            return await tx.run_sync(lambda c: inspect(c).has_table("embedded_group"))

    async def _lock(self, tx: AsyncConnection) -> None:
        if self.statements.lock is not None:
            await tx.execute(text(self.statements.lock))

    def _values(self, message: Outgoing) -> dict[str, Any]:
        key = None if message.key is None else clean(message.key)
        spread = next(self._keyless) if key is None else crc32(key.encode())
        return {
            "destination": message.destination,
            "part": spread % self._partitions,
            "key": key,
            "headers": headers_json(message.headers),
            "body": message.body,
        }


class EmbeddedConsumer:
    """A subscription of one group. One consumer at a time holds the group's lease and reads."""

    def __init__(
        self, transport: EmbeddedTransport, destination: str, group: str, deliver: Deliver
    ) -> None:
        """`destination` may hold `{parameters}`, each of which stands for one word."""
        self._destination = Destination(destination)
        self._group = {"name": group, "pattern": self._destination.like}
        self._owner = {**self._group, "owner": str(uuid4()), "lease": LEASE_SECONDS}
        self._transport = transport
        self._sql = transport.statements
        self._deliver = deliver
        self._wake = asyncio.Event()
        self._paused = self._closed = False
        self._tasks: list[asyncio.Task[None]] = []
        self._terms = 0  # how often the lease was had or lost; messages of an older term are stale
        self._holding = False
        self._next = 0  # the first id not read yet
        self._floor: dict[int, int] = {}  # by partition: done before this term began
        self._trackers: dict[int, Tracker] = {}
        self._moved = False  # something was acknowledged since the last commit

    def start(self) -> None:
        """Begin to read and to commit, in the background."""
        self._tasks = [
            asyncio.create_task(self._read_on(), name="embedded-read"),
            asyncio.create_task(self._keep_on(), name="embedded-keep"),
        ]

    def wake(self) -> None:
        """There may be something new."""
        self._wake.set()

    def ack(self, messages: Sequence[Incoming]) -> None:
        """These are done; those of an older term are somebody else's business by now."""
        for message in messages:
            term, part, id_ = message.token
            if term == self._terms:
                self._trackers[part].done(id_)
                self._moved = True

    async def pause(self) -> None:
        """Take no more messages, but keep the lease."""
        self._paused = True

    async def close(self) -> None:
        """Write down what is done and let the next one have the lease."""
        self._closed = True  # a cancellation gets lost where a lost connection is cleaned up
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        self._transport.forget(self)
        if self._holding:
            with suppress(Exception):  # the lease ends by itself
                await self._keep(lease=0.0)
        self._lose()

    async def lag(self) -> int | None:
        """How many messages wait behind what was acknowledged; None while another consumes."""
        if not self._holding:
            return None
        async with self._transport.database.reading() as tx:
            found = await tx.execute(text(self._sql.lag), self._group)
        waiting: int = found.scalar_one()
        return waiting

    # reading ------------------------------------------------------------------------------------

    async def _read_on(self) -> None:
        pause = POLL_FASTEST
        while not self._closed:
            self._wake.clear()
            if await self._guarded(self._read_some):
                pause = POLL_FASTEST
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), pause)
            pause = min(pause * 2, POLL_SLOWEST)

    async def _guarded(self, step: Callable[[], Awaitable[bool | None]]) -> bool:
        """Whether the step found something to do; whatever goes wrong, the consumer lives on."""
        try:
            return bool(await step())
        except Exception as error:  # noqa: BLE001  - an outage, or a bug: neither may end it
            if self._transport.database.is_outage(error):
                _log.warning("database.away", error=repr(error))
            else:
                _log.error("embedded.failed", exc_info=error)
            return False

    async def _read_some(self) -> bool:
        """Read the next messages and hand them over; whether there were any."""
        if self._paused or not self._holding:
            return False
        term = self._terms
        rows = await self._transport.read(self._destination, self._next)
        if not rows or term != self._terms:
            return False
        self._next = rows[-1].id + 1
        fresh = [row for row in rows if self._is_fresh(row)]
        for row in fresh:
            self._trackers.setdefault(row.part, Tracker()).add(row.id)
        try:
            if fresh:
                await self._deliver([self._incoming(row, term) for row in fresh])
        except Exception:
            self._lose()  # nobody knows how many were taken: begin again where all is done
            raise
        return True

    def _is_fresh(self, row: Any) -> bool:
        done = self._floor.get(row.part, 0)
        return row.id >= done and self._destination.means(row.destination)

    def _incoming(self, row: Any, term: int) -> Incoming:
        token = (term, row.part, row.id)
        return replace(_incoming(row), token=token, stale=lambda: term != self._terms)

    # the lease, and what is done ------------------------------------------------------------------

    async def _keep_on(self) -> None:
        renew_at = trim_at = 0.0
        while not self._closed:
            if not self._holding or self._moved or monotonic() >= renew_at:
                renew_at = monotonic() + LEASE_SECONDS / 4
                await self._guarded(self._keep if self._holding else self._acquire)
            if monotonic() >= trim_at:
                trim_at = monotonic() + TRIM_EVERY
                await self._guarded(self._trim)
            await asyncio.sleep(COMMIT_EVERY)

    async def _trim(self) -> None:
        async with self._transport.database.transaction() as tx:
            await tx.execute(text(self._sql.trim), {"retention": RETENTION_SECONDS})

    async def _acquire(self) -> None:
        async with self._transport.database.transaction(within=LEASE_SECONDS) as tx:
            row = (await tx.execute(text(self._sql.acquire), self._owner)).first()
        if row is None:
            return
        self._terms += 1
        self._holding = True
        self._next = row.low
        self._floor = {int(part): at for part, at in json.loads(row.positions).items()}
        self._trackers = {}
        self.wake()

    async def _keep(self, *, lease: float = LEASE_SECONDS) -> None:
        """Renew the lease and write down what is done; both only as long as the lease is ours."""
        self._moved = False
        positions = self._positions()
        low = min(positions.values(), default=self._next)
        values = {**self._owner, "lease": lease, "positions": json.dumps(positions), "low": low}
        try:
            async with self._transport.database.transaction(within=LEASE_SECONDS) as tx:
                kept = (await tx.execute(text(self._sql.keep), values)).first()
        except Exception:
            self._moved = True
            raise
        if kept is None:
            _log.warning("embedded.lease_lost", **self._group)
            self._lose()

    def _positions(self) -> dict[int, int]:
        """By partition, where to start after a crash. An idle one starts at what was not read."""
        parts = self._floor.keys() | self._trackers.keys()
        return {part: self._position(part) for part in parts}

    def _position(self, part: int) -> int:
        tracker = self._trackers.get(part)
        position = tracker.committable() if tracker and len(tracker) else None
        return max(self._next if position is None else position, self._floor.get(part, 0))

    def _lose(self) -> None:
        """Whatever is under way is stale now."""
        self._terms += 1
        self._holding = False


def _incoming(row: Any) -> Incoming:
    return Incoming(
        destination=row.destination,
        key=row.key,
        headers=json.loads(row.headers),
        body=row.body,
        origin=f"{row.destination}/{row.part}/{row.id}",
    )


def connect(service: Service, database: Database) -> EmbeddedTransport:
    """The transport of a service without a broker."""
    del service
    return EmbeddedTransport(database)
