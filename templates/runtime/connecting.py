"""From settings to a database and a broker, and what to say when one of them cannot be had."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import inspect

from . import embedded
from .databases import TABLES, open_database
from .dialect import causes
from .errors import ConfigurationError
from .settings import EMBEDDED, broker_of, database_url_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from .database import Database
    from .service import Service
    from .settings import ServiceSettings
    from .transport import Transport

# PostgreSQL's SQLSTATE classes for what no waiting helps against: wrong password, no such database.
_REFUSALS = ("28", "3D")


def connect_database(service: Service, settings: ServiceSettings) -> Database:
    """The database of the settings, not connected yet."""
    url = database_url_of(settings, service)
    return open_database(url, pool_size=settings.database_pool_size)


def connect_broker(service: Service, settings: ServiceSettings, database: Database) -> Transport:
    """The transport of the broker of the settings, not connected yet."""
    if broker_of(settings, service) == EMBEDDED:
        return embedded.connect(service, database)
    return service.transport(service, database)


async def require_tables(service: Service, database: Database) -> None:
    """Raise ConfigurationError when the database lets nobody in, or was not migrated.

    Raises ConnectionError when it is away.
    """
    with explained(service, database):
        async with database.engine.connect() as connection:
            missing = TABLES - await connection.run_sync(_table_names)
    if missing:
        raise ConfigurationError(
            f"the database has no table {min(missing)}: run `{service.name} migrate`"
        )


@contextmanager
def explained(service: Service, database: Database) -> Iterator[None]:
    """Turn what the driver raises into ConfigurationError, or ConnectionError, with a sentence."""
    try:
        yield
    except Exception as error:
        if (reason := refusal(error)) is not None:
            variable = f"{service.env_prefix}DATABASE_URL"
            raise ConfigurationError(
                f"the database refuses this service: {reason} (see {variable})"
            ) from error
        if is_away(database, error):
            raise ConnectionError(f"the database does not answer: {line(error)}") from error
        raise


def refusal(error: BaseException) -> str | None:
    """Why the database lets this service not in, however long it waits; None for other errors."""
    for cause in causes(error):
        if str(getattr(cause, "sqlstate", None) or "").startswith(_REFUSALS):
            return line(cause)
    return None


def is_away(database: Database, error: BaseException) -> bool:
    """Whether a later attempt may succeed."""
    return isinstance(error, OSError) or database.is_outage(error)


def line(error: BaseException) -> str:
    """What an exception says, on one line."""
    return (str(error) or type(error).__name__).splitlines()[0]


def _table_names(connection: Connection) -> frozenset[str]:
    return frozenset(inspect(connection).get_table_names())
