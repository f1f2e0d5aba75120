"""The same work with FastStream: inbox, effect and commit, then its acknowledgement.

Its subscriber acknowledges after the handler (`AckPolicy.NACK_ON_ERROR`), one message at a time: it
refuses `max_workers` together with that. With the argument `workers` it is its other Kafka client,
which then takes a worker for each partition.
"""

from __future__ import annotations

import logging
import os
import sys
from contextlib import asynccontextmanager

import asyncpg
from faststream import Context, ContextRepo, FastStream
from faststream.middlewares import AckPolicy
from orders import OrderPlaced, handle

WORKERS = 8

if "workers" in sys.argv:
    from faststream.kafka import KafkaBroker

    options = {"max_workers": WORKERS}
else:
    from faststream.confluent import KafkaBroker

    options = {}


@asynccontextmanager
async def lifespan(context: ContextRepo):
    async with asyncpg.create_pool(os.environ["DSN"], min_size=WORKERS, max_size=WORKERS) as pool:
        context.set_global("pool", pool)
        yield


broker = KafkaBroker(os.environ["BOOTSTRAP"], log_level=logging.DEBUG)
app = FastStream(broker, lifespan=lifespan)


@broker.subscriber(
    os.environ["TOPIC"],
    group_id=os.environ["GROUP"],
    auto_offset_reset="earliest",
    ack_policy=AckPolicy.NACK_ON_ERROR,
    **options,
)
async def on_order_placed(
    event: OrderPlaced,
    pool=Context(),  # noqa: B008  - so it is done there
    event_id: str = Context("message.headers.ce_id"),
) -> None:
    await handle(pool, event_id, event)


if __name__ == "__main__":
    import asyncio

    asyncio.run(app.run())
