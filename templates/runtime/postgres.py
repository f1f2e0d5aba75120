"""The runtime's statements for PostgreSQL, through SQLAlchemy's connection on asyncpg.

They are sent as they stand, with arrays for sets, so that each is one prepared statement whatever
the size of the batch. They run on the same `AsyncConnection` as the service's own work: asyncpg's
connection beneath it knows of no transaction until SQLAlchemy has begun one.
"""

# ruff: noqa: S608  - statements are put together from constants alone; values are parameters
from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from hashlib import blake2b
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
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
from .tasks import first

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

_NOW = "clock_timestamp()"  # the time of the statement; now() is that of the transaction
# The server ends a transaction of which it hears nothing for so long, as that of a machine that is
# paused or gone: another process waits for the same rows.
_LIMITED = """
CASE WHEN {0}::text IS NULL THEN true
  ELSE set_config('idle_in_transaction_session_timeout', {0}::text, true) IS NOT NULL END
"""
_CALLS = "eventgen_outbox"  # the channel on which relays are called
_PENDING = PENDING.replace("headers", "headers::text")
_PARKED = PARKED.replace("headers", "headers::text")

_LOCK_KEYS = "SELECT pg_advisory_xact_lock(key) FROM unnest($1::bigint[]) AS key"
_ADD_TO_OUTBOX = """
INSERT INTO outbox (lane, event_id, type, destination, key, headers, body)
SELECT lane, event_id, type, destination, key, headers::jsonb, body
FROM unnest($1::smallint[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bytea[])
     WITH ORDINALITY AS new (lane, event_id, type, destination, key, headers, body, place)
ORDER BY place
"""

_SIGN_IN = f"""
INSERT INTO outbox_relay (owner, lease_until) VALUES ($1, {_NOW} + make_interval(secs => $2))
ON CONFLICT (owner) DO UPDATE SET lease_until = excluded.lease_until
"""
_FORGET_RELAYS = f"DELETE FROM outbox_relay WHERE lease_until <= {_NOW}"
_COUNT_RELAYS = "SELECT count(*) FROM outbox_relay"
_RENEW_LANES = f"""
UPDATE outbox_lane SET lease_until = {_NOW} + make_interval(secs => $2)
WHERE owner = $1 AND lease_until > {_NOW} RETURNING lane
"""
_GIVE_LANES = """
UPDATE outbox_lane SET owner = NULL, lease_until = '-infinity'
WHERE owner = $1 AND lane = ANY($2::smallint[])
"""
_TAKE_LANES = f"""
WITH free AS (
  SELECT lane FROM outbox_lane WHERE lease_until <= {_NOW}
  ORDER BY random() LIMIT $3 FOR UPDATE SKIP LOCKED
)
UPDATE outbox_lane l SET owner = $1, lease_until = {_NOW} + make_interval(secs => $2)
FROM free WHERE l.lane = free.lane RETURNING l.lane
"""
_RELEASE_LANES = """
UPDATE outbox_lane SET owner = NULL, lease_until = '-infinity' WHERE owner = $1
"""
_SIGN_OUT = "DELETE FROM outbox_relay WHERE owner = $1"

# Along the primary key, whatever the statistics say: they are of some minutes ago, when the outbox
# was empty, and a plan that reads and sorts all of it took ten times as long with 50,000 rows.
_ALONG_IDS = "SET LOCAL enable_sort = off"
# No more than weighs so much together, but one row in any case. The size of a body is known without
# reading it. Nested, so that the planner sees that nothing needs sorting.
_SELECT_PENDING = f"""
SELECT {_PENDING} FROM outbox WHERE id = ANY(ARRAY(
  SELECT id FROM (
    SELECT id, sum(size) OVER (ORDER BY id) - size AS before FROM (
      SELECT id, octet_length(body) AS size FROM outbox o
      WHERE lane = ANY($1::smallint[]) AND status = 'pending'
        AND (key IS NULL OR key <> ALL($3::text[])) AND id <> ALL($4::bigint[])
        AND NOT EXISTS (
          SELECT 1 FROM outbox p WHERE p.key = o.key AND p.id < o.id AND p.status = 'poison'
        )
      ORDER BY id LIMIT $2) AS next) AS weighed
  WHERE before < $5))
ORDER BY id
"""
_DELETE_SENT = "DELETE FROM outbox WHERE id = ANY($1::bigint[])"
_KEEP_SENT = f"""
WITH gone AS ({_DELETE_SENT} RETURNING {ARCHIVED})
INSERT INTO outbox_sent ({ARCHIVED}) SELECT {ARCHIVED} FROM gone ON CONFLICT (event_id) DO NOTHING
"""
_FORGET_SENT = f"""
DELETE FROM outbox_sent WHERE event_id IN (
  SELECT event_id FROM outbox_sent WHERE sent_at < {_NOW} - make_interval(secs => $1)
  ORDER BY sent_at LIMIT $2
) RETURNING 1
"""
_MARK_FAILED = """
UPDATE outbox SET attempts = attempts + 1, last_error = $2,
  status = CASE WHEN attempts + 1 >= $3 THEN 'poison' ELSE 'pending' END
WHERE id = $1 RETURNING status
"""

_SEEN = f"""
SELECT event_id, NULL AS key FROM inbox WHERE consumer = $1 AND event_id = ANY($2::uuid[])
UNION ALL
SELECT event_id, NULL FROM parked WHERE consumer = $1 AND event_id = ANY($2::uuid[])
UNION ALL
SELECT DISTINCT NULL::uuid, key FROM parked WHERE consumer = $1 AND key = ANY($3::text[])
UNION ALL
SELECT NULL, NULL WHERE NOT {_LIMITED.format("$4")}
"""
_CLAIM = f"""
INSERT INTO inbox (consumer, event_id) SELECT $1, id FROM unnest($2::uuid[]) AS id
WHERE {_LIMITED.format("$3")}
ON CONFLICT DO NOTHING RETURNING event_id
"""
_FORGET_INBOX = f"""
DELETE FROM inbox WHERE (consumer, event_id) IN (
  SELECT consumer, event_id FROM inbox WHERE handled_at < {_NOW} - make_interval(secs => $1)
  ORDER BY handled_at LIMIT $2
) RETURNING 1
"""

_PARK = f"""
INSERT INTO parked (consumer, event_id, key, type, headers, body, origin, status, reason, error,
                    attempts, next_at)
SELECT $1, event_id, key, type, headers::jsonb, body, origin, status, reason, error, attempts,
       {_NOW} + make_interval(secs => delay)
FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::text[], $8::text[],
            $9::text[], $10::text[], $11::int[], $12::float8[]) WITH ORDINALITY
     AS new (event_id, key, type, headers, body, origin, status, reason, error, attempts, delay,
             place)
WHERE NOT EXISTS (SELECT 1 FROM inbox i WHERE i.consumer = $1 AND i.event_id = new.event_id)
ORDER BY place
ON CONFLICT (consumer, event_id) DO NOTHING
"""
# Two questions, so that neither reads the many rows that may wait behind a blocked key: the first
# goes through an index by time, the second from key to key.
_TAKE_DUE_RETRY = f"""
SELECT {_PARKED} FROM parked p
WHERE consumer = $1 AND status = 'retry' AND next_at <= {_NOW}
  AND NOT EXISTS (
    SELECT 1 FROM parked e WHERE e.consumer = p.consumer AND e.key = p.key AND e.seq < p.seq
  )
ORDER BY next_at LIMIT 1 FOR UPDATE OF p SKIP LOCKED
"""
_TAKE_WAITING_HEAD = f"""
WITH RECURSIVE waiting AS (
  SELECT min(key) AS key FROM parked WHERE consumer = $1 AND status = 'waiting'
  UNION ALL
  SELECT (SELECT min(p.key) FROM parked p
          WHERE p.consumer = $1 AND p.status = 'waiting' AND p.key > w.key)
  FROM waiting w WHERE w.key IS NOT NULL
), heads AS (
  SELECT (SELECT min(p.seq) FROM parked p WHERE p.consumer = $1 AND p.key = w.key) AS seq
  FROM waiting w WHERE w.key IS NOT NULL
)
SELECT {_PARKED} FROM parked p
WHERE seq IN (SELECT seq FROM heads) AND status = 'waiting'
ORDER BY seq LIMIT 1 FOR UPDATE OF p SKIP LOCKED
"""
_TAKE_NEXT = f"""
SELECT {_PARKED} FROM parked p
WHERE seq = (SELECT min(seq) FROM parked WHERE consumer = $1 AND key = $2)
  AND (status = 'waiting' OR status = 'retry' AND next_at <= {_NOW})
FOR UPDATE OF p SKIP LOCKED
"""
_POSTPONE = f"""
UPDATE parked SET attempts = attempts + 1, error = $2, reason = $3,
  status = CASE WHEN $4::float8 IS NULL THEN 'dead' ELSE 'retry' END,
  next_at = {_NOW} + make_interval(secs => coalesce($4::float8, 0))
WHERE seq = $1
"""
_LIST_PARKED = f"""
SELECT {_PARKED} FROM parked
WHERE ($1::text IS NULL OR consumer = $1) AND ($2::text IS NULL OR status = $2)
ORDER BY seq LIMIT $3
"""

# SQLSTATE classes and codes of a server that went away, gave way, or is short of something.
_OUTAGE_CLASSES = ("08", "53", "57P")
_OUTAGE_CODES = ("40001", "40P01", "25006")  # serialization, deadlock, a standby that is read-only


class PostgresDatabase:
    """A `Database` on PostgreSQL 13 or later."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        """`url` is `postgresql://user:password@host/name`; connects when first used."""
        self._caller = uuid4().hex  # so that a process does not hear itself
        self._engine = create_async_engine(
            make_url(url).set(drivername="postgresql+asyncpg"),
            pool_size=pool_size,
            # For listening, health checks and commands while every lane has a connection.
            max_overflow=5,
            pool_timeout=30,
            pool_use_lifo=True,
            connect_args={"timeout": 10},
        )

    @property
    def engine(self) -> AsyncEngine:
        """The engine, for the service's own use too."""
        return self._engine

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that commits on success and rolls back on any exception."""
        async with AsyncExitStack() as stack:
            try:
                connection = await stack.enter_async_context(self._engine.connect())
            except (OSError, SQLAlchemyError) as error:
                if isinstance(error, OSError | PoolTimeoutError) or self.is_outage(error):
                    raise Unreachable(f"no connection to PostgreSQL: {error}") from error
                raise
            await stack.enter_async_context(connection.begin())
            yield connection

    def reading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """The same: readers wait for nobody here."""
        return self.transaction()

    def is_outage(self, error: BaseException) -> bool:
        """Whether the database was unreachable or gave way."""
        for cause in causes(error):
            if isinstance(cause, Unreachable):
                return True
            if isinstance(cause, DBAPIError) and cause.connection_invalidated:
                return True
            state = getattr(cause, "sqlstate", None)
            if isinstance(state, str) and (
                state.startswith(_OUTAGE_CLASSES) or state in _OUTAGE_CODES
            ):
                return True
        return False

    async def healthy(self) -> bool:
        """Whether the database answers within two seconds."""
        try:
            async with asyncio.timeout(2):
                await self._rows("SELECT 1")
        except (OSError, SQLAlchemyError, Unreachable):
            return False
        return True

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    async def _rows(self, statement: str, *values: Any) -> Sequence[Any]:
        """The rows of one statement in a transaction of its own."""
        async with self.transaction() as tx:
            return await _all(tx, statement, *values)

    # outbox -----------------------------------------------------------------------------------

    async def add_to_outbox(self, tx: AsyncConnection, rows: Sequence[OutboxRow]) -> None:
        """Write events, the locks on their keys first; the last statement of a transaction."""
        if not rows:
            return
        columns = list(zip(*(outbox_values(row) for row in rows), strict=True))
        keys = {key for key in columns[4] if key is not None}
        if keys:
            # Without the locks, ids of one key could be committed in another order than they were
            # given out; the relay would not see the late one in time. Sorted: no deadlock.
            await tx.exec_driver_sql(_LOCK_KEYS, (sorted(map(_lock, keys)),))
        await tx.exec_driver_sql(_ADD_TO_OUTBOX, tuple(map(list, columns)))

    async def lease_lanes(self, owner: UUID, seconds: float, most: int) -> Sequence[int]:
        """Renew this relay's leases, up to its fair share of lanes; what it holds now."""
        async with self.transaction() as tx:
            await _all(tx, _SIGN_IN, owner, seconds)
            await _all(tx, _FORGET_RELAYS)
            relays = (await _all(tx, _COUNT_RELAYS))[0][0]
            share = min(most, -(-LANES // relays))
            lanes = sorted(row.lane for row in await _all(tx, _RENEW_LANES, owner, seconds))
            if len(lanes) > share:
                await _all(tx, _GIVE_LANES, owner, lanes[share:])
            elif len(lanes) < share:
                taken = await _all(tx, _TAKE_LANES, owner, seconds, share - len(lanes))
                lanes += [row.lane for row in taken]
        return lanes[:share]

    async def release_lanes(self, owner: UUID) -> None:
        """Give the leases back, so that a successor starts at once."""
        async with self.transaction() as tx:
            await _all(tx, _RELEASE_LANES, owner)
            await _all(tx, _SIGN_OUT, owner)

    async def pending(
        self,
        lanes: Sequence[int],
        limit: int,
        skip_keys: Sequence[str] = (),
        skip_ids: Sequence[int] = (),
    ) -> Sequence[PendingRow]:
        """The oldest rows of these lanes, in order, but for the skipped and the blocked."""
        values = (list(lanes), limit, list(skip_keys), list(skip_ids), PENDING_BYTES)
        async with self.transaction() as tx:
            await _all(tx, _ALONG_IDS)
            return [pending_row(row) for row in await _all(tx, _SELECT_PENDING, *values)]

    async def call_relays(self) -> None:
        """Tell the relays of other processes that there is something new."""
        await self._rows("SELECT pg_notify($1, $2)", _CALLS, self._caller)

    async def hear_calls(self, heard: Callable[[], None], stopping: asyncio.Event) -> None:
        """Call `heard` whenever another process calls; returns when `stopping`, or cut off."""
        cut = asyncio.Event()

        def called(_connection: Any, _process: int, _channel: str, caller: object) -> None:
            if caller != self._caller:
                heard()

        async with self._engine.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None
            driver.add_termination_listener(lambda _: cut.set())
            try:
                await driver.add_listener(_CALLS, called)
                await first(stopping, cut)
            finally:
                await connection.invalidate()  # nobody else shall have one that listens

    async def mark_sent(self, ids: Sequence[int], *, keep: bool = False) -> None:
        """These rows are on the broker: delete them, or move them to the archive."""
        await self._rows(_KEEP_SENT if keep else _DELETE_SENT, list(ids))

    async def forget_sent(self, older_than: float, batch: int) -> int:
        """Delete up to `batch` archived rows sent more than so many seconds ago; how many."""
        return len(await self._rows(_FORGET_SENT, older_than, batch))

    async def mark_failed(self, id_: int, error: str, *, poison_after: int) -> bool:
        """Count a permanent failure; True when the row has become poison and blocks its key."""
        rows = await self._rows(_MARK_FAILED, id_, clean(error), poison_after)
        return bool(rows) and rows[0].status == "poison"

    async def list_outbox(self, limit: int) -> Sequence[PendingRow]:
        """The oldest rows that wait, poison ones included."""
        rows = await self._rows(f"SELECT {_PENDING} FROM outbox ORDER BY id LIMIT $1", limit)
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
        stored = {key: short_key(key) for key in keys}
        arrays = list(ids), list(stored.values())
        rows = await _all(tx, _SEEN, consumer, *arrays, _milliseconds(within))
        blocked = {row.key for row in rows if row.key is not None}
        return Seen(
            handled=frozenset(row.event_id for row in rows if row.event_id is not None),
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
        # Sorted: two transactions that claim the same ids wait for each other, never in a circle.
        new = await _all(tx, _CLAIM, consumer, sorted(ids), _milliseconds(within))
        return frozenset(row.event_id for row in new)

    async def forget_inbox(self, older_than: float, batch: int) -> int:
        """Delete up to `batch` ids handled more than so many seconds ago; how many were deleted."""
        return len(await self._rows(_FORGET_INBOX, older_than, batch))

    # parked and dead letters --------------------------------------------------------------------

    async def park(self, tx: AsyncConnection, consumer: str, events: Sequence[Parking]) -> None:
        """Park events, in order. One already handled or parked is left as it is."""
        if events:
            columns = zip(*map(_parking_values, events), strict=True)
            await _all(tx, _PARK, consumer, *map(list, columns))

    async def take_due(self, tx: AsyncConnection, consumer: str) -> ParkedRow | None:
        """Lock the first event of some key that is due for a retry and nobody else works on."""
        rows = await _all(tx, _TAKE_DUE_RETRY, consumer)
        rows = rows or await _all(tx, _TAKE_WAITING_HEAD, consumer)
        return parked_row(rows[0]) if rows else None

    async def take_next(self, tx: AsyncConnection, consumer: str, key: str) -> ParkedRow | None:
        """Lock the first event of this key, if it is waiting or due and nobody else works on it."""
        rows = await _all(tx, _TAKE_NEXT, consumer, short_key(key))
        return parked_row(rows[0]) if rows else None

    async def unpark(self, tx: AsyncConnection, seq: int) -> None:
        """The event was handled, or is not needed: forget it."""
        await _all(tx, "DELETE FROM parked WHERE seq = $1", seq)

    async def postpone(
        self, tx: AsyncConnection, seq: int, *, error: str, reason: str, delay: float | None
    ) -> None:
        """One more failed attempt: due again in `delay` seconds; None makes it a dead letter."""
        await _all(tx, _POSTPONE, seq, clean(error), clean(reason), delay)

    async def list_parked(
        self, consumer: str | None, status: ParkedStatus | None, limit: int
    ) -> Sequence[ParkedRow]:
        """Parked events in order; `status="dead"` lists the dead letters."""
        return [parked_row(r) for r in await self._rows(_LIST_PARKED, consumer, status, limit)]


async def _all(tx: AsyncConnection, statement: str, *values: Any) -> Sequence[Any]:
    result = await tx.exec_driver_sql(statement, values or None)
    return result.all() if result.returns_rows else ()


def _milliseconds(seconds: float | None) -> str | None:
    return None if seconds is None else f"{seconds * 1000:.0f}ms"


def _lock(key: str) -> int:
    """A key's advisory lock; `person` keeps it apart from locks the service takes itself."""
    digest = blake2b(key.encode(), digest_size=8, person=b"eventgen.outbox").digest()
    return int.from_bytes(digest, signed=True)


def _parking_values(event: Parking) -> tuple[Any, ...]:
    """The columns of `_PARK`, from $2 on."""
    return (
        event.event_id,
        short_key(event.key),
        clean(event.type),
        headers_json(event.headers),
        event.body,
        clean(event.origin),
        event.status,
        clean(event.reason),
        clean(event.error),
        event.attempts,
        event.delay,
    )
