"""The runtime on PostgreSQL, through SQLAlchemy's connection on asyncpg.

Its statements run on the same `AsyncConnection` as the service's own work: asyncpg's connection
beneath it knows of no transaction until SQLAlchemy has begun one.
"""

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

from . import postgres_sql as sql
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
from .tasks import first

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

# SQLSTATE classes and codes of a server that went away, gave way, or is short of something.
_OUTAGE_CLASSES = ("08", "53", "57P")
_OUTAGE_CODES = ("40001", "40P01", "25006")  # serialization, deadlock, a standby that is read-only


class PostgresDatabase:
    """A `Database` on PostgreSQL 13 or later."""

    # A quick handler's time is mostly its wait among the lanes: with 20 ms, a busy machine has
    # batches of 5 to 13 events, with this of 40.
    budget = 0.1

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
    async def transaction(self, *, within: float | None = None) -> AsyncIterator[AsyncConnection]:
        """A transaction that commits on success and rolls back on any exception."""
        async with AsyncExitStack() as stack:
            try:
                connection = await stack.enter_async_context(self._engine.connect())
            except (OSError, SQLAlchemyError) as error:
                if isinstance(error, OSError | PoolTimeoutError) or self.is_outage(error):
                    raise Unreachable(f"no connection to PostgreSQL: {error}") from error
                raise
            await stack.enter_async_context(connection.begin())
            if within is not None:
                await _all(connection, sql.LIMIT, _milliseconds(within))
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
            await tx.exec_driver_sql(sql.LOCK_KEYS, (sorted(map(_lock, keys)),))
        await tx.exec_driver_sql(sql.ADD_TO_OUTBOX, tuple(map(list, columns)))

    async def lease_lanes(self, owner: UUID, seconds: float, most: int) -> Sequence[int]:
        """Renew this relay's leases, up to its fair share of lanes; what it holds now."""
        async with self.transaction() as tx:
            await _all(tx, sql.SIGN_IN, owner, seconds)
            await _all(tx, sql.FORGET_RELAYS)
            relays = (await _all(tx, sql.COUNT_RELAYS))[0][0]
            share = min(most, -(-LANES // relays))
            lanes = sorted(row.lane for row in await _all(tx, sql.RENEW_LANES, owner, seconds))
            if len(lanes) > share:
                await _all(tx, sql.GIVE_LANES, owner, lanes[share:])
            elif len(lanes) < share:
                taken = await _all(tx, sql.TAKE_LANES, owner, seconds, share - len(lanes))
                lanes += [row.lane for row in taken]
        return lanes[:share]

    async def release_lanes(self, owner: UUID) -> None:
        """Give the leases back, so that a successor starts at once."""
        async with self.transaction() as tx:
            await _all(tx, sql.RELEASE_LANES, owner)
            await _all(tx, sql.SIGN_OUT, owner)

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
            await _all(tx, sql.ALONG_IDS)
            return [pending_row(row) for row in await _all(tx, sql.SELECT_PENDING, *values)]

    async def call_relays(self) -> None:
        """Tell the relays of other processes that there is something new."""
        await self._rows("SELECT pg_notify($1, $2)", sql.CALLS, self._caller)

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
                await driver.add_listener(sql.CALLS, called)
                await first(stopping, cut)
            finally:
                await connection.invalidate()  # nobody else shall have one that listens

    async def mark_sent(self, ids: Sequence[int], *, keep: bool = False) -> None:
        """These rows are on the broker: delete them, or move them to the archive."""
        await self._rows(sql.KEEP_SENT if keep else sql.DELETE_SENT, list(ids))

    async def forget_sent(self, older_than: float, batch: int) -> int:
        """Delete up to `batch` archived rows sent more than so many seconds ago; how many."""
        return len(await self._rows(sql.FORGET_SENT, older_than, batch))

    async def mark_failed(self, id_: int, error: str, *, poison_after: int) -> bool:
        """Count a permanent failure; True when the row has become poison and blocks its key."""
        rows = await self._rows(sql.MARK_FAILED, id_, clean(error), poison_after)
        return bool(rows) and rows[0].status == "poison"

    async def list_outbox(self, limit: int) -> Sequence[PendingRow]:
        """The oldest rows that wait, poison ones included."""
        rows = await self._rows(sql.LIST_OUTBOX, limit)
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
        rows = await _all(tx, sql.SEEN, consumer, *arrays, _milliseconds(within))
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
        new = await _all(tx, sql.CLAIM, consumer, sorted(ids), _milliseconds(within))
        return frozenset(row.event_id for row in new)

    async def forget_inbox(self, older_than: float, batch: int) -> int:
        """Delete up to `batch` ids handled more than so many seconds ago; how many were deleted."""
        return len(await self._rows(sql.FORGET_INBOX, older_than, batch))

    # parked and dead letters --------------------------------------------------------------------

    async def park(self, tx: AsyncConnection, consumer: str, events: Sequence[Parking]) -> None:
        """Park events, in order. One already handled or parked is left as it is."""
        if events:
            columns = zip(*map(_parking_values, events), strict=True)
            await _all(tx, sql.PARK, consumer, *map(list, columns))

    async def take_due(self, tx: AsyncConnection, consumer: str) -> ParkedRow | None:
        """Lock the first event of some key that is due for a retry and nobody else works on."""
        rows = await _all(tx, sql.TAKE_DUE_RETRY, consumer)
        rows = rows or await _all(tx, sql.TAKE_WAITING_HEAD, consumer)
        return parked_row(rows[0]) if rows else None

    async def take_next(self, tx: AsyncConnection, consumer: str, key: str) -> ParkedRow | None:
        """Lock the first event of this key, if it is waiting or due and nobody else works on it."""
        rows = await _all(tx, sql.TAKE_NEXT, consumer, short_key(key))
        return parked_row(rows[0]) if rows else None

    async def unpark(self, tx: AsyncConnection, seq: int) -> None:
        """The event was handled, or is not needed: forget it."""
        await _all(tx, "DELETE FROM parked WHERE seq = $1", seq)

    async def postpone(
        self, tx: AsyncConnection, seq: int, *, error: str, reason: str, delay: float | None
    ) -> None:
        """One more failed attempt: due again in `delay` seconds; None makes it a dead letter."""
        await _all(tx, sql.POSTPONE, seq, clean(error), clean(reason), delay)

    async def list_parked(
        self, consumer: str | None, status: ParkedStatus | None, limit: int
    ) -> Sequence[ParkedRow]:
        """Parked events in order; `status="dead"` lists the dead letters."""
        return [parked_row(r) for r in await self._rows(sql.LIST_PARKED, consumer, status, limit)]


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
    """The columns of `sql.PARK`, from $2 on."""
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
