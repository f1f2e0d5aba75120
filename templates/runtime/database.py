"""The database as the runtime sees it: an engine, transactions, and one dialect's statements.

Every statement the runtime runs stands in the files of one dialect (`postgres.py`, `sqlite.py`, and
the SQL beside each) behind the same names, so the algorithms are written once and read once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

LANES = 64  # of the outbox; stored in rows, so it never changes

ParkedStatus = Literal["retry", "waiting", "dead"]


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """An event to be written to the outbox: everything the relay needs, encoded once."""

    event_id: UUID
    type: str
    destination: str
    key: str | None
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class PendingRow:
    """An event that waits in the outbox. `id` is its place in the order of its key."""

    id: int
    event_id: UUID
    type: str
    destination: str
    key: str | None
    headers: Mapping[str, str]
    body: bytes
    status: str  # pending | poison
    attempts: int
    last_error: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Seen:
    """What the database already knows about a batch of incoming events."""

    handled: frozenset[UUID]  # ids in the inbox, or parked: not to be handled again
    blocked: frozenset[str]  # keys with a parked event that later ones must wait behind


@dataclass(frozen=True, slots=True)
class Parking:
    """An event to be parked.

    `retry`: tried again in `delay` seconds. `waiting`: behind an earlier event of its key.
    `dead`: a dead letter, until somebody replays or discards it.
    """

    event_id: UUID
    key: str
    type: str
    headers: Mapping[str, str]
    body: bytes
    origin: str
    status: ParkedStatus
    reason: str
    error: str = ""  # the last line of the traceback
    attempts: int = 0
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class ParkedRow:
    """A parked event. `seq` is its place in the order of its key."""

    seq: int
    consumer: str
    event_id: UUID
    key: str
    type: str
    headers: Mapping[str, str]
    body: bytes
    origin: str
    status: ParkedStatus
    reason: str
    error: str
    attempts: int
    first_failed_at: datetime
    next_at: datetime


class Database(Protocol):
    """What the runtime asks of a database. `tx` is always an open `transaction()`.

    Clocks are the database's own. Ids come back in the order the rows must be sent or handled.
    """

    budget: float  # seconds of handler time after which a transaction takes no more events

    @property
    def engine(self) -> AsyncEngine:
        """The engine, for the service's own use too."""

    def transaction(
        self, *, within: float | None = None
    ) -> AbstractAsyncContextManager[AsyncConnection]:
        """A transaction that commits on success and rolls back on any exception.

        A server that hears nothing of it `within` so many seconds may end it, so that no other
        process waits for one that stands still or is gone.
        """

    def reading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A transaction that sees what is committed and waits for nobody; it must not write."""

    def is_outage(self, error: BaseException) -> bool:
        """Whether an exception means that the database was unreachable, or gave way.

        Deadlock, serialization failure, restart: nobody's fault, never counted as an attempt.
        """

    async def healthy(self) -> bool:
        """Whether the database answers."""

    async def close(self) -> None:
        """Close every connection."""

    # outbox -----------------------------------------------------------------------------------

    async def add_to_outbox(self, tx: AsyncConnection, rows: Sequence[OutboxRow]) -> None:
        """Write events; the last statement of a transaction.

        Takes the key locks first, in one order, so that the order of ids within a key is the
        order of commits.
        """

    async def lease_lanes(self, owner: UUID, seconds: float, most: int) -> Sequence[int]:
        """Renew this relay's leases; what it holds once it has its fair share, at most `most`.

        Relays that called this in their last `seconds` share.
        """

    async def release_lanes(self, owner: UUID) -> None:
        """Give the leases back, so that a successor starts at once."""

    async def pending(
        self,
        lanes: Sequence[int],
        limit: int,
        skip_keys: Sequence[str] = (),
        skip_ids: Sequence[int] = (),
    ) -> Sequence[PendingRow]:
        """The oldest rows of these lanes, in order; fewer than `limit` when their bodies are large.

        None of `skip_keys` and `skip_ids`, and none behind a poison row of its key.
        """

    async def call_relays(self) -> None:
        """Tell the relays of other processes that there is something new."""

    async def hear_calls(self, heard: Callable[[], None], stopping: asyncio.Event) -> None:
        """Call `heard` whenever another process calls; returns when `stopping`, or cut off.

        Raises what keeps it from hearing any.
        """

    async def mark_sent(self, ids: Sequence[int], *, keep: bool = False) -> None:
        """These rows are on the broker: delete them, or move them to the archive to `keep` them."""

    async def forget_sent(self, older_than: float, batch: int) -> int:
        """Delete up to `batch` archived rows sent more than so many seconds ago; how many."""

    async def mark_failed(self, id_: int, error: str, *, poison_after: int) -> bool:
        """Count a permanent failure; True when the row has become poison and blocks its key."""

    async def list_outbox(self, limit: int) -> Sequence[PendingRow]:
        """The oldest rows that wait, poison ones included."""

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
        """Which of these events were handled or parked, and which keys must wait.

        `within` holds from here on, as for a `transaction`; said here it needs no statement of its
        own.
        """

    async def claim(
        self,
        tx: AsyncConnection,
        consumer: str,
        ids: Sequence[UUID],
        *,
        within: float | None = None,
    ) -> frozenset[UUID]:
        """Write ids to the inbox; those that were new, as its primary key decides.

        `within` as for `seen`.
        """

    async def forget_inbox(self, older_than: float, batch: int) -> int:
        """Delete up to `batch` ids handled more than so many seconds ago; how many were deleted."""

    # parked and dead letters --------------------------------------------------------------------

    async def park(self, tx: AsyncConnection, consumer: str, events: Sequence[Parking]) -> None:
        """Park events, in order. One already handled or parked is left as it is."""

    async def take_due(self, tx: AsyncConnection, consumer: str) -> ParkedRow | None:
        """Lock the first event of some key that is due for a retry and nobody else works on."""

    async def take_next(self, tx: AsyncConnection, consumer: str, key: str) -> ParkedRow | None:
        """Lock the first event of this key, if it is waiting or due and nobody else works on it."""

    async def unpark(self, tx: AsyncConnection, seq: int) -> None:
        """The event was handled, or is not needed: forget it."""

    async def postpone(
        self, tx: AsyncConnection, seq: int, *, error: str, reason: str, delay: float | None
    ) -> None:
        """One more failed attempt: due again in `delay` seconds; None makes it a dead letter."""

    async def list_parked(
        self, consumer: str | None, status: ParkedStatus | None, limit: int
    ) -> Sequence[ParkedRow]:
        """Parked events in order; `status="dead"` lists the dead letters."""
