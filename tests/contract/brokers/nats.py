"""NATS JetStream."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from runtime.nats import NatsSettings, NatsTransport

from tests.contract.brokers import Broker
from tests.support.databases import shared_database


@asynccontextmanager
async def connect(server: Any, service: Any) -> AsyncIterator[Any]:
    settings = NatsSettings(url=server.url)
    async with shared_database(service) as database:
        transport = NatsTransport(service, settings, database)
        await transport.start()
        try:
            yield transport
        finally:
            await transport.close()


BROKER = Broker(
    name="nats",
    server="nats",
    connect=connect,
    fits=1_000_000,
    too_large=1_000_001,
    cut=lambda server: server.cut(),
)
