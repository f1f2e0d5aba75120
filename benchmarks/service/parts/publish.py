"""publish.py EVENTS EACH: commit so many events, EACH in a transaction, 8 writers at once."""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import UTC, datetime
from uuid import uuid4

from bench._generated.events import OrderPlaced
from bench._generated.service import SERVICE
from bench._runtime import logs
from bench._runtime.app import App
from bench.settings import Settings

WRITERS = 8
CUSTOMERS = 1000
NOTE = "x" * 120


def order(number: int) -> OrderPlaced:
    return OrderPlaced(
        order_id=uuid4(),
        customer=f"customer-{number % CUSTOMERS}",
        number=number,
        placed_at=datetime.now(UTC),
        note=NOTE,
    )


async def write(app: App, numbers, each: int) -> None:
    for first in range(0, len(numbers), each):
        async with app.unit_of_work() as uow:
            for number in numbers[first : first + each]:
                uow.publish(order(number))


async def main(events: int, each: int) -> None:
    logs.configure("warning")
    async with App(SERVICE, Settings(), consume=False, relay=False) as app:
        print(time.time(), flush=True)
        numbers = range(events)
        await asyncio.gather(*(write(app, numbers[n::WRITERS], each) for n in range(WRITERS)))
        print(time.time(), flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
