"""Parked events: tried again when they are due, each key in its order, no key behind another."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from .handling import Handling
from .retry import judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from .database import Database, OutboxRow, ParkedRow
    from .retry import Verdict

WORKERS = 4  # keys handled at the same time
POLL_FASTEST = 0.1  # seconds
POLL_SLOWEST = 1.0

_log = structlog.get_logger("eventgen.parked")


@dataclass(slots=True)
class _Taken:
    """What a worker has found and done in one transaction; `verdict` only when it failed."""

    row: ParkedRow | None = None
    outgoing: Sequence[OutboxRow] = ()
    verdict: Verdict | None = None

    @property
    def done(self) -> bool:
        """Whether the event is out of the way, so that its key can go on."""
        return self.row is not None and (self.verdict is None or self.verdict.action == "skip")


class ParkedWorker:
    """Takes parked events up again, in every process of the service; row locks keep them apart."""

    def __init__(
        self,
        database: Database,
        handlings: Sequence[Handling],
    ) -> None:
        """`handlings` are those of the consumers, one for each subscription."""
        self._database = database
        self._handlings = handlings
        self._found = asyncio.Event()  # something is due: the idle workers help
        self._stopping = asyncio.Event()

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until `stopping`; the events being handled then are finished first."""
        if not self._handlings:
            await stopping.wait()
            return
        self._stopping = stopping
        async with asyncio.TaskGroup() as workers:
            workers.create_task(self._scout(), name="parked-0")
            for number in range(1, WORKERS):
                workers.create_task(self._help(), name=f"parked-{number}")
            await stopping.wait()
            self._found.set()

    async def _scout(self) -> None:
        """One worker looks all the time, less often the longer there is nothing."""
        pause = POLL_FASTEST
        while not self._stopping.is_set():
            if await self._round():
                pause = POLL_FASTEST
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
            pause = min(POLL_SLOWEST, pause * 1.5)

    async def _help(self) -> None:
        """The others only when there is something to do, so that an idle service stays idle."""
        while not self._stopping.is_set():
            if not await self._round() and not self._stopping.is_set():
                self._found.clear()
                await self._found.wait()

    async def _round(self) -> bool:
        """One key of each subscription; whether there was any."""
        try:
            found = [await self._drain_key(h) for h in self._handlings if h.flow.ready()]
        except Exception as error:  # noqa: BLE001  - an outage, or a bug: neither may end the worker
            if self._database.is_outage(error):
                _log.warning("database.away", error=repr(error))
            else:
                _log.error("parked.failed", exc_info=error)
            return False
        return any(found)

    async def _drain_key(self, handling: Handling) -> bool:
        """Handle the events of a key that is due until it is empty or must wait again.

        Whether there was such a key: after one that failed, the next may be due.
        """
        flow = handling.flow
        try:
            first = taken = await self._step(handling, None)
            while taken.row and taken.done and not self._stopping.is_set() and flow.ready():
                # At once, or a busy key never catches up with the events that arrive behind it.
                taken = await self._step(handling, taken.row.key)
        finally:
            flow.leave()
        return first.row is not None

    async def _step(self, handling: Handling, key: str | None) -> _Taken:
        """Handle the next event of `key`, of any key that is due when it is None."""
        taken = _Taken()
        try:
            async with self._database.transaction() as tx:
                await self._take(tx, handling, key, taken)
        except Exception as error:
            if taken.row is None or taken.verdict is not None or self._database.is_outage(error):
                raise
            # The transaction is gone with the attempt: a constraint that is checked only at the
            # commit, or a statement that was cancelled for taking too long.
            async with self._database.transaction() as tx:
                await self._failed(tx, handling, taken, error)
        if taken.done:
            handling.committed(taken.outgoing)
        return taken

    async def _take(
        self, tx: AsyncConnection, handling: Handling, key: str | None, taken: _Taken
    ) -> None:
        consumer = handling.subscription.name
        if self._stopping.is_set():  # since this transaction had to wait for its turn
            return
        if key is None:
            taken.row = await self._database.take_due(tx, consumer)
        else:
            taken.row = await self._database.take_next(tx, consumer, key)
        if taken.row is None:
            return
        self._found.set()
        handling.flow.rate.take()
        try:
            # A savepoint, because the lock on the row must outlive the failure of its handler:
            # without it the next worker would try the event again before it is postponed.
            async with tx.begin_nested():
                taken.outgoing = await self._attempt(tx, handling, taken.row)
        except Exception as error:
            if self._database.is_outage(error) or tx.invalidated:
                raise
            await self._failed(tx, handling, taken, error)

    async def _attempt(
        self, tx: AsyncConnection, handling: Handling, row: ParkedRow
    ) -> Sequence[OutboxRow]:
        work = handling.read_parked(row)
        outgoing: Sequence[OutboxRow] = ()
        consumer, within = handling.subscription.name, handling.patience
        new = await self._database.claim(tx, consumer, [work.id], within=within)
        if new:
            outgoing = await handling.run(tx, work)
            handling.flow.breaker.handled()
        await self._database.unpark(tx, row.seq)
        if outgoing:
            await self._database.add_to_outbox(tx, outgoing)
        _log.debug("consumer.handled" if new else "consumer.duplicate", **work.fields, parked=True)
        return outgoing

    async def _failed(
        self, tx: AsyncConnection, handling: Handling, taken: _Taken, error: Exception
    ) -> None:
        """Write down what comes of a failed attempt; its work is rolled back."""
        if taken.row is None:
            return
        row, work = taken.row, handling.read_parked(taken.row)
        if handling.flow.breaker.failed(work.key, error):
            taken.row, taken.outgoing = None, ()  # as if it had not been taken
            return
        verdict = judge(error, handling.subscription.retry, row.attempts + 1, in_lane=False)
        taken.verdict, taken.outgoing = verdict, ()
        handling.report(work, verdict, error)
        if verdict.action == "skip":
            await self._database.claim(tx, handling.subscription.name, [work.id])
            await self._database.unpark(tx, row.seq)
            return
        delay = None if verdict.action == "dead" else verdict.delay
        await self._database.postpone(
            tx, row.seq, error=verdict.error, reason=verdict.reason, delay=delay
        )
