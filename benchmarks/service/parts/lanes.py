"""What a careful person writes by hand: 16 lanes by key, a transaction a message, then its offset.

It has no retries, no dead letters and no answer to a rebalance; it is here to be compared with.
Settings come from the environment, as in all files beside this one.
"""

from __future__ import annotations

import asyncio
import os
import threading
from typing import Any
from zlib import crc32

import asyncpg
from confluent_kafka import Consumer, Message, TopicPartition
from orders import OrderPlaced, handle

LANES = 16
CONNECTIONS = 8  # more of them are slower on two cores
HELD = 1000  # messages in all lanes together, at most


async def work(pool: asyncpg.Pool, lane: asyncio.Queue[Message], open_: dict[Any, Any]) -> None:
    while True:
        message = await lane.get()
        event = OrderPlaced.model_validate_json(message.value() or b"")
        headers = dict(message.headers() or [])
        await handle(pool, headers["ce_id"].decode(), event)
        del open_[message.partition()][message.offset()]


def poll(consumer: Consumer, loop: asyncio.AbstractEventLoop, deliver: Any, open_: Any) -> None:
    """The thread that owns the client: fetch, hand over, commit what is done without a gap."""
    next_: dict[int, int] = {}
    while True:
        messages = [m for m in consumer.consume(500, 0.05) if not m.error()]
        for message in messages:
            open_.setdefault(message.partition(), {})[message.offset()] = True
            next_[message.partition()] = message.offset() + 1
        if messages:
            asyncio.run_coroutine_threadsafe(deliver(messages), loop).result()
        done = {p: next(iter(list(open_[p])), offset) for p, offset in next_.items()}
        offsets = [TopicPartition(os.environ["TOPIC"], p, offset) for p, offset in done.items()]
        if offsets:
            consumer.commit(offsets=offsets, asynchronous=True)


async def main() -> None:
    pool = await asyncpg.create_pool(os.environ["DSN"], min_size=CONNECTIONS, max_size=CONNECTIONS)
    lanes: list[asyncio.Queue[Message]] = [asyncio.Queue(HELD // LANES) for _ in range(LANES)]
    open_: dict[Any, Any] = {}

    async def deliver(messages: list[Message]) -> None:
        for message in messages:
            await lanes[crc32(message.key() or b"") % LANES].put(message)

    consumer = Consumer(
        {
            "bootstrap.servers": os.environ["BOOTSTRAP"],
            "group.id": os.environ["GROUP"],
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe([os.environ["TOPIC"]])
    loop = asyncio.get_running_loop()
    threading.Thread(target=poll, args=(consumer, loop, deliver, open_), daemon=True).start()
    await asyncio.gather(*(work(pool, lane, open_) for lane in lanes))


asyncio.run(main())
