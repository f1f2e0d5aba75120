"""Which database a URL means. A service carries the file of the one it was generated for."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from .errors import ConfigurationError

if TYPE_CHECKING:
    from .database import Database

# Tables that belong to the runtime: for Alembic's autogenerate, and whoever else looks, to leave
# alone.
TABLES = frozenset(
    {
        "inbox",
        "outbox",
        "outbox_lane",
        "outbox_relay",
        "outbox_sent",
        "parked",
        "subscription_pause",
    }
)
# These are made by the broker's part of the runtime, when it needs them.
EMBEDDED_TABLES = frozenset(
    {"consumer_checkpoint", "consumer_member", "embedded_group", "embedded_log"}
)

_KINDS = {  # by the scheme of the URL: module, class, driver
    "postgresql": ("postgres", "PostgresDatabase", "asyncpg"),
    "postgres": ("postgres", "PostgresDatabase", "asyncpg"),
    "sqlite": ("sqlite", "SqliteDatabase", "aiosqlite"),
}


def open_database(url: str, *, pool_size: int = 10) -> Database:
    """The database of a URL, not connected yet. Raises ConfigurationError; never shows a password.

    `postgresql://user:password@host/name` or `sqlite:///path`.
    """
    try:
        scheme = make_url(url).get_backend_name() if "://" in url else ""
    except (ArgumentError, ValueError):
        scheme = ""
    if scheme not in _KINDS:
        raise ConfigurationError(
            f"the database URL begins with {scheme + '://' if scheme else 'no scheme'};"
            " it must be postgresql://user:password@host/name or sqlite:///path"
        )
    module, class_, driver = _KINDS[scheme]
    if find_spec(f"{__package__}.{module}") is None:
        raise ConfigurationError(
            f"this service was generated without {scheme}: choose the database in eventgen.yaml"
            " and run `eventgen generate`"
        )
    if find_spec(driver) is None:
        raise ConfigurationError(f"the database driver is missing: pip install {driver}")
    database: Database = getattr(import_module(f"{__package__}.{module}"), class_)(
        url.replace("postgres://", "postgresql://", 1), pool_size=pool_size
    )
    return database
