"""Migrations through Alembic's own interface, with the project's `alembic.ini`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from .errors import ConfigurationError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from .database import Database


_ALONE = {  # by dialect; the lock ends with the transaction
    "postgresql": ("SELECT pg_advisory_xact_lock(hashtext('eventgen migrations'))",),
    "sqlite": ("PRAGMA busy_timeout = 60000", "BEGIN IMMEDIATE"),
}


@dataclass(frozen=True, slots=True)
class Revisions:
    """Where the database stands, and where the migrations end. Either may hold several heads."""

    current: frozenset[str]
    head: frozenset[str]


def upgrade(url: str) -> frozenset[str]:
    """Bring the database to the heads of the migrations; returns them.

    There are several when a migration of the service and one of the runtime follow the same one.

    Runs an event loop of its own, so it is called where none is running. `migrations/env.py` finds
    the database in `sqlalchemy.url`.
    """
    config = _config(url)
    command.upgrade(config, "heads")
    return frozenset(ScriptDirectory.from_config(config).get_heads())


def one_at_a_time(connection: Connection | None) -> None:
    """Let others that would migrate this database wait until the transaction of this one ends.

    For `migrations/env.py`, in Alembic's transaction and before the revision is read: when several
    processes start with a migration, one does it and the others find it done. On SQLite it also
    begins the transaction, which Python's driver does not do for what creates a table: all of a
    migration is kept, or nothing. Without a connection (`alembic upgrade --sql`) it does nothing.
    """
    if connection is not None:
        for statement in _ALONE[connection.dialect.name]:
            connection.exec_driver_sql(statement)


async def revisions(database: Database) -> Revisions:
    """The database's revision and the project's. ConfigurationError without an `alembic.ini`."""
    head = frozenset(ScriptDirectory.from_config(_config("")).get_heads())
    async with database.engine.connect() as connection:
        current = await connection.run_sync(_current)
    return Revisions(current, head)


def _config(url: str) -> Config:
    path = Path(os.environ.get("ALEMBIC_CONFIG") or "alembic.ini")
    if not path.is_file():
        raise ConfigurationError(
            f"there is no {path} here: run this in the project's folder, or set ALEMBIC_CONFIG"
        )
    config = Config(path)
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def _current(connection: Connection) -> frozenset[str]:
    return frozenset(MigrationContext.configure(connection).get_current_heads())
