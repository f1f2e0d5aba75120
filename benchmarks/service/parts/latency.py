"""latency.py together|apart|publish EVENTS: one event at a time on an idle service.

`together` publishes, relays and consumes; `apart` leaves publishing to a process with `publish`,
and ends with its input. Prints a line for each event it publishes, with the time its transaction
began; a consumer prints `ready`, and in the end when each step of each event was.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from collections import defaultdict

from bench._generated.service import SERVICE
from bench._runtime import logs
from bench._runtime.app import App
from bench._runtime.databases import open_database
from bench.settings import Settings
from publish import order

STEPS = {"outbox.stored": "committed", "relay.sent": "confirmed", "consumer.received": "received"}
WARM = 20  # events that are not counted


class Seen:
    """Of each event the time of each step, by the clock of the machine."""

    def __init__(self) -> None:
        self.at: dict[str, dict[str, float]] = defaultdict(dict)
        self.handled = asyncio.Condition()

    def observe(self, step: str, entry) -> None:
        name = STEPS.get(step) or ("handled" if step == "consumer.handled" else None)
        if name is not None:
            self.at[entry["event_id"]].setdefault(name, time.time())

    def pending(self, original):
        """The relay's look at the outbox, with a note of what it saw."""

        async def look(*arguments):
            rows = await original(*arguments)
            for row in rows:
                self.at[str(row.event_id)].setdefault("seen", time.time())
            return rows

        return look


async def publish(app: App, events: int) -> None:
    """Print the id of each event and when its transaction began."""
    for number in range(events + WARM):
        await asyncio.sleep(random.uniform(0.05, 0.25))
        began = time.time()
        async with app.unit_of_work() as uow:
            id_ = uow.publish(order(number))
        if number >= WARM:
            print(json.dumps([str(id_), began]), flush=True)


async def consume(seen: Seen, events: int, *, apart: bool) -> None:
    database = open_database(os.environ["BENCH_DATABASE_URL"])
    database.pending = seen.pending(database.pending)
    async with App(SERVICE, Settings(), database) as app:
        while await app.consumptions[0].lag() is None:  # noqa: ASYNC110  - nothing tells
            await asyncio.sleep(0.1)
        print("ready", flush=True)
        if not apart:
            await publish(app, events)
        else:
            await asyncio.to_thread(sys.stdin.readline)
        await asyncio.sleep(1.0)
    print(json.dumps(seen.at))


async def main(role: str, events: int) -> None:
    seen = Seen()
    logs.configure("warning", observer=None if role == "publish" else seen.observe)
    if role == "publish":
        async with App(SERVICE, Settings(), consume=False, relay=False) as app:
            await publish(app, events)
    else:
        await consume(seen, events, apart=role == "apart")


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
