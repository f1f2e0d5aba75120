"""RabbitMQ."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from runtime.rabbitmq import RabbitSettings, RabbitTransport

from tests.contract.brokers import Broker


@asynccontextmanager
async def connect(server: Any, service: Any) -> AsyncIterator[Any]:
    transport = RabbitTransport(service, RabbitSettings(url=server.url, queues=2))
    await transport.start()
    try:
        yield transport
    finally:
        await transport.close()


def cut(server: Any) -> None:
    server.control("close_all_connections", "by the test")


def settle(server: Any) -> None:
    """A quorum queue of some versions is on the disk for good only after a graceful stop."""
    server.stop()
    server.restart()


BROKER = Broker(
    name="rabbitmq",
    server="rabbitmq",
    connect=connect,
    fits=1_000_000,
    too_large=1_000_001,
    cut=cut,
    settle=settle,
)
