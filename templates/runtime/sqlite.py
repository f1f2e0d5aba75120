"""The runtime on SQLite, through SQLAlchemy's connection on aiosqlite.

SQLite has one writer at a time. Every transaction here is one from its first statement on (BEGIN
IMMEDIATE), and they take turns in the process, so that none fails half-way because another was
faster. What only reads does not wait.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Connection, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from . import sqlite_sql as sql
from .database import LANES, OutboxRow, ParkedRow, ParkedStatus, Parking, PendingRow, Seen
from .dialect import (
    PENDING_BYTES,
    Unreachable,
    causes,
    clean,
    headers_json,
    outbox_values,
    parked_row,
    pending_row,
    short_key,
)
from .errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

_BUSY_SECONDS = 5  # that a transaction waits for another process's
_PRAGMAS = (
    f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # a commit survives the loss of power
    "PRAGMA foreign_keys = ON",
)

_OUTAGES = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_IOERR", "SQLITE_FULL", "SQLITE_CANTOPEN")


class SqliteDatabase:
    """A `Database` on SQLite 3.35 or later, for one machine: a laptop, a test, a small service."""

    budget = 0.02  # meanwhile nobody else writes

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        """`url` is `sqlite:///path`, a file in a folder that exists; opened when first used."""
        path = make_url(url).database
        if not path or path == ":memory:":
            raise ConfigurationError("a SQLite database must be a file: sqlite:///orders.db")
        if not Path(path).resolve().parent.is_dir():
            raise ConfigurationError(f"the folder of the SQLite database {path} does not exist")
        self._engine = create_async_engine(
            make_url(url).set(drivername="sqlite+aiosqlite"), pool_size=pool_size
        )
        event.listen(self._engine.sync_engine, "connect", _prepare)
        event.listen(self._engine.sync_engine, "begin", _begin)
        event.listen(self._engine.sync_engine, "invalidate", _roll_back)
        self._turn = asyncio.Lock()
        self._writer: asyncio.Task[Any] | None = None

    @property
    def engine(self) -> AsyncEngine:
        """The engine, for the service's own use too."""
        return self._engine

    @asynccontextmanager
    async def transaction(self, *, within: float | None = None) -> AsyncIterator[AsyncConnection]:
        """A transaction that commits on success and rolls back on any exception."""
        del within  # no server could end what stands still
        if self._turn.locked() and self._writer is asyncio.current_task():
            raise RuntimeError(
                "this task has a transaction open already, and SQLite has one writer: use the"
                " session you were given, or begin after it has ended"
            )
        async with self._turn:
            self._writer = asyncio.current_task()
            async with self._engine.connect() as connection, connection.begin():
                yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that sees what is committed and waits for nobody; it must not write."""
        async with self._engine.connect() as connection:
            await connection.execution_options(eventgen_reading=True)
            async with connection.begin():
                yield connection

    def is_outage(self, error: BaseException) -> bool:
        """Whether the file was busy too long, or cannot be read or written now."""
        for cause in causes(error):
            if isinstance(cause, Unreachable):
                return True
            if isinstance(cause, OperationalError | sqlite3.OperationalError):
                name = getattr(getattr(cause, "orig", cause), "sqlite_errorname", "")
                if name.startswith(_OUTAGES):
                    return True
        return False

    async def healthy(self) -> bool:
        """Whether the database answers within two seconds."""
        try:
            async with asyncio.timeout(2):
                await self._read("SELECT 1")
        except (OSError, SQLAlchemyError):
            return False
        return True

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    async def _read(self, statement: str, *values: Any) -> Sequence[Any]:
        async with self.reading() as tx:
            return await _all(tx, statement, *values)

    async def _write(self, statement: str, *values: Any) -> Sequence[Any]:
        async with self.transaction() as tx:
            return await _all(tx, statement, *values)

    # outbox -----------------------------------------------------------------------------------

    async def add_to_outbox(self, tx: AsyncConnection, rows: Sequence[OutboxRow]) -> None:
        """Write events. With one writer, the order of ids is the order of commits."""
        if rows:
            values = map(outbox_values, rows)
            await tx.exec_driver_sql(sql.ADD_TO_OUTBOX, [(v[0], str(v[1]), *v[2:]) for v in values])

    async def lease_lanes(self, owner: UUID, seconds: float, most: int) -> Sequence[int]:
        """Renew this relay's leases, up to its fair share of lanes; what it holds now."""
        me, until = str(owner), _seconds(seconds)
        async with self.transaction() as tx:
            await _all(tx, sql.SIGN_IN, me, until)
            await _all(tx, sql.FORGET_RELAYS)
            relays = (await _all(tx, sql.COUNT_RELAYS))[0][0]
            share = min(most, -(-LANES // relays))
            lanes = sorted(row.lane for row in await _all(tx, sql.RENEW_LANES, until, me))
            if len(lanes) > share:
                await _all(tx, sql.GIVE_LANES, me, json.dumps(lanes[share:]))
            elif len(lanes) < share:
                taken = await _all(tx, sql.TAKE_LANES, me, until, share - len(lanes))
                lanes += [row.lane for row in taken]
        return lanes[:share]

    async def release_lanes(self, owner: UUID) -> None:
        """Give the leases back, so that a successor starts at once."""
        async with self.transaction() as tx:
            await _all(tx, sql.RELEASE_LANES, str(owner))
            await _all(tx, sql.SIGN_OUT, str(owner))

    async def pending(
        self,
        lanes: Sequence[int],
        limit: int,
        skip_keys: Sequence[str] = (),
        skip_ids: Sequence[int] = (),
    ) -> Sequence[PendingRow]:
        """The oldest rows of these lanes, in order, but for the skipped and the blocked."""
        sets = [json.dumps(list(values)) for values in (lanes, skip_keys, skip_ids)]
        rows = await self._read(sql.SELECT_PENDING, *sets, limit, PENDING_BYTES)
        return [pending_row(row) for row in rows]

    async def call_relays(self) -> None:
        """Nobody is called: relays of other processes look by themselves."""

    async def hear_calls(self, heard: Callable[[], None], stopping: asyncio.Event) -> None:  # noqa: ARG002
        """There is nothing to hear."""
        await stopping.wait()

    async def mark_sent(self, ids: Sequence[int], *, keep: bool = False) -> None:
        """These rows are on the broker: delete them, or move them to the archive."""
        chosen = json.dumps(list(ids))
        async with self.transaction() as tx:
            if keep:
                await _all(tx, sql.KEEP_SENT, chosen)
            await _all(tx, sql.DELETE_SENT, chosen)

    async def forget_sent(self, older_than: float, batch: int) -> int:
        """Delete up to `batch` archived rows sent more than so many seconds ago; how many."""
        return len(await self._write(sql.FORGET_SENT, _seconds(-older_than), batch))

    async def mark_failed(self, id_: int, error: str, *, poison_after: int) -> bool:
        """Count a permanent failure; True when the row has become poison and blocks its key."""
        rows = await self._write(sql.MARK_FAILED, clean(error), poison_after, id_)
        return bool(rows) and rows[0].status == "poison"

    async def list_outbox(self, limit: int) -> Sequence[PendingRow]:
        """The oldest rows that wait, poison ones included."""
        rows = await self._read(sql.LIST_OUTBOX, limit)
        return [pending_row(row) for row in rows]

    # inbox ------------------------------------------------------------------------------------

    async def seen(
        self,
        tx: AsyncConnection,
        consumer: str,
        ids: Sequence[UUID],
        keys: Sequence[str],
        *,
        within: float | None = None,
    ) -> Seen:
        """Which of these events were handled or parked, and which keys must wait."""
        del within
        stored = {key: short_key(key) for key in keys}
        rows = await _all(tx, sql.SEEN, consumer, _texts(ids), _texts(stored.values()))
        blocked = {row.key for row in rows if row.key is not None}
        return Seen(
            handled=frozenset(UUID(row.event_id) for row in rows if row.event_id is not None),
            blocked=frozenset(key for key in keys if stored[key] in blocked),
        )

    async def claim(
        self,
        tx: AsyncConnection,
        consumer: str,
        ids: Sequence[UUID],
        *,
        within: float | None = None,
    ) -> frozenset[UUID]:
        """Write ids to the inbox; those that were new."""
        del within
        return frozenset(UUID(r.event_id) for r in await _all(tx, sql.CLAIM, consumer, _texts(ids)))

    async def forget_inbox(self, older_than: float, batch: int) -> int:
        """Delete up to `batch` ids handled more than so many seconds ago; how many were deleted."""
        return len(await self._write(sql.FORGET_INBOX, _seconds(-older_than), batch))

    # parked and dead letters --------------------------------------------------------------------

    async def park(self, tx: AsyncConnection, consumer: str, events: Sequence[Parking]) -> None:
        """Park events, in order. One already handled or parked is left as it is."""
        if events:
            await tx.exec_driver_sql(sql.PARK, [_parking_values(consumer, e) for e in events])

    async def take_due(self, tx: AsyncConnection, consumer: str) -> ParkedRow | None:
        """The first event of some key that is due; this transaction is the only one."""
        rows = await _all(tx, sql.TAKE_DUE, consumer)
        return parked_row(rows[0]) if rows else None

    async def take_next(self, tx: AsyncConnection, consumer: str, key: str) -> ParkedRow | None:
        """The first event of this key, if it is waiting or due."""
        rows = await _all(tx, sql.TAKE_NEXT, consumer, short_key(key))
        return parked_row(rows[0]) if rows else None

    async def unpark(self, tx: AsyncConnection, seq: int) -> None:
        """The event was handled, or is not needed: forget it."""
        await _all(tx, "DELETE FROM parked WHERE seq = ?", seq)

    async def postpone(
        self, tx: AsyncConnection, seq: int, *, error: str, reason: str, delay: float | None
    ) -> None:
        """One more failed attempt: due again in `delay` seconds; None makes it a dead letter."""
        status = "dead" if delay is None else "retry"
        await _all(
            tx, sql.POSTPONE, clean(error), clean(reason), status, _seconds(delay or 0.0), seq
        )

    async def list_parked(
        self, consumer: str | None, status: ParkedStatus | None, limit: int
    ) -> Sequence[ParkedRow]:
        """Parked events in order; `status="dead"` lists the dead letters."""
        return [parked_row(r) for r in await self._read(sql.LIST_PARKED, consumer, status, limit)]


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # or the driver begins transactions of its own
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin(connection: Connection) -> None:
    reading = connection.get_execution_options().get("eventgen_reading")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _roll_back(connection: Any, _record: object, _error: BaseException | None) -> None:
    """End the transaction of a connection that is given up, as when its task is cancelled.

    Closing it does not: SQLite keeps it, and its lock, as long as a statement with rows to give
    (RETURNING) is in somebody's memory (https://sqlite.org/c3ref/close.html).
    """
    with suppress(Exception):  # there may be none, or no connection any more
        connection.run_async(lambda driver: driver.rollback())


async def _all(tx: AsyncConnection, statement: str, *values: Any) -> Sequence[Any]:
    result = await tx.exec_driver_sql(statement, values or None)
    return result.all() if result.returns_rows else ()


def _texts(values: Iterable[object]) -> str:
    return json.dumps([str(value) for value in values])


def _seconds(value: float) -> str:
    """A number of seconds as SQLite's date functions read it; no exponent."""
    return f"{value:.3f}"


def _parking_values(consumer: str, event: Parking) -> tuple[Any, ...]:
    return (
        consumer,
        str(event.event_id),
        short_key(event.key),
        clean(event.type),
        headers_json(event.headers),
        event.body,
        clean(event.origin),
        event.status,
        clean(event.reason),
        clean(event.error),
        event.attempts,
        _seconds(event.delay),
        consumer,
        str(event.event_id),
    )
