"""by_hand.py BROKER publish FIRST EVENTS, or by_hand.py BROKER consume: with the bare client.

What a careful person writes for this very purpose. Publishing waits for the broker's word on every
message, 500 under way at once; it prints how many a second. Consuming has 16 lanes by key, and
acknowledges after a transaction a message; it has no retries and no dead letters. For Kafka it is
in `lanes.py`.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any
from zlib import crc32

import aio_pika
import asyncpg
import nats
from aiobotocore.session import get_session
from confluent_kafka import KafkaException, Producer
from nats.js.api import ConsumerConfig, StreamConfig
from orders import Order, OrderPlaced, handle, orders
from redis.asyncio import Redis

LANES = 16
CONNECTIONS = 8  # more of them are slower on two cores
HELD = 1000  # messages in all lanes together, at most
AT_ONCE = 500  # messages on their way to the broker
OTHER = "other"  # the queue or stream; the service has its own
BODY = "__data__"  # the field of an entry in Redis where FastStream looks for it

Done = Callable[[], Awaitable[object]]


class Lanes:
    """Handles messages, those of one key one after the other."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._lanes: list[asyncio.Queue[tuple[str, bytes, Done]]] = [
            asyncio.Queue(HELD // LANES) for _ in range(LANES)
        ]
        self.tasks = [asyncio.create_task(self._work(lane)) for lane in self._lanes]

    async def put(self, key: str, id_: str, body: bytes, done: Done) -> None:
        await self._lanes[crc32(key.encode()) % LANES].put((id_, body, done))

    async def _work(self, lane: asyncio.Queue[tuple[str, bytes, Done]]) -> None:
        while True:
            id_, body, done = await lane.get()
            event = OrderPlaced.model_validate_json(body)
            await handle(self._pool, id_, event)
            await done()


class Batches:
    """Acknowledgements, some at a time."""

    def __init__(self, most: int, send: Callable[[list[Any]], Awaitable[object]]) -> None:
        self._done: asyncio.Queue[Any] = asyncio.Queue()
        self._most, self._send = most, send
        self._task = asyncio.create_task(self._work())

    async def add(self, one: Any) -> None:
        self._done.put_nowait(one)

    async def _work(self) -> None:
        while True:
            some = [await self._done.get()]
            while len(some) < self._most and not self._done.empty():
                some.append(self._done.get_nowait())
            await self._send(some)


class Kafka:
    async def open(self, _: AsyncExitStack) -> None:
        self._producer = Producer(
            {
                "bootstrap.servers": os.environ["BOOTSTRAP"],
                "enable.idempotence": True,
                "linger.ms": 1,
                "compression.type": "lz4",
            }
        )

    async def publish(self, some: Sequence[Order]) -> None:
        for key, headers, body in some:
            self._producer.produce(OTHER, body, key, headers=headers, on_delivery=_hear)
        self._producer.flush()


def _hear(error: Any, _: Any) -> None:
    if error is not None:
        raise KafkaException(error)


class RabbitMQ:
    async def open(self, stack: AsyncExitStack) -> None:
        connection = await stack.enter_async_context(await aio_pika.connect(os.environ["URL"]))
        self._channel = await connection.channel()
        await self._channel.set_qos(HELD)
        self._exchange = await self._channel.declare_exchange(OTHER, "topic", durable=True)
        quorum = {"x-queue-type": "quorum"}
        self._queue = await self._channel.declare_queue(OTHER, durable=True, arguments=quorum)
        await self._queue.bind(self._exchange, "#")

    async def publish(self, some: Sequence[Order]) -> None:
        await asyncio.gather(
            *[
                self._exchange.publish(
                    aio_pika.Message(
                        body,
                        headers=headers,
                        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                        content_type="application/json",
                    ),
                    routing_key=key,
                )
                for key, headers, body in some
            ]
        )

    async def consume(self, lanes: Lanes) -> None:
        async def take(message: Any) -> None:
            headers = message.headers
            key, id_ = headers["ce_partitionkey"], headers["ce_id"]
            await lanes.put(key, id_, message.body, message.ack)

        await self._queue.consume(take)
        await asyncio.gather(*lanes.tasks)


class RedisStreams:
    async def open(self, stack: AsyncExitStack) -> None:
        self._client = await stack.enter_async_context(Redis.from_url(os.environ["URL"]))

    async def publish(self, some: Sequence[Order]) -> None:
        pipe = self._client.pipeline(transaction=False)
        for _, headers, body in some:
            pipe.xadd(OTHER, {**headers, BODY: body})
        await pipe.execute()

    async def consume(self, lanes: Lanes) -> None:
        group = os.environ["GROUP"]
        await self._client.xgroup_create(OTHER, group, id="0")
        acks = Batches(500, lambda some: self._client.xack(OTHER, group, *some))
        while True:
            found = await self._client.xreadgroup(group, "one", {OTHER: ">"}, 500, 100)
            for id_, fields in found[0][1] if found else ():
                key, event_id = fields[b"ce_partitionkey"].decode(), fields[b"ce_id"].decode()
                await lanes.put(key, event_id, fields[BODY.encode()], _adds(acks, id_))


class Nats:
    async def open(self, stack: AsyncExitStack) -> None:
        client = await stack.enter_async_context(await nats.connect(os.environ["URL"]))
        self._streams = client.jetstream(publish_async_max_pending=AT_ONCE)
        await self._streams.add_stream(StreamConfig(OTHER, subjects=[f"{OTHER}.>"]))

    async def publish(self, some: Sequence[Order]) -> None:
        await asyncio.gather(
            *[
                self._streams.publish(
                    f"{OTHER}.{key}", body, headers={**headers, "Nats-Msg-Id": headers["ce_id"]}
                )
                for key, headers, body in some
            ]
        )

    async def consume(self, lanes: Lanes) -> None:
        config = ConsumerConfig(max_ack_pending=2 * HELD)
        group = os.environ["GROUP"]
        pulled = await self._streams.pull_subscribe(f"{OTHER}.>", group, OTHER, config)
        while True:
            with suppress(TimeoutError):
                for message in await pulled.fetch(500, timeout=1):
                    headers = message.headers
                    key, id_ = headers["ce_partitionkey"], headers["ce_id"]
                    await lanes.put(key, id_, message.data, message.ack)


class Sqs:
    async def open(self, stack: AsyncExitStack) -> None:
        def client(service: str) -> Any:
            return stack.enter_async_context(
                get_session().create_client(
                    service, region_name="us-east-1", endpoint_url=os.environ["URL"]
                )
            )

        self._sns, self._sqs = await client("sns"), await client("sqs")
        fifo = {"FifoTopic": "true", "FifoThroughputScope": "MessageGroup"}
        topic = await self._sns.create_topic(Name=f"{OTHER}.fifo", Attributes=fifo)
        queue = await self._sqs.create_queue(
            QueueName=f"{OTHER}.fifo", Attributes={"FifoQueue": "true", "VisibilityTimeout": "10"}
        )
        self._topic, self._queue = topic["TopicArn"], queue["QueueUrl"]
        await self._sns.subscribe(
            TopicArn=self._topic,
            Protocol="sqs",
            Endpoint=self._topic.replace(":sns:", ":sqs:"),
            Attributes={"RawMessageDelivery": "true"},
        )

    async def publish(self, some: Sequence[Order]) -> None:
        slots = asyncio.Semaphore(LANES)

        async def send(batch: Sequence[Order]) -> None:
            entries = [
                {
                    "Id": str(number),
                    "Message": body.decode(),
                    "MessageGroupId": key,
                    "MessageDeduplicationId": headers["ce_id"],
                    "MessageAttributes": {
                        "id": {"DataType": "String", "StringValue": headers["ce_id"]}
                    },
                }
                for number, (key, headers, body) in enumerate(batch)
            ]
            async with slots:
                await self._sns.publish_batch(
                    TopicArn=self._topic, PublishBatchRequestEntries=entries
                )

        await asyncio.gather(*[send(some[n : n + 10]) for n in range(0, len(some), 10)])

    async def consume(self, lanes: Lanes) -> None:
        acks = [Batches(10, self._delete) for _ in range(4)]

        async def poll(number: int) -> None:
            while True:
                answer = await self._sqs.receive_message(
                    QueueUrl=self._queue,
                    MaxNumberOfMessages=10,
                    WaitTimeSeconds=1,
                    MessageSystemAttributeNames=["MessageGroupId"],
                    MessageAttributeNames=["All"],
                )
                for message in answer.get("Messages", ()):
                    key = message["Attributes"]["MessageGroupId"]
                    id_ = message["MessageAttributes"]["id"]["StringValue"]
                    done = _adds(acks[number], message["ReceiptHandle"])
                    await lanes.put(key, id_, message["Body"].encode(), done)

        await asyncio.gather(*[poll(number) for number in range(len(acks))])

    async def _delete(self, receipts: list[str]) -> None:
        entries = [
            {"Id": str(number), "ReceiptHandle": receipt} for number, receipt in enumerate(receipts)
        ]
        await self._sqs.delete_message_batch(QueueUrl=self._queue, Entries=entries)


def _adds(acks: Batches, one: Any) -> Done:
    return lambda: acks.add(one)


BROKERS: dict[str, Callable[[], Any]] = {
    "kafka": Kafka,
    "rabbitmq": RabbitMQ,
    "redis": RedisStreams,
    "nats": Nats,
    "sqs": Sqs,
}


async def publish(broker: Any, first: int, many: int) -> None:
    made = list(orders(first, many))
    await broker.publish(made[:AT_ONCE])  # now it is connected, and warm
    began = time.perf_counter()
    for start in range(AT_ONCE, many, AT_ONCE):
        await broker.publish(made[start : start + AT_ONCE])
    print((many - AT_ONCE) / (time.perf_counter() - began))


async def main(name: str, what: str, *numbers: str) -> None:
    broker = BROKERS[name]()
    async with AsyncExitStack() as stack:
        await broker.open(stack)
        if what == "publish":
            await publish(broker, *map(int, numbers))
            return
        size = {"min_size": CONNECTIONS, "max_size": CONNECTIONS}
        pool = await stack.enter_async_context(asyncpg.create_pool(os.environ["DSN"], **size))
        await broker.consume(Lanes(pool))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
