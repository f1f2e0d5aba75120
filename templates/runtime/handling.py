"""From an incoming event to its committed effect: in a batch when all goes well, else one by one.

Whatever path an event takes, `Handling.run` is where its handler runs, and `judge` decides what
a failure means.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from itertools import count
from logging import DEBUG
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import NAMESPACE_OID, UUID, uuid5

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from . import logs, spans
from .calling import Scope, within
from .codec import decode
from .context import Context
from .database import OutboxRow, ParkedRow, Parking
from .dialect import short_key
from .envelope import Envelope, Undecodable, read_envelope
from .errors import HandlerTimeout
from .flow import Flow
from .metrics import BATCH_SIZE, DEAD_LETTERS, HANDLER_SECONDS, RETRIES
from .retry import Verdict, judge, outage_delay
from .transport import Incoming

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from contextlib import AbstractContextManager

    from .database import Database, Seen
    from .outbox import Publisher
    from .service import Route, Subscription

# Seconds in which a process that is at work says something to its database, after its last claim.
COMMIT_WITHIN = 5.0

R = TypeVar("R")

_log = structlog.get_logger("eventgen.consumer")


class Result(Enum):
    """What became of an event taken from the broker."""

    HANDLED = "handled"
    DUPLICATE = "duplicate"
    PARKED = "parked"
    DEAD = "dead"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Work:
    """One incoming event. Events of one `key` never overtake each other.

    An event that is not `keyed`, for want of a key or of an order on its channel, has its own id
    there and so waits behind nothing. `subject` is the reason when the message's envelope cannot
    be read.
    """

    id: UUID
    key: str
    message: Incoming
    subject: Envelope | Undecodable
    keyed: bool = False

    @property
    def type(self) -> str:
        """The event's type; empty when the envelope cannot be read."""
        return self.subject.type if isinstance(self.subject, Envelope) else ""

    @property
    def fields(self) -> dict[str, str | None]:
        """What a log entry says about the event."""
        envelope = self.subject if isinstance(self.subject, Envelope) else None
        return {
            "event_id": str(self.id),
            "event_type": self.type,
            "key": self.key,
            "correlation_id": envelope.correlation_id if envelope else None,
            "causation_id": envelope.causation_id if envelope else None,
            "origin": self.message.origin,
        }


@dataclass(slots=True)
class _Batch:
    """One transaction's worth of events, as far as it got."""

    known: set[UUID]  # ids not to be handled (again)
    blocked: frozenset[str]
    settled: list[tuple[Work, Result]] = field(default_factory=list)
    handled: list[UUID] = field(default_factory=list)
    waiting: list[Parking] = field(default_factory=list)
    outgoing: list[OutboxRow] = field(default_factory=list)


class _HandledElsewhere(Exception):  # noqa: N818  - not an error: another process was faster
    """An event of the batch was claimed by somebody else while its handler ran here."""


class Handling:
    """The events of one subscription on their way through the database."""

    def __init__(
        self,
        subscription: Subscription,
        database: Database,
        publisher: Publisher,
        wake: Callable[[], None],
    ) -> None:
        """`wake` tells the relay of new events."""
        self.subscription = subscription
        self.database = database
        self.flow = Flow(subscription.name, subscription.rate)
        self._publisher = publisher
        self._system = publisher.service.broker
        self._seconds = {
            route.event.type: HANDLER_SECONDS.labels(subscription.name, route.event.type)
            for route in subscription.routes
        }
        self._wake = wake

    @property
    def patience(self) -> float:
        """Seconds in which a transaction with handlers in it does something."""
        return self.subscription.timeout + self.database.budget + COMMIT_WITHIN

    # reading ------------------------------------------------------------------------------------

    def read(self, message: Incoming) -> Work:
        """Read a message's envelope. An unreadable one is identified by where it came from."""
        try:
            envelope = read_envelope(message, self.subscription)
        except Undecodable as error:
            id_ = uuid5(NAMESPACE_OID, message.origin)
            return Work(id_, str(id_), message, error)
        ordered = self.subscription.channel.ordering == "key"
        if ordered and envelope.key:
            return Work(envelope.id, short_key(envelope.key), message, envelope, keyed=True)
        return Work(envelope.id, str(envelope.id), message, envelope)

    def read_parked(self, row: ParkedRow) -> Work:
        """The same for a parked event."""
        # The row's key is shortened, or stands in for a missing one; the header is as it came.
        keyless = row.key == str(row.event_id) or "ce_partitionkey" in row.headers
        message = Incoming(
            destination=self.subscription.channel.destination,
            key=None if keyless else row.key,
            headers=row.headers,
            body=row.body,
            origin=row.origin,
        )
        return self.read(message)

    # one handler, whatever the path -------------------------------------------------------------

    async def run(self, tx: AsyncConnection, work: Work) -> Sequence[OutboxRow]:
        """Run an event's handler in this transaction; the events it published, not yet stored.

        Raises what the handler raises, and Undecodable.
        """
        async with Scope(tx) as scope:
            return await self._run(scope, work, self.subscription.timeout)

    async def _run(
        self, scope: Scope, work: Work, seconds: float | None = None
    ) -> Sequence[OutboxRow]:
        if isinstance(work.subject, Undecodable):
            raise work.subject
        envelope = work.subject
        span: AbstractContextManager[object] = spans.OFF
        if scope.traced:
            channel = self.subscription.channel
            span = spans.processing(self._system, channel, envelope, work.message)
        token = logs.EVENT.set(envelope)
        try:
            with span:
                route = self._route(envelope)
                event = decode(route.event, envelope.payload, envelope.version)
                if route.upcast is not None:
                    event = route.upcast(event)
                context: Context[Any] = Context(scope.session, envelope, self._publisher)
                calling = scope.call(route, event, context)
                started = perf_counter()
                try:
                    await (calling if seconds is None else within(seconds, calling))
                finally:
                    self._seconds[envelope.type].observe(perf_counter() - started)
                return context.outgoing
        finally:
            logs.EVENT.reset(token)

    def _route(self, envelope: Envelope) -> Route:
        type_, version, name = envelope.type, envelope.version, self.subscription.name
        route = self.subscription.route(type_, version)
        if route is not None:
            return route
        if self.subscription.route(type_) is not None:
            raise Undecodable("undecodable", f"{name} handles no version like {version} of {type_}")
        # only for parked events: their handler is gone since
        raise LookupError(f"no handler of {name} takes {type_}")

    def committed(self, outgoing: Sequence[OutboxRow]) -> None:
        """A transaction with these outgoing events was committed."""
        if not outgoing:
            return
        self._wake()
        if _log.is_enabled_for(DEBUG):
            for row in outgoing:
                _log.debug("outbox.stored", **logs.about_row(row))

    # several events, one transaction ------------------------------------------------------------

    async def batch(self, works: Sequence[Work]) -> Sequence[tuple[Work, Result]] | None:
        """Handle events in order in one transaction, until the time budget is spent.

        Returns what is committed, the first events of `works`; None when nothing is, because
        something failed and the events must be tried one by one.
        """
        messages = [work.message for work in works]
        span = spans.processing_batch(self._system, self.subscription.channel, messages)
        try:
            with span:
                async with self.database.transaction() as tx:
                    batch = await self._run_batch(tx, works)
        except Exception as error:  # noqa: BLE001  - whose fault it is, the singles find out
            _log.debug("consumer.one_by_one", events=len(works), error=repr(error))
            return None
        BATCH_SIZE.labels(self.subscription.name).observe(len(batch.settled))
        if batch.handled:
            self.flow.breaker.handled()
        self.committed(batch.outgoing)
        return batch.settled

    async def _run_batch(self, tx: AsyncConnection, works: Sequence[Work]) -> _Batch:
        ids = [work.id for work in works]
        keys = {work.key for work in works if work.keyed}
        seen = await self._seen(tx, ids, sorted(keys))
        batch = _Batch(known=set(seen.handled), blocked=seen.blocked)
        async with Scope(tx, together=True) as scope:
            # One limit for all, as a timer for each costs too much: the singles are exact.
            running = self._run_handlers(scope, works, batch)
            await within(self.subscription.timeout + self.database.budget, running)
        # Last, so that no lock is held while handlers run: parked, inbox, outbox, commit.
        if batch.waiting:
            await self.database.park(tx, self.subscription.name, batch.waiting)
        if batch.handled:
            await self._claim(tx, batch.handled)
        if batch.outgoing:
            await self.database.add_to_outbox(tx, batch.outgoing)
        return batch

    async def _seen(self, tx: AsyncConnection, ids: Sequence[UUID], keys: Sequence[str]) -> Seen:
        name, within = self.subscription.name, self.patience
        return await self.database.seen(tx, name, ids, keys, within=within)

    async def _claim(self, tx: AsyncConnection, ids: Sequence[UUID]) -> None:
        """What was done for these events counts, unless another process was faster."""
        within = COMMIT_WITHIN  # no handler runs any more
        new = await self.database.claim(tx, self.subscription.name, ids, within=within)
        if len(new) != len(ids):
            raise _HandledElsewhere

    async def _run_handlers(self, scope: Scope, works: Sequence[Work], batch: _Batch) -> None:
        spent = 0.0
        for work in works:
            if spent >= self.database.budget:
                break
            started = perf_counter()
            batch.settled.append((work, await self._run_in_batch(scope, work, batch)))
            took = perf_counter() - started
            if took > self.subscription.timeout:
                raise HandlerTimeout(f"a handler took {took:.3f} s")
            spent += took
        await scope.write()

    async def _run_in_batch(self, scope: Scope, work: Work, batch: _Batch) -> Result:
        if work.id in batch.known:
            return Result.DUPLICATE
        batch.known.add(work.id)
        if work.key in batch.blocked:
            batch.waiting.append(_behind(work))
            return Result.PARKED
        batch.outgoing.extend(await self._run(scope, work))
        batch.handled.append(work.id)
        return Result.HANDLED

    # one event, one transaction -----------------------------------------------------------------

    async def single(self, work: Work) -> Result | None:
        """Handle one event, with the quick attempts; returns once its fate is committed.

        None when the breaker is open instead: then nothing was tried, as far as anybody counts.
        Raises only when the database is away and the service is stopping.
        """
        for attempts in count(1):
            try:
                return await self._patiently(partial(self._attempt, work))
            except _HandledElsewhere:
                return Result.DUPLICATE
            except Exception as error:
                if self.database.is_outage(error):
                    raise  # stopping: the broker will deliver the event again
                if self.flow.breaker.failed(work.key, error):
                    return None
                verdict = judge(error, self.subscription.retry, attempts, in_lane=True)
                if verdict.action != "again":
                    self.report(work, verdict, error)
                    return await self._patiently(partial(self._settle, work, verdict))
            RETRIES.labels(self.subscription.name).inc()
            _log.debug("consumer.retry", **work.fields, error=verdict.error, attempts=attempts)
            await asyncio.sleep(verdict.delay)
        raise AssertionError  # count() has no end

    async def _attempt(self, work: Work) -> Result:
        consumer, database = self.subscription.name, self.database
        async with database.transaction() as tx:
            keys = [work.key] if work.keyed else []
            seen = await self._seen(tx, [work.id], keys)
            if work.id in seen.handled:
                return Result.DUPLICATE
            if work.key in seen.blocked:
                await database.park(tx, consumer, [_behind(work)])
                return Result.PARKED
            outgoing = await self.run(tx, work)
            # PostgreSQL refuses it when the handler swallowed an error of its own, which would turn
            # the commit into a rollback without a word.
            await self._claim(tx, [work.id])
            if outgoing:
                await database.add_to_outbox(tx, outgoing)
        BATCH_SIZE.labels(consumer).observe(1)
        self.flow.breaker.handled()
        self.committed(outgoing)
        return Result.HANDLED

    async def _settle(self, work: Work, verdict: Verdict) -> Result:
        """Write down what a failed event comes to."""
        consumer = self.subscription.name
        async with self.database.transaction() as tx:
            if verdict.action == "skip":
                await self.database.claim(tx, consumer, [work.id])
                return Result.SKIPPED
            await self.database.park(tx, consumer, [_parking(work, verdict)])
        return Result.DEAD if verdict.action == "dead" else Result.PARKED

    async def _patiently(self, action: Callable[[], Awaitable[R]]) -> R:
        """Do it, however long the database is away; other errors are raised."""
        for tries in count():
            try:
                return await action()
            except Exception as error:
                if self.flow.stopping or not self.database.is_outage(error):
                    raise
                _log.warning("database.away", consumer=self.subscription.name, error=repr(error))
            await asyncio.sleep(outage_delay(tries))
        raise AssertionError  # count() has no end

    def report(self, work: Work, verdict: Verdict, error: Exception) -> None:
        """Tell the log what a failed attempt comes to."""
        about = {**work.fields, "reason": verdict.reason, "attempts": verdict.attempts}
        if verdict.action == "dead":
            DEAD_LETTERS.labels(self.subscription.name, verdict.reason).inc()
            _log.error("consumer.dead", **about, error=verdict.error, exc_info=error)
        elif verdict.action == "retry":
            RETRIES.labels(self.subscription.name).inc()
            _log.warning("consumer.retry", **about, delay=verdict.delay, exc_info=error)


def _behind(work: Work) -> Parking:
    return Parking(
        event_id=work.id,
        key=work.key,
        type=work.type,
        headers=work.message.headers,
        body=work.message.body,
        origin=work.message.origin,
        status="waiting",
        reason="waiting",
        error="behind an earlier event of its key",
    )


def _parking(work: Work, verdict: Verdict) -> Parking:
    return Parking(
        event_id=work.id,
        key=work.key,
        type=work.type,
        headers=work.message.headers,
        body=work.message.body,
        origin=work.message.origin,
        status="dead" if verdict.action == "dead" else "retry",
        reason=verdict.reason,
        error=verdict.error,
        attempts=verdict.attempts,
        delay=verdict.delay,
    )
