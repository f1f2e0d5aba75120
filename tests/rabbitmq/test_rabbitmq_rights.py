"""What `export` says a service must be allowed is enough for it, and no more than that."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import aio_pika
import pytest
from aiormq.exceptions import ChannelAccessRefused
from yarl import URL

from tests.servers.rabbitmq import RabbitMQ
from tests.support.rights import service, works

from runtime.rabbitmq import RabbitSettings, RabbitTransport  # isort: skip  - assembled by the support

pytestmark = pytest.mark.servers


class Rights:
    """Two services, of which the first one is somebody on the broker, and the other is not."""

    def __init__(self, server: RabbitMQ) -> None:
        self.server = server
        self.exchange = f"x.{uuid.uuid4().hex[:12]}"
        orders, payments = f"{self.exchange}.orders", f"{self.exchange}.payments"
        placed, captured = f"{orders}.{{shop}}.placed", f"{payments}.captured"
        self.service = service(placed, captured, name=orders)
        self.other = service(captured, placed, name=payments)
        url = URL(server.url).with_user(orders).with_password("secret")
        self.own = self.transport(self.service, str(url))
        self.admin = self.transport(self.other, server.url)
        self.url = url

    def transport(self, of: Any, url: str) -> RabbitTransport:
        return RabbitTransport(of, RabbitSettings(url=url, exchange=self.exchange, queues=2))  # type: ignore[arg-type]

    def import_definitions(self) -> None:
        """The user is made, and allowed what the service exports; nothing is provisioned."""
        self.server.control("add_user", self.service.name, "secret")
        definitions = self.own.export(self.service, self.service.name)
        self.server.control("import_definitions", given=definitions)

    @asynccontextmanager
    async def channel(self) -> AsyncIterator[Any]:
        """As the service's user."""
        async with await aio_pika.connect(self.url) as connection:
            yield await connection.channel()


@pytest.fixture
def rights(rabbitmq: RabbitMQ) -> Rights:
    made = Rights(rabbitmq)
    made.import_definitions()
    return made


def test_with_the_exported_rights_a_service_publishes_and_consumes(rights: Rights) -> None:
    asyncio.run(works(rights.own, rights.admin, rights.service, fill="berlin"))


def test_what_is_exported_is_what_provision_creates(rights: Rights) -> None:
    """As the service's administrator, on the broker that was set up from the export alone."""

    async def test() -> None:
        administrator = rights.transport(rights.service, rights.server.url)
        assert await administrator.provision(rights.service.channels, dry_run=True) == []

    asyncio.run(test())


Forbidden = Callable[[Any, Rights], Coroutine[Any, Any, Any]]


async def declares_a_queue(channel: Any, _: Rights) -> None:
    await channel.declare_queue(f"mine-{uuid.uuid4().hex}", durable=True)


async def declares_an_exchange(channel: Any, _: Rights) -> None:
    await channel.declare_exchange(f"mine-{uuid.uuid4().hex}", "topic")


async def deletes_its_queue(channel: Any, rights: Rights) -> None:
    await channel.queue_delete(f"{rights.service.name}.in.0")


async def reads_from_another_service(channel: Any, rights: Rights) -> None:
    queue = await channel.get_queue(f"{rights.other.name}.in.0", ensure=False)
    await queue.get(fail=False)


async def reads_what_nobody_took(channel: Any, rights: Rights) -> None:
    queue = await channel.get_queue(f"{rights.exchange}.unrouted", ensure=False)
    await queue.get(fail=False)


async def binds_its_queue_to_the_events_of_others(channel: Any, rights: Rights) -> None:
    queue = await channel.get_queue(f"{rights.service.name}.in.0", ensure=False)
    await queue.bind(rights.exchange, "#")


async def publishes_an_event_of_another_service(channel: Any, rights: Rights) -> None:
    exchange = await channel.get_exchange(rights.exchange, ensure=False)
    message = aio_pika.Message(b"")
    await exchange.publish(message, f"{rights.other.name}.captured.1", mandatory=False)


async def publishes_to_a_queue_directly(channel: Any, rights: Rights) -> None:
    message = aio_pika.Message(b"")
    await channel.default_exchange.publish(message, f"{rights.other.name}.in.0", mandatory=False)


@pytest.mark.parametrize(
    "forbidden",
    [
        declares_a_queue,
        declares_an_exchange,
        deletes_its_queue,
        reads_from_another_service,
        reads_what_nobody_took,
        binds_its_queue_to_the_events_of_others,
        publishes_an_event_of_another_service,
        publishes_to_a_queue_directly,
    ],
)
def test_with_the_exported_rights_nothing_else_is_allowed(
    rights: Rights, forbidden: Forbidden
) -> None:
    async def test() -> None:
        await rights.admin.provision(rights.other.channels, dry_run=False)
        async with rights.channel() as channel:
            with pytest.raises(ChannelAccessRefused):
                await forbidden(channel, rights)

    asyncio.run(test())
