"""faststream_brokers.py BROKER: the same work with FastStream, on other brokers than Kafka.

Inbox, effect and commit, then its acknowledgement (`AckPolicy.NACK_ON_ERROR`), as its subscriber
does it by itself. It reads what `by_hand.py` has published.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from faststream import Context, ContextRepo, FastStream
from faststream.middlewares import AckPolicy
from faststream.nats import JStream, NatsBroker
from faststream.rabbit import Channel, QueueType, RabbitBroker, RabbitQueue
from faststream.redis import RedisBroker, StreamSub
from orders import OrderPlaced, handle
from redis import Redis

CONNECTIONS = 8
OTHER = "other"

URL = os.environ["URL"]
GROUP = os.environ["GROUP"]
HOW = {"ack_policy": AckPolicy.NACK_ON_ERROR}


def rabbitmq() -> tuple[Any, Any]:
    """The deliveries it may hold are as many as the generated service may."""
    broker = RabbitBroker(URL, log_level=logging.DEBUG)
    queue = RabbitQueue(OTHER, queue_type=QueueType.QUORUM, durable=True, declare=False)
    return broker, broker.subscriber(queue, channel=Channel(prefetch_count=1000), **HOW)


def redis() -> tuple[Any, Any]:
    """Its group begins with the first entry, which it would not do by itself."""
    Redis.from_url(URL).xgroup_create(OTHER, GROUP, id="0")
    broker = RedisBroker(URL, log_level=logging.DEBUG)
    return broker, broker.subscriber(
        stream=StreamSub(OTHER, group=GROUP, consumer="one", max_records=500), **HOW
    )


def nats() -> tuple[Any, Any]:
    broker = NatsBroker(URL, log_level=logging.DEBUG)
    stream = JStream(OTHER, declare=False)
    return broker, broker.subscriber(f"{OTHER}.>", stream=stream, durable=GROUP, **HOW)


def header(message: Any) -> str:
    return str(message.headers["ce_id"])


def field(message: Any) -> str:
    return str(message.raw_message["data"][b"ce_id"].decode())


# How to subscribe, and where an event's id is.
BROKERS: dict[str, tuple[Callable[[], tuple[Any, Any]], Callable[[Any], str]]] = {
    "rabbitmq": (rabbitmq, header),
    "redis": (redis, field),
    "nats": (nats, header),
}


@asynccontextmanager
async def lifespan(context: ContextRepo):
    size = {"min_size": CONNECTIONS, "max_size": CONNECTIONS}
    async with asyncpg.create_pool(os.environ["DSN"], **size) as pool:
        context.set_global("pool", pool)
        yield


async def main(name: str) -> None:
    subscribe, id_of = BROKERS[name]
    broker, subscriber = subscribe()

    @subscriber
    async def on_order_placed(
        event: OrderPlaced,
        message=Context(),  # noqa: B008  - so it is done there
        pool=Context(),  # noqa: B008
    ) -> None:
        await handle(pool, id_of(message), event)

    await FastStream(broker, lifespan=lifespan).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
