"""The runtime's statements for SQLite, through SQLAlchemy's connection on aiosqlite.

SQLite has one writer at a time. Every transaction here is one from its first statement on (BEGIN
IMMEDIATE), and they take turns in the process, so that none fails half-way because another was
faster. What only reads does not wait.
"""

# ruff: noqa: S608  - statements are put together from constants alone; values are parameters
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

from .database import LANES, OutboxRow, ParkedRow, ParkedStatus, Parking, PendingRow, Seen
from .dialect import (
    ARCHIVED,
    PARKED,
    PENDING,
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

_NOW = "strftime('%Y-%m-%d %H:%M:%f', 'now')"
# The parameter is a number of seconds as text.
_LATER = "strftime('%Y-%m-%d %H:%M:%f', 'now', ? || ' seconds')"

_ADD_TO_OUTBOX = """
INSERT INTO outbox (lane, event_id, type, destination, key, headers, body)
VALUES (?, ?, ?, ?, ?, ?, ?)
"""

_SIGN_IN = f"""
INSERT INTO outbox_relay (owner, lease_until) VALUES (?, {_LATER})
ON CONFLICT (owner) DO UPDATE SET lease_until = excluded.lease_until
"""
_FORGET_RELAYS = f"DELETE FROM outbox_relay WHERE lease_until <= {_NOW}"
_COUNT_RELAYS = "SELECT count(*) FROM outbox_relay"
_RENEW_LANES = f"""
UPDATE outbox_lane SET lease_until = {_LATER}
WHERE owner = ? AND lease_until > {_NOW} RETURNING lane
"""
_GIVE_LANES = """
UPDATE outbox_lane SET owner = NULL, lease_until = ''
WHERE owner = ? AND lane IN (SELECT value FROM json_each(?))
"""
_TAKE_LANES = f"""
UPDATE outbox_lane SET owner = ?, lease_until = {_LATER}
WHERE lane IN (
  SELECT lane FROM outbox_lane WHERE lease_until <= {_NOW} ORDER BY random() LIMIT ?
) RETURNING lane
"""
_RELEASE_LANES = "UPDATE outbox_lane SET owner = NULL, lease_until = '' WHERE owner = ?"
_SIGN_OUT = "DELETE FROM outbox_relay WHERE owner = ?"

# No more than weighs so much together, but one row in any case. The size of a body is known without
# reading it.
_SELECT_PENDING = f"""
SELECT {PENDING} FROM outbox WHERE id IN (
  SELECT id FROM (
    SELECT id, sum(size) OVER (ORDER BY id) - size AS before FROM (
      SELECT id, length(body) AS size FROM outbox o
      WHERE lane IN (SELECT value FROM json_each(?)) AND status = 'pending'
        AND (key IS NULL OR key NOT IN (SELECT value FROM json_each(?)))
        AND id NOT IN (SELECT value FROM json_each(?))
        AND NOT EXISTS (
          SELECT 1 FROM outbox p WHERE p.key = o.key AND p.id < o.id AND p.status = 'poison'
        )
      ORDER BY id LIMIT ?))
  WHERE before < ?)
ORDER BY id
"""
_DELETE_SENT = "DELETE FROM outbox WHERE id IN (SELECT value FROM json_each(?))"
_KEEP_SENT = f"""
INSERT INTO outbox_sent ({ARCHIVED})
SELECT {ARCHIVED} FROM outbox WHERE id IN (SELECT value FROM json_each(?))
ON CONFLICT (event_id) DO NOTHING
"""
_FORGET_SENT = f"""
DELETE FROM outbox_sent WHERE event_id IN (
  SELECT event_id FROM outbox_sent WHERE sent_at < {_LATER} ORDER BY sent_at LIMIT ?
) RETURNING 1
"""
_MARK_FAILED = """
UPDATE outbox SET attempts = attempts + 1, last_error = ?,
  status = CASE WHEN attempts + 1 >= ? THEN 'poison' ELSE 'pending' END
WHERE id = ? RETURNING status
"""

_SEEN = """
SELECT event_id, NULL AS key FROM inbox
WHERE consumer = ?1 AND event_id IN (SELECT value FROM json_each(?2))
UNION ALL
SELECT event_id, NULL FROM parked
WHERE consumer = ?1 AND event_id IN (SELECT value FROM json_each(?2))
UNION ALL
SELECT DISTINCT NULL, key FROM parked
WHERE consumer = ?1 AND key IN (SELECT value FROM json_each(?3))
"""
_CLAIM = """
INSERT INTO inbox (consumer, event_id) SELECT ?, value FROM json_each(?) WHERE true
ON CONFLICT DO NOTHING RETURNING event_id
"""
_FORGET_INBOX = """
DELETE FROM inbox WHERE (consumer, event_id) IN (
  SELECT consumer, event_id FROM inbox
  WHERE handled_at < strftime('%Y-%m-%d %H:%M:%f', 'now', ? || ' seconds')
  ORDER BY handled_at LIMIT ?
) RETURNING 1
"""

_PARK = f"""
INSERT INTO parked (consumer, event_id, key, type, headers, body, origin, status, reason, error,
                    attempts, next_at)
SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, {_LATER}
WHERE NOT EXISTS (SELECT 1 FROM inbox WHERE consumer = ? AND event_id = ?)
ON CONFLICT (consumer, event_id) DO NOTHING
"""
_TAKE_DUE = f"""
SELECT {PARKED} FROM parked p
WHERE consumer = ? AND (status = 'waiting' OR status = 'retry' AND next_at <= {_NOW})
  AND NOT EXISTS (
    SELECT 1 FROM parked e WHERE e.consumer = p.consumer AND e.key = p.key AND e.seq < p.seq
  )
ORDER BY next_at, seq LIMIT 1
"""
_TAKE_NEXT = f"""
SELECT {PARKED} FROM parked
WHERE seq = (SELECT min(seq) FROM parked WHERE consumer = ? AND key = ?)
  AND (status = 'waiting' OR status = 'retry' AND next_at <= {_NOW})
"""
_POSTPONE = f"""
UPDATE parked SET attempts = attempts + 1, error = ?, reason = ?, status = ?, next_at = {_LATER}
WHERE seq = ?
"""
_LIST_PARKED = f"""
SELECT {PARKED} FROM parked
WHERE (?1 IS NULL OR consumer = ?1) AND (?2 IS NULL OR status = ?2) ORDER BY seq LIMIT ?3
"""

_OUTAGES = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_IOERR", "SQLITE_FULL", "SQLITE_CANTOPEN")


class SqliteDatabase:
    """A `Database` on SQLite 3.35 or later, for one machine: a laptop, a test, a small service."""

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
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that commits on success and rolls back on any exception."""
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
            await tx.exec_driver_sql(_ADD_TO_OUTBOX, [(v[0], str(v[1]), *v[2:]) for v in values])

    async def lease_lanes(self, owner: UUID, seconds: float, most: int) -> Sequence[int]:
        """Renew this relay's leases, up to its fair share of lanes; what it holds now."""
        me, until = str(owner), _seconds(seconds)
        async with self.transaction() as tx:
            await _all(tx, _SIGN_IN, me, until)
            await _all(tx, _FORGET_RELAYS)
            relays = (await _all(tx, _COUNT_RELAYS))[0][0]
            share = min(most, -(-LANES // relays))
            lanes = sorted(row.lane for row in await _all(tx, _RENEW_LANES, until, me))
            if len(lanes) > share:
                await _all(tx, _GIVE_LANES, me, json.dumps(lanes[share:]))
            elif len(lanes) < share:
                taken = await _all(tx, _TAKE_LANES, me, until, share - len(lanes))
                lanes += [row.lane for row in taken]
        return lanes[:share]

    async def release_lanes(self, owner: UUID) -> None:
        """Give the leases back, so that a successor starts at once."""
        async with self.transaction() as tx:
            await _all(tx, _RELEASE_LANES, str(owner))
            await _all(tx, _SIGN_OUT, str(owner))

    async def pending(
        self,
        lanes: Sequence[int],
        limit: int,
        skip_keys: Sequence[str] = (),
        skip_ids: Sequence[int] = (),
    ) -> Sequence[PendingRow]:
        """The oldest rows of these lanes, in order, but for the skipped and the blocked."""
        sets = [json.dumps(list(values)) for values in (lanes, skip_keys, skip_ids)]
        rows = await self._read(_SELECT_PENDING, *sets, limit, PENDING_BYTES)
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
                await _all(tx, _KEEP_SENT, chosen)
            await _all(tx, _DELETE_SENT, chosen)

    async def forget_sent(self, older_than: float, batch: int) -> int:
        """Delete up to `batch` archived rows sent more than so many seconds ago; how many."""
        return len(await self._write(_FORGET_SENT, _seconds(-older_than), batch))

    async def mark_failed(self, id_: int, error: str, *, poison_after: int) -> bool:
        """Count a permanent failure; True when the row has become poison and blocks its key."""
        rows = await self._write(_MARK_FAILED, clean(error), poison_after, id_)
        return bool(rows) and rows[0].status == "poison"

    async def list_outbox(self, limit: int) -> Sequence[PendingRow]:
        """The oldest rows that wait, poison ones included."""
        rows = await self._read(f"SELECT {PENDING} FROM outbox ORDER BY id LIMIT ?", limit)
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
        rows = await _all(tx, _SEEN, consumer, _texts(ids), _texts(stored.values()))
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
        """Write ids to the inbox; those that were new. No server could end what stands still."""
        del within
        return frozenset(UUID(r.event_id) for r in await _all(tx, _CLAIM, consumer, _texts(ids)))

    async def forget_inbox(self, older_than: float, batch: int) -> int:
        """Delete up to `batch` ids handled more than so many seconds ago; how many were deleted."""
        return len(await self._write(_FORGET_INBOX, _seconds(-older_than), batch))

    # parked and dead letters --------------------------------------------------------------------

    async def park(self, tx: AsyncConnection, consumer: str, events: Sequence[Parking]) -> None:
        """Park events, in order. One already handled or parked is left as it is."""
        if events:
            await tx.exec_driver_sql(_PARK, [_parking_values(consumer, e) for e in events])

    async def take_due(self, tx: AsyncConnection, consumer: str) -> ParkedRow | None:
        """The first event of some key that is due; this transaction is the only one."""
        rows = await _all(tx, _TAKE_DUE, consumer)
        return parked_row(rows[0]) if rows else None

    async def take_next(self, tx: AsyncConnection, consumer: str, key: str) -> ParkedRow | None:
        """The first event of this key, if it is waiting or due."""
        rows = await _all(tx, _TAKE_NEXT, consumer, short_key(key))
        return parked_row(rows[0]) if rows else None

    async def unpark(self, tx: AsyncConnection, seq: int) -> None:
        """The event was handled, or is not needed: forget it."""
        await _all(tx, "DELETE FROM parked WHERE seq = ?", seq)

    async def postpone(
        self, tx: AsyncConnection, seq: int, *, error: str, reason: str, delay: float | None
    ) -> None:
        """One more failed attempt: due again in `delay` seconds; None makes it a dead letter."""
        status = "dead" if delay is None else "retry"
        await _all(tx, _POSTPONE, clean(error), clean(reason), status, _seconds(delay or 0.0), seq)

    async def list_parked(
        self, consumer: str | None, status: ParkedStatus | None, limit: int
    ) -> Sequence[ParkedRow]:
        """Parked events in order; `status="dead"` lists the dead letters."""
        return [parked_row(r) for r in await self._read(_LIST_PARKED, consumer, status, limit)]


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
