"""transport.py FIRST EVENTS: publish so many events as the relay does; how many a second."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence

from bench._generated.service import SERVICE
from bench._runtime import logs
from bench._runtime.app import App
from bench._runtime.transport import Outcome, Outgoing
from bench.settings import Settings
from orders import orders

WAVE = 500  # the relay's batch; no two have one key


async def main(first: int, many: int) -> None:
    logs.configure("warning")
    [publication] = SERVICE.publications
    where = publication.channel.destination
    made = [Outgoing(where, *order) for order in orders(first, many)]
    async with App(SERVICE, Settings(), consume=False, relay=False) as app:

        async def publish(some: Sequence[Outgoing]) -> None:
            answers = await app.transport.publish(some)
            if failed := [answer for answer in answers if answer.outcome is not Outcome.SENT]:
                raise SystemExit(str(failed[0]))

        await publish(made[:WAVE])  # now it is connected, and warm
        began = time.perf_counter()
        for start in range(WAVE, many, WAVE):
            await publish(made[start : start + WAVE])
        print((many - WAVE) / (time.perf_counter() - began))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
