"""The embedded broker, whose server is the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from runtime.databases import open_database
from runtime.embedded import EmbeddedTransport

from tests.contract.brokers import Broker

_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@asynccontextmanager
async def connect(server: Any, service: Any) -> AsyncIterator[Any]:
    database = open_database(server.url)
    transport = EmbeddedTransport(database, partitions=4)
    try:
        await transport.start()
        yield transport
    finally:
        await transport.close()
        await database.close()


def cut(server: Any) -> None:
    async def terminate() -> None:
        connection = await asyncpg.connect(server.dsn)
        try:
            await connection.execute(_OTHERS)
        finally:
            await connection.close()

    asyncio.run(terminate())


BROKER = Broker(
    name="embedded",
    server="postgres",
    connect=connect,
    fits=3_000_000,
    too_large=None,
    cut=cut,
)
