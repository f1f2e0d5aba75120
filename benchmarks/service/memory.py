"""memory.py [--events N] [--seconds S]: what a long backlog costs, each in a process of its own.

A consumer behind N messages, with a handler too slow for them, for S seconds; and a relay that
sends N rows. Both on SQLite, so that client and backlog are all there is to measure. Prints the
most memory each process ever had, and fails when that is more than its limit.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "generator")]

from tests.support.runtime import create_tables, importable  # noqa: E402  - found just now

importable()

from pydantic import BaseModel  # noqa: E402
from runtime.consumer import Consumption  # noqa: E402
from runtime.databases import open_database  # noqa: E402
from runtime.embedded import EmbeddedTransport  # noqa: E402
from runtime.handling import Handling  # noqa: E402
from runtime.outbox import Publisher  # noqa: E402
from runtime.relay import Relay  # noqa: E402
from runtime.service import Channel, EventType, Route, Service, Subscription  # noqa: E402
from runtime.transport import Outcome, Sent  # noqa: E402
from sqlalchemy import text  # noqa: E402

LIMITS = {"consumer": 200, "relay": 150}  # MB
BODY = 1000  # bytes

_NUMBERS = "WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n LIMIT :events)"
_BODY = f"""CAST('{{"note":"{"x" * BODY}"}}' AS BLOB)"""
_FILL = {  # without keys in the outbox, so that any lane is right
    "consumer": f"""
INSERT INTO embedded_log (destination, part, key, headers, body, published_at)
{_NUMBERS} SELECT 'orders', n % 8, 'k' || n % 1000, '{{}}', {_BODY}, 0 FROM n""",
    "relay": f"""
INSERT INTO outbox (lane, event_id, type, destination, key, headers, body)
{_NUMBERS}
SELECT n % 64, hex(randomblob(16)), 'order.placed', 'orders', NULL, '{{}}', {_BODY} FROM n""",
}


class Placed(BaseModel):
    """What is in the backlog."""

    note: str


async def _slow(_event: Placed, _context: Any) -> None:
    await asyncio.sleep(0.05)


class _Swallow:
    """A broker that takes everything, and tells when that was all."""

    def __init__(self, expected: int) -> None:
        self.expected = expected
        self.done = asyncio.Event()

    async def publish(self, messages: Any) -> list[Sent]:
        self.expected -= len(messages)
        if self.expected <= 0:
            self.done.set()
        return [Sent(Outcome.SENT)] * len(messages)


async def consumer(database: Any, transport: EmbeddedTransport, seconds: float) -> int:
    """Consume for so long; how many events were handled."""
    event = EventType("order.placed", "1.0.0", Placed, ())
    channel = Channel("orders", "orders", "orders")
    subscription = Subscription("orders", channel, (Route(event, _slow),))
    service = Service("shop", "1.0.0", "shop", "embedded", None, (), (subscription,))  # type: ignore[arg-type]  # no app makes a transport
    handling = Handling(subscription, database, Publisher(service), lambda: None)
    consumption = Consumption(handling, transport, "shop")
    await consumption.start()
    await asyncio.sleep(seconds)
    await consumption.close()
    return consumption.results.total()


async def relay(database: Any) -> int:
    """Relay until nothing is left; how many events were sent."""
    async with database.reading() as tx:
        events: int = (await tx.execute(text("SELECT count(*) FROM outbox"))).scalar_one()
    broker = _Swallow(events)
    await Relay(database, broker).run(broker.done)
    return events - broker.expected


async def measure(kind: str, path: str, seconds: float) -> None:
    database = open_database(f"sqlite:///{path}")
    try:
        if kind == "consumer":
            done = await consumer(database, EmbeddedTransport(database), seconds)
        else:
            done = await relay(database)
        assert done > 0, "it did nothing"
    finally:
        await database.close()
    print(_peak())


def _peak() -> int:
    """The most memory this process ever had, in MB."""
    status = Path("/proc/self/status").read_text()
    [kilobytes] = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
    return int(kilobytes) // 1024


async def _prepare(path: Path, events: int) -> None:
    database = open_database(f"sqlite:///{path}")
    await create_tables(database)
    await EmbeddedTransport(database).start()
    async with database.transaction() as tx:
        for statement in _FILL.values():
            await tx.execute(text(statement), {"events": events})
    await database.close()


def peaks(events: int, seconds: float) -> dict[str, int]:
    """The peak of each process, in MB, with a backlog of so many events."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "backlog.db"
        asyncio.run(_prepare(path, events))
        found = {}
        for kind in LIMITS:
            command = [sys.executable, __file__, "--measure", kind, str(path)]
            options = ["--seconds", str(seconds)]
            done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            found[kind] = int(done.stdout.split()[-1])
        return found


def main() -> int:
    """0 when every process stayed below its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--measure", nargs=2, metavar=("KIND", "PATH"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        asyncio.run(measure(*options.measure, options.seconds))
        return 0
    found = peaks(options.events, options.seconds)
    for kind, peak in found.items():
        print(f"{kind}: {peak} MB with {options.events} events (limit {LIMITS[kind]} MB)")
    return int(any(peak > LIMITS[kind] for kind, peak in found.items()))


if __name__ == "__main__":
    sys.exit(main())
