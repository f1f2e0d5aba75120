"""What every broker does for handlers: the runtime's consumption of a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydantic import BaseModel
from runtime.consumer import Consumption
from runtime.databases import open_database
from runtime.envelope import Envelope, to_headers
from runtime.handling import Handling
from runtime.outbox import Publisher
from runtime.service import Channel, EventType, Route
from runtime.transport import Outgoing

from tests.contract.brokers import Broker
from tests.contract.parts import connected, message, new_channel, new_service, publish, until
from tests.support.runtime import create_tables

pytestmark = [pytest.mark.servers, pytest.mark.anyio]


class Counted(BaseModel):
    """The event."""

    key: str
    n: int


COUNTED = EventType("counted", "1.0.0", Counted, ("key",))


def counted(channel: Channel, key: str, n: int, body: bytes | None = None) -> Outgoing:
    envelope = Envelope(uuid4(), COUNTED.type, "/contract", None, "1.0.0", key)
    encoded = Counted(key=key, n=n).model_dump_json().encode() if body is None else body
    return Outgoing(channel.destination, key, to_headers(envelope, "application/json"), encoded)


class Calls:
    """What the handler was called with, and what it finished."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.begun: list[tuple[str, int]] = []
        self.done: list[tuple[str, int]] = []

    async def handle(self, event: Counted, _ctx: Any) -> None:
        self.begun.append((event.key, event.n))
        await asyncio.sleep(self.seconds)
        self.done.append((event.key, event.n))


class Setting:
    """A service on a broker, and its database."""

    def __init__(self, transport: Any, service: Any, database: Any) -> None:
        self.transport, self.service, self.database = transport, service, database
        [self.subscription] = service.subscriptions

    @asynccontextmanager
    async def handling(self, calls: Calls) -> AsyncIterator[Consumption]:
        """Events are handled by `calls`, until the end."""
        publisher = Publisher(self.service)
        routes = (Route(COUNTED, calls.handle),)
        service = new_service(self.subscription.channel, self.service.name, routes)
        [subscription] = service.subscriptions
        handling = Handling(subscription, self.database, publisher, lambda: None)
        consumption = Consumption(handling, self.transport, self.service.name)
        await consumption.start()
        try:
            yield consumption
        finally:
            await consumption.close()


@asynccontextmanager
async def setting(broker: Broker, server: Any, folder: Path) -> AsyncIterator[Setting]:
    service = new_service(new_channel())
    database = open_database(f"sqlite:///{folder / 'inbox.db'}")
    try:
        await create_tables(database)
        async with connected(broker, server, service) as transport:
            yield Setting(transport, service, database)
    finally:
        await database.close()


async def test_what_cannot_be_read_is_set_aside_and_holds_nobody_up(
    broker: Broker, server: Any, tmp_path: Path
) -> None:
    async with setting(broker, server, tmp_path) as here:
        channel, calls = here.subscription.channel, Calls()
        async with here.handling(calls) as consumption:
            await publish(here.transport, message(channel, "a", b"\xff\x00 not an event"))
            await publish(here.transport, counted(channel, "b", 1, b'{"key": "b", "n": "\xff'))
            await publish(here.transport, counted(channel, "c", 1))
            await until(lambda: sum(consumption.results.values()) == 3)
            assert calls.done == [("c", 1)]
            parked = await here.database.list_parked(here.subscription.name, "dead", 10)
            assert {bytes(row.body) for row in parked} == {
                b"\xff\x00 not an event",
                b'{"key": "b", "n": "\xff',
            }
        successor = Calls()
        async with here.handling(successor) as consumption:
            await publish(here.transport, counted(channel, "c", 2))
            await until(lambda: sum(consumption.results.values()) == 1)
            assert consumption.results == {"handled": 1}
            assert successor.done == [("c", 2)]


async def test_a_graceful_stop_finishes_what_was_taken_and_leaves_the_rest(
    broker: Broker, server: Any, tmp_path: Path
) -> None:
    async with setting(broker, server, tmp_path) as here:
        channel, calls = here.subscription.channel, Calls(seconds=0.02)
        wave = [counted(channel, f"key-{n}", n) for n in range(100)]
        async with here.handling(calls) as consumption:
            await publish(here.transport, *wave)
            await until(lambda: len(calls.done) >= 5)
            assert await consumption.drain(30)
            assert calls.begun == calls.done
        successor = Calls()
        async with here.handling(successor) as consumption:
            await until(lambda: len(calls.done) + len(successor.done) >= 100)
            await asyncio.sleep(0.2)
            assert "duplicate" not in consumption.results
        assert sorted(calls.done + successor.done) == sorted((f"key-{n}", n) for n in range(100))
