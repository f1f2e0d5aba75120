"""What the RabbitMQ transport does beyond what every broker does, against a real server."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aio_pika
import aiormq
import pytest
from runtime.errors import ConfigurationError
from runtime.rabbitmq import RabbitSettings, RabbitTransport
from runtime.service import Channel, Service, Subscription
from runtime.transport import Consumer, Incoming, Outcome, Outgoing

from tests.servers.rabbitmq import RabbitMQ

pytestmark = pytest.mark.servers

SECONDS = 30.0


def service(destination: str) -> Service:
    channel = Channel(name="c", address=destination, destination=destination)
    subscription = Subscription(f"on-{destination}", channel, ())
    return Service("orders", "1", "orders", "", None, subscriptions=(subscription,))  # type: ignore[arg-type]


@pytest.fixture
def of() -> Service:
    return service(f"order.{uuid.uuid4().hex[:12]}")


@asynccontextmanager
async def running(server: RabbitMQ, of: Service, **values: Any) -> AsyncIterator[RabbitTransport]:
    quick = {"url": server.url, "queues": 2, "exchange": of.channels[0].destination}
    transport = RabbitTransport(of, RabbitSettings(**(quick | values)))
    await transport.start()
    try:
        yield transport
    finally:
        await transport.close()


async def publish(transport: Any, of: Service, *keys: str) -> list[Outcome]:
    destination = of.channels[0].destination
    messages = [Outgoing(destination, key, {}, key.encode()) for key in keys]
    return [sent.outcome for sent in await transport.publish(messages)]


@asynccontextmanager
async def channel(server: RabbitMQ) -> AsyncIterator[Any]:
    async with await aio_pika.connect(server.url) as connection:
        yield await connection.channel()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not condition():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def consumed(transport: Any, of: Service) -> AsyncIterator[tuple[list[Incoming], Consumer]]:
    found: list[Incoming] = []

    async def deliver(messages: Any) -> None:
        found.extend(messages)

    [subscription] = of.subscriptions
    consumer = await transport.consume(subscription, of.name, deliver)
    try:
        yield found, consumer
    finally:
        await consumer.close()


def test_what_no_queue_takes_is_kept_beside_or_not_counted_as_sent(
    rabbitmq: RabbitMQ, of: Service
) -> None:
    async def test() -> None:
        name = of.channels[0].destination
        async with running(rabbitmq, of) as transport, channel(rabbitmq) as admin:
            exchange = await admin.declare_exchange(name, "topic", durable=True)
            assert await publish(transport, of, "a") == [Outcome.TRANSIENT]
            await exchange.delete()
        async with running(rabbitmq, of) as transport, channel(rabbitmq) as admin:
            assert await publish(transport, of, "a") == [Outcome.PERMANENT]
            await transport.provision(of.channels, dry_run=False)
            elsewhere = [Outgoing("nobody.listens", None, {}, b"x")]
            assert [s.outcome for s in await transport.publish(elsewhere)] == [Outcome.SENT]
            kept = await admin.declare_queue(f"{name}.unrouted", passive=True)
            assert kept.declaration_result.message_count == 1
            findings = await transport.examine(of, 0.0)
            assert any(f"{name}.unrouted holds 1" in finding.what for finding in findings)

    asyncio.run(test())


def test_a_full_queue_refuses_and_drops_nothing(rabbitmq: RabbitMQ, of: Service) -> None:
    async def test() -> None:
        limit = {"x-max-length": 5}
        async with running(rabbitmq, of, queues=1, queue_arguments=limit) as transport:
            await transport.provision(of.channels, dry_run=False)
            sent = [(await publish(transport, of, f"{n}"))[0] for n in range(30)]
            assert sent[:5] == [Outcome.SENT] * 5
            assert Outcome.TRANSIENT in sent
            async with consumed(transport, of) as (found, _):
                await until(lambda: len(found) == sent.count(Outcome.SENT))

    asyncio.run(test())


def test_the_broker_keeps_exactly_what_was_not_done(
    rabbitmq: RabbitMQ, of: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told in fewer words than there were events."""
    words: list[int] = []
    ack = aiormq.Channel.basic_ack

    async def basic_ack(self: Any, tag: int, **options: Any) -> None:
        words.append(tag)
        await ack(self, tag, **options)

    monkeypatch.setattr(aiormq.Channel, "basic_ack", basic_ack)

    async def test() -> None:
        async with running(rabbitmq, of) as transport:
            await transport.provision(of.channels, dry_run=False)
            await publish(transport, of, *[f"{n}" for n in range(100)])
            async with consumed(transport, of) as (found, consumer):
                await until(lambda: len(found) == 100)
                consumer.ack([one for one in found if one.body != b"50"])
            assert 1 <= len(words) < 99
            async with consumed(transport, of) as (again, _):
                await until(lambda: bool(again))
                await asyncio.sleep(0.2)
                assert [one.body for one in again] == [b"50"]

    asyncio.run(test())


def test_a_busy_process_reads_more_than_a_few_messages_at_a_time(
    rabbitmq: RabbitMQ, of: Service
) -> None:
    """It would have batches of a few events otherwise, and be the busier for it."""
    turns = 0

    async def be_busy() -> None:
        nonlocal turns
        while True:
            turns += 1
            time.sleep(0.002)
            await asyncio.sleep(0)

    async def test() -> None:
        async with running(rabbitmq, of, queues=1) as transport:
            await transport.provision(of.channels, dry_run=False)
            await publish(transport, of, *[f"{n}" for n in range(240)])
            async with consumed(transport, of) as (found, _):
                busy = asyncio.create_task(be_busy())
                try:
                    await until(lambda: bool(found))
                    first = turns
                    await until(lambda: len(found) == 240)
                finally:
                    busy.cancel()
                assert turns - first < 240 / 6

    asyncio.run(test())


def test_queues_that_are_deleted_are_made_again(rabbitmq: RabbitMQ, of: Service) -> None:
    async def test() -> None:
        async with running(rabbitmq, of) as transport:
            with pytest.raises(ConfigurationError, match="run `orders provision`"):
                async with consumed(transport, of):
                    pass
            await transport.provision(of.channels, dry_run=False)
            async with consumed(transport, of) as (found, _), channel(rabbitmq) as admin:
                assert await publish(transport, of, "a") == [Outcome.SENT]
                await until(lambda: len(found) == 1)
                for number in range(2):
                    await admin.queue_delete(f"orders.{of.subscriptions[0].name}.{number}")
                await asyncio.sleep(0.1)
                async with asyncio.timeout(SECONDS):
                    while len({one.body for one in found}) < 2:
                        await publish(transport, of, "b")
                        await asyncio.sleep(0.3)

    asyncio.run(test())


def test_events_of_others_without_our_headers_are_taken(rabbitmq: RabbitMQ, of: Service) -> None:
    async def test() -> None:
        destination = of.channels[0].destination
        async with running(rabbitmq, of) as transport, channel(rabbitmq) as admin:
            await transport.provision(of.channels, dry_run=False)
            async with consumed(transport, of) as (found, _):
                exchange = await admin.get_exchange(destination)
                headers = {"cloudEvents:type": "order.placed", "n": 7}
                foreign = aio_pika.Message(b"{}", content_type="a/b", headers=headers)
                await exchange.publish(foreign, routing_key=destination)
                await until(lambda: len(found) == 1)
            [one] = found
            assert (one.key, one.destination, one.body) == (None, destination, b"{}")
            expected = {"ce_type": "order.placed", "n": "7", "content-type": "a/b"}
            assert dict(one.headers) == expected

    asyncio.run(test())


def test_a_wrong_password_is_refused_and_not_shown(rabbitmq: RabbitMQ, of: Service) -> None:
    async def test() -> None:
        url = rabbitmq.url.replace("guest:guest", "guest:s3cret")
        with pytest.raises(ConfigurationError, match="refuses this service") as refused:
            async with running(rabbitmq, of, url=url):
                pass
        assert "s3cret" not in str(refused.value)
        assert "s3cret" not in repr(RabbitSettings(url=url))

    asyncio.run(test())


def test_settings_that_are_missing_are_named() -> None:
    with pytest.raises(ConfigurationError, match="ORDERS_RABBITMQ_URL is not set"):
        RabbitSettings.read("ORDERS_RABBITMQ_")


def test_there_is_no_history(of: Service) -> None:
    transport = RabbitTransport(of, RabbitSettings(url="amqp://localhost"))
    with pytest.raises(ConfigurationError, match="outbox republish"):
        transport.history(of.channels[0], 0)
