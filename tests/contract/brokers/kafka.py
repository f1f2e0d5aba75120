"""Apache Kafka."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from runtime.kafka import KafkaSettings, KafkaTransport

from tests.contract.brokers import Broker


@asynccontextmanager
async def connect(server: Any, service: Any) -> AsyncIterator[Any]:
    settings = KafkaSettings(
        bootstrap_servers=server.bootstrap,
        session_timeout_ms=6000,
        replication_factor=1,
        partitions=4,
    )
    transport = KafkaTransport(service, settings)
    await transport.start()
    try:
        yield transport
    finally:
        await transport.close()


BROKER = Broker(
    name="kafka",
    server="kafka",
    connect=connect,
    fits=990_000,
    too_large=1_000_001,
    cut="no command of Kafka closes a connection; a server that is killed closes all of them",
)
