"""Redis Streams."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from runtime.redis import RedisSettings, RedisTransport

from tests.contract.brokers import Broker
from tests.support.databases import shared_database


@asynccontextmanager
async def connect(server: Any, service: Any) -> AsyncIterator[Any]:
    settings = RedisSettings(url=server.url, partitions=4)
    async with shared_database(service) as database:
        transport = RedisTransport(service, database, settings)
        await transport.start()
        try:
            yield transport
        finally:
            await transport.close()


def cut(server: Any) -> None:
    with server.client() as client:
        client.client_kill_filter(_type="normal", skipme=True)


BROKER = Broker(
    name="redis",
    server="redis",
    connect=connect,
    fits=1_000_000,
    too_large=1_000_001,
    cut=cut,
)
