"""A database for transports that keep something in the service's own."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from tests.support.runtime import importable

importable()

from runtime.databases import open_database  # noqa: E402  - assembled just now


@asynccontextmanager
async def shared_database(service: Any) -> AsyncIterator[Any]:
    """The same SQLite file for all processes and connections of a service with these channels."""
    names = "/".join([service.name, *(channel.name for channel in service.channels)])
    database = open_database(
        f"sqlite:///{Path(_folder().name) / str(uuid5(NAMESPACE_OID, names))}.db"
    )
    try:
        yield database
    finally:
        await database.close()


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """A folder that goes when the interpreter does."""
    return tempfile.TemporaryDirectory(prefix="eventgen-shared-")
