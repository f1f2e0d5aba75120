"""Who reads which partition, and how far it is handled: kept in the service's own database.

For brokers that would give a partition to several consumers at once, or that deliver what a dead
consumer held after what came later. Here each partition is leased to one process of the group, and
the next one goes on where this one's position was written down. Clocks are the database's.

A process that lost a lease without noticing may still handle what its successor reads again: the
inbox has each effect once, and both go through a key in its order.
"""

# ruff: noqa: S608  - statements are put together from constants alone; values are parameters
from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from sqlalchemy import inspect, text

from .embedded_log import DIALECTS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from contextlib import AbstractAsyncContextManager

    from sqlalchemy.ext.asyncio import AsyncConnection

    from .database import Database

LEASE_SECONDS = 4.0  # a partition waits this long for the successor of a consumer that was killed
TABLES = ("consumer_member", "consumer_checkpoint")

_CREATE = (
    """
    CREATE TABLE IF NOT EXISTS consumer_member (
      consumer text NOT NULL, stream text NOT NULL, owner text NOT NULL, lease_until float NOT NULL,
      PRIMARY KEY (consumer, stream, owner))
    """,
    """
    CREATE TABLE IF NOT EXISTS consumer_checkpoint (
      consumer text NOT NULL, stream text NOT NULL, part int NOT NULL, position text NOT NULL,
      owner text, lease_until float NOT NULL, PRIMARY KEY (consumer, stream, part))
    """,
)
_OURS = "consumer = :consumer AND stream = :stream"
_ADD = """
INSERT INTO consumer_checkpoint (consumer, stream, part, position, lease_until)
VALUES (:consumer, :stream, :part, '0', 0) ON CONFLICT DO NOTHING
"""
_SIGN_IN = """
INSERT INTO consumer_member (consumer, stream, owner, lease_until)
VALUES (:consumer, :stream, :owner, {now} + :lease)
ON CONFLICT (consumer, stream, owner) DO UPDATE SET lease_until = excluded.lease_until
"""
_FORGET_MEMBERS = f"DELETE FROM consumer_member WHERE {_OURS} AND lease_until <= {{now}}"
_COUNT_MEMBERS = f"SELECT count(*) FROM consumer_member WHERE {_OURS} AND lease_until > {{now}}"
_SIGN_OUT = f"DELETE FROM consumer_member WHERE {_OURS} AND owner = :owner"
_RENEW = f"""
UPDATE consumer_checkpoint SET lease_until = {{now}} + :lease
WHERE {_OURS} AND owner = :owner RETURNING part
"""
# Asked twice: whoever was faster has moved `lease_until` by the time that the row can be locked.
_TAKE = f"""
UPDATE consumer_checkpoint SET owner = :owner, lease_until = {{now}} + :lease
WHERE {_OURS} AND lease_until <= {{now}} AND part IN (
  SELECT part FROM consumer_checkpoint WHERE {_OURS} AND lease_until <= {{now}}
  ORDER BY part LIMIT :most)
RETURNING part, position
"""
_SAVE = f"""
UPDATE consumer_checkpoint SET position = :position
WHERE {_OURS} AND part = :part AND owner = :owner
"""
_GIVE = f"""
UPDATE consumer_checkpoint SET owner = NULL, lease_until = 0
WHERE {_OURS} AND part = :part AND owner = :owner
"""
_GIVE_ALL = f"""
UPDATE consumer_checkpoint SET owner = NULL, lease_until = 0 WHERE {_OURS} AND owner = :owner
"""
_POSITIONS = f"""
SELECT part, position, lease_until > {{now}} AS held FROM consumer_checkpoint
WHERE {_OURS} ORDER BY part
"""


class Share(NamedTuple):
    """What a consumer has: the partitions that are still its own, and how many are due to it."""

    held: frozenset[int]
    due: int


class Position(NamedTuple):
    """How far a group has come in one partition, and whether anybody reads on at present."""

    position: int
    held: bool


class Checkpoints:
    """One consumer's part in reading a stream's partitions for a group.

    A position is where to read on: everything below it is handled. It starts at 0.
    """

    def __init__(self, database: Database, group: str, stream: str) -> None:
        """The positions of this group in this stream are apart from all others."""
        self.database = database
        self._partitions = 0
        self._stream = {"consumer": group, "stream": stream}
        self._owner = {**self._stream, "owner": str(uuid4()), "lease": LEASE_SECONDS}
        self._now = DIALECTS[database.engine.dialect.name].now

    async def prepare(self, partitions: int) -> None:
        """Have what is needed for so many partitions; all of a group must say the same number."""
        await provide_tables(self.database)
        self._partitions = partitions
        rows = [{**self._stream, "part": part} for part in range(partitions)]
        async with self._transaction() as tx:
            await self._do(tx, _FORGET_MEMBERS, self._stream)
            await tx.execute(text(_ADD), rows)

    async def renew(self) -> Share:
        """Keep what is ours; all consumers that said so in the last seconds share alike."""
        async with self._transaction() as tx:
            await self._do(tx, _SIGN_IN, self._owner)
            members: int = (await self._do(tx, _COUNT_MEMBERS, self._stream)).scalar_one()
            held = (await self._do(tx, _RENEW, self._owner)).scalars().all()
        return Share(frozenset(held), -(-self._partitions // members))

    async def take(self, most: int) -> Mapping[int, int]:
        """Lease up to `most` partitions that nobody reads; where to read on in each."""
        async with self._transaction() as tx:
            taken = await self._do(tx, _TAKE, {**self._owner, "most": most})
            return {row.part: int(row.position) for row in taken}

    async def save(self, positions: Mapping[int, int]) -> None:
        """Write down how far partitions are handled, as far as they are still ours."""
        rows = [
            {**self._owner, "part": part, "position": str(position)}
            for part, position in positions.items()
        ]
        if rows:
            async with self._transaction() as tx:
                await tx.execute(text(_SAVE), rows)

    async def give(self, partitions: Collection[int]) -> None:
        """Let others have these partitions at once."""
        rows = [{**self._owner, "part": part} for part in partitions]
        if rows:
            async with self._transaction() as tx:
                await tx.execute(text(_GIVE), rows)

    async def leave(self) -> None:
        """Give everything back, and no longer count among those that share."""
        async with self._transaction() as tx:
            await self._do(tx, _GIVE_ALL, self._owner)
            await self._do(tx, _SIGN_OUT, self._owner)

    async def positions(self) -> Mapping[int, Position]:
        """How far the group has come; nothing of partitions that it never had."""
        async with self.database.reading() as tx:
            rows = await self._do(tx, _POSITIONS, self._stream)
            return {row.part: Position(int(row.position), bool(row.held)) for row in rows}

    def _transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self.database.transaction(within=LEASE_SECONDS)

    async def _do(self, tx: AsyncConnection, statement: str, values: Mapping[str, Any]) -> Any:
        return await tx.execute(text(statement.format(now=self._now)), dict(values))


async def provide_tables(database: Database, *, dry_run: bool = False) -> bool:
    """Create the tables of all checkpoints where they are missing; whether they were."""
    async with database.reading() as tx:
        if await tx.run_sync(lambda c: all(inspect(c).has_table(name) for name in TABLES)):
            return False
    if not dry_run:
        lock = DIALECTS[database.engine.dialect.name].lock
        async with database.transaction() as tx:
            # CREATE IF NOT EXISTS alone fails when two do it at once
            for statement in (*([lock] if lock else []), *_CREATE):
                await tx.execute(text(statement))
    return True
