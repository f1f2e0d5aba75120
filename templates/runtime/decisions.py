"""What people decide about events that do not go on by themselves, and how that is carried out.

However many rows a decision concerns, it is carried out a batch at a time, in the order of each
key, and does to each row what is still to be done: whoever decides the same again, or begins again
after an interruption, does no harm.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from .database import Database, OutboxRow, ParkedRow, PendingRow
from .dialect import parked_row, pending_row
from .selection import DEAD, OUTBOX_ROWS, PARKED_ROWS, POISON, SENT, Rows, Selection

if TYPE_CHECKING:
    from typing import Any

BATCH = 100  # rows in one transaction, so that its locks are short

_Act = Callable[[Database, AsyncConnection, Sequence[int]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done to rows, and which of them it can be done to."""

    rows: Rows
    act: _Act


async def parked(
    database: Database, selection: Selection, limit: int, *, dead: bool
) -> Sequence[ParkedRow]:
    """Parked events in order, or only the dead letters."""
    query = (DEAD if dead else PARKED_ROWS).select(selection).limit(limit)
    async with database.reading() as connection:
        return [parked_row(row) for row in await connection.execute(query)]


async def outbox(database: Database, selection: Selection, limit: int) -> Sequence[PendingRow]:
    """What waits in the outbox, in order."""
    query = OUTBOX_ROWS.select(selection).limit(limit)
    async with database.reading() as connection:
        return [pending_row(row) for row in await connection.execute(query)]


async def count(database: Database, decision: Decision, selection: Selection) -> int:
    """How many rows a decision would concern now."""
    rows = decision.rows
    query = sa.select(sa.func.count()).select_from(rows.table).where(*rows.where(selection))
    async with database.reading() as connection:
        number: int = (await connection.execute(query)).scalar_one()
    return number


async def carry_out(
    database: Database, decision: Decision, selection: Selection, rate: float | None = None
) -> int:
    """Do it to the rows that are there now, at most `rate` a second; how many there were."""
    rows = decision.rows
    size = BATCH if rate is None else max(1, min(BATCH, int(rate)))
    newest = sa.select(sa.func.coalesce(sa.func.max(rows.numbers), 0))
    async with database.reading() as connection:
        last: int = (await connection.execute(newest)).scalar_one()
    done = after = 0
    while True:
        async with database.transaction() as tx:
            numbers = await _next(tx, rows, selection, (after, last), size)
            if numbers:
                await decision.act(database, tx, numbers)
        done += len(numbers)
        if len(numbers) < size:
            return done
        after = numbers[-1]
        if rate is not None:
            await asyncio.sleep(len(numbers) / rate)


async def _next(
    tx: AsyncConnection, rows: Rows, selection: Selection, between: tuple[int, int], size: int
) -> Sequence[int]:
    """The next rows, locked: somebody else may be deciding about them, too."""
    after, last = between
    query = (
        sa.select(rows.numbers)
        .where(*rows.where(selection), rows.numbers > after, rows.numbers <= last)
        .order_by(rows.numbers)
        .limit(size)
        .with_for_update()
    )
    return list((await tx.execute(query)).scalars())


async def _replay(_: Database, tx: AsyncConnection, numbers: Sequence[int]) -> None:
    # Due since it first failed: at once, and the oldest first.
    fresh = {"status": "retry", "attempts": 0, "next_at": DEAD.table.c.first_failed_at}
    await tx.execute(sa.update(DEAD.table).where(DEAD.numbers.in_(numbers)).values(fresh))


# A discarded event goes to the inbox: were it delivered again, it would come back to life.
_KEEP_IDS = sa.text("""
INSERT INTO inbox (consumer, event_id)
SELECT consumer, event_id FROM parked WHERE seq IN :numbers ON CONFLICT DO NOTHING
""").bindparams(sa.bindparam("numbers", type_=sa.BigInteger(), expanding=True))


async def _discard(_: Database, tx: AsyncConnection, numbers: Sequence[int]) -> None:
    await tx.execute(_KEEP_IDS, {"numbers": numbers})
    await tx.execute(sa.delete(DEAD.table).where(DEAD.numbers.in_(numbers)))


async def _retry_poison(_: Database, tx: AsyncConnection, numbers: Sequence[int]) -> None:
    fresh = {"status": "pending", "attempts": 0}
    await tx.execute(sa.update(POISON.table).where(POISON.numbers.in_(numbers)).values(fresh))


async def _discard_poison(_: Database, tx: AsyncConnection, numbers: Sequence[int]) -> None:
    await tx.execute(sa.delete(POISON.table).where(POISON.numbers.in_(numbers)))


async def _republish(database: Database, tx: AsyncConnection, numbers: Sequence[int]) -> None:
    # With new numbers, behind whatever of their keys waits already.
    rows = (await tx.execute(SENT.select(Selection(numbers=tuple(numbers))))).all()
    await database.add_to_outbox(tx, [_outbox_row(row) for row in rows])


def _outbox_row(row: Any) -> OutboxRow:
    _, event_id, type_, destination, key, headers, body, _ = row
    return OutboxRow(UUID(str(event_id)), type_, destination, key, json.loads(headers), body)


REPLAY = Decision(DEAD, _replay)  # handle dead letters again, each before the later of its key
DISCARD = Decision(DEAD, _discard)  # give dead letters up; the later of their keys go on
RETRY_POISON = Decision(POISON, _retry_poison)  # send again what the broker refused
DISCARD_POISON = Decision(POISON, _discard_poison)  # give it up; the later of its key go on
REPUBLISH = Decision(SENT, _republish)  # send again what was sent, in the same order
