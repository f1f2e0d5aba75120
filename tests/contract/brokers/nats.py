"""NATS JetStream."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from runtime.databases import open_database
from runtime.nats import NatsSettings, NatsTransport

from tests.contract.brokers import Broker


@cache
def folder() -> tempfile.TemporaryDirectory[str]:
    """For the database that all members of a group share."""
    return tempfile.TemporaryDirectory(prefix="eventgen-contract-")


@asynccontextmanager
async def connect(server: Any, service: Any) -> AsyncIterator[Any]:
    database = open_database(f"sqlite:///{folder().name}/positions.db")
    settings = NatsSettings(url=server.url, publish_timeout_seconds=3.0)
    transport = NatsTransport(service, settings, database)
    await transport.start()
    try:
        yield transport
    finally:
        await transport.close()
        await database.close()


BROKER = Broker(
    name="nats",
    server="nats",
    connect=connect,
    fits=1_000_000,
    too_large=1_000_001,
    cut=lambda server: server.cut(),
)
