"""What a long backlog costs in memory, and that tables do not grow with what went through them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text

from benchmarks.service import memory
from tests.support.samples import row

EVENTS = 3000
ROUNDS = 5
_SIZE = "SELECT pg_total_relation_size('outbox') + pg_total_relation_size('inbox')"
_PAGES = "PRAGMA page_count"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.servers)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """On a server of its own: as long as any transaction of a server is open, in whatever
    database, PostgreSQL 15 gives no emptied page of an index to anybody else (nbtree's README,
    "Placing deleted pages in the FSM"), and other tests stop consumers in the middle of theirs.
    """
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    url: str = request.getfixturevalue("own_postgres").url
    return url


def test_a_backlog_stays_where_it_is() -> None:
    """The whole of it, bodies alone, would be as large as the limit, beside what Python needs."""
    peaks = memory.peaks(events=60_000, seconds=3)
    assert peaks["consumer"] < 130
    assert peaks["relay"] < 130


@pytest.mark.anyio
async def test_what_went_through_leaves_room_for_what_comes(database):
    sizes = []
    for _ in range(ROUNDS):
        async with database.transaction() as tx:
            await database.add_to_outbox(tx, [row(f"k{n}", bytes(500)) for n in range(EVENTS)])
            await database.claim(tx, "billing", [uuid4() for _ in range(EVENTS)])
        while found := await database.pending(range(64), 1000):
            await database.mark_sent([r.id for r in found])
        await asyncio.sleep(0.01)
        while await database.forget_inbox(0.0, 1000):
            pass
        sizes.append(await _size(database))
    assert sizes[-1] <= sizes[1] * 1.25, sizes  # the second is when indexes found their size


async def _size(database):
    """After a vacuum, which PostgreSQL does by itself, in its own time."""
    postgres = database.engine.dialect.name == "postgresql"
    async with database.engine.connect() as connection:
        if postgres:
            autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await autocommit.exec_driver_sql("VACUUM outbox, inbox")
        return (await connection.execute(text(_SIZE if postgres else _PAGES))).scalar_one()
