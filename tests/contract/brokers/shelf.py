"""The broker of the tests' plug-in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from runtime.shelf import MOST_BYTES, ShelfSettings, ShelfTransport

from tests.contract.brokers import Broker
from tests.support.databases import shared_database


@asynccontextmanager
async def connect(server: Any, service: Any) -> AsyncIterator[Any]:
    async with shared_database(service) as database:
        transport = ShelfTransport(service, ShelfSettings(folder=server.folder), database)
        await transport.start()
        try:
            yield transport
        finally:
            await transport.close()


BROKER = Broker(
    name="shelf",
    server="shelf",
    connect=connect,
    fits=MOST_BYTES,
    too_large=MOST_BYTES + 1,
    cut="there are no connections",
)
