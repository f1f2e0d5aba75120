"""Whether the database is set up to keep what the runtime promises."""

from __future__ import annotations

from time import time
from typing import TYPE_CHECKING

from sqlalchemy import text

from .findings import Finding

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from sqlalchemy import Row
    from sqlalchemy.ext.asyncio import AsyncConnection

    from .database import Database

SKEW = 5.0  # seconds two clocks may differ before anybody is misled by times in logs and events

_POSTGRES = """
SELECT current_setting('server_version_num')::int AS number,
  current_setting('server_version') AS version,
  current_setting('fsync') AS fsync,
  current_setting('full_page_writes') AS full_page_writes,
  current_setting('synchronous_commit') AS synchronous_commit,
  pg_is_in_recovery() AS standby,
  extract(epoch FROM clock_timestamp())::float8 AS clock
"""
_OLDEST_POSTGRES = 130000
_OLDEST_SQLITE = (3, 35)
_SQLITE_FULL = 2


async def examine_database(database: Database) -> list[Finding]:
    """What is wrong with its settings."""
    examine = _EXAMINERS[database.engine.dialect.name]
    async with database.reading() as tx:
        return [finding async for finding in examine(tx)]


async def _postgres(tx: AsyncConnection) -> AsyncIterator[Finding]:
    asked = time()
    row = (await tx.execute(text(_POSTGRES))).one()
    answered = time()
    if row.number < _OLDEST_POSTGRES:
        yield Finding(f"PostgreSQL {row.version} is too old", "upgrade it to 13 or later")
    if row.standby:
        yield Finding(
            "this PostgreSQL is a standby: nothing can be written",
            "point the database URL at the primary",
        )
    for finding in _durability(row):
        yield finding
    skew = max(row.clock - answered, asked - row.clock)
    if skew > SKEW:
        yield Finding(
            f"the clocks of this machine and of the database are {skew:.0f} s apart",
            "synchronise both (NTP); leases go by the database's clock, but logs mislead",
        )


def _durability(row: Row[tuple[object, ...]]) -> list[Finding]:
    """Settings with which a commit may be lost by a crash of the server."""
    return [
        Finding(
            f"PostgreSQL's {name} is off: a crash can lose what was committed",
            f"set {name} = on",
        )
        for name in ("fsync", "full_page_writes", "synchronous_commit")
        if getattr(row, name) == "off"
    ]


async def _sqlite(tx: AsyncConnection) -> AsyncIterator[Finding]:
    version = (await tx.execute(text("SELECT sqlite_version()"))).scalar_one()
    journal = (await tx.execute(text("PRAGMA journal_mode"))).scalar_one()
    synchronous = (await tx.execute(text("PRAGMA synchronous"))).scalar_one()
    if tuple(map(int, version.split(".")))[:2] < _OLDEST_SQLITE:
        yield Finding(f"SQLite {version} is too old", "use a Python with SQLite 3.35 or later")
    if journal != "wal":
        yield Finding(
            f"SQLite's journal_mode is {journal}, not wal: readers and writers wait for each other",
            "put the database on a local disk, in a folder that can be written",
        )
    if synchronous < _SQLITE_FULL:
        yield Finding(
            "SQLite's synchronous is not FULL: a loss of power can lose what was committed",
            "leave `PRAGMA synchronous` as the runtime sets it",
        )


_EXAMINERS: dict[str, Callable[[AsyncConnection], AsyncIterator[Finding]]] = {
    "postgresql": _postgres,
    "sqlite": _sqlite,
}
