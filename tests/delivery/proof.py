"""A generated service that proves delivery: it publishes numbered orders and handles them itself.

`source` says what was committed, `effects` what handlers did. Everything the tests assert is
counted in those two tables.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg

from tests.support.generate import eventgen, new_service

SPEC = """\
eventgen: 1
service: proof
publishes:
  order.placed:
    channel: TOPIC
    key: customer
    data: {customer: string, number: integer, poison: boolean}
subscribes:
  order.placed:
"""

RETRY = """
channels:
  TOPIC:
    retry: {attempts: 5, initial: 0.2, factor: 1.5, maximum: 1}
"""

HANDLER = '''\
"""Writes one row for each order it handles."""

from __future__ import annotations

import asyncio
import json
import os

from sqlalchemy import text

from .._generated.events import OrderPlaced
from .._generated.publishers import Context


async def on_order_placed(event: OrderPlaced, ctx: Context) -> None:
    """One effect a call; a little work, so that a kill finds something in flight."""
    await asyncio.sleep(float(os.environ.get("PROOF_WORK", "0.01")))
    if event.poison:
        raise ValueError(f"order {event.number} of {event.customer} is poison")
    await ctx.db.execute(
        text("INSERT INTO effects (customer, number, pid) VALUES (:customer, :number, :pid)"),
        {"customer": event.customer, "number": event.number, "pid": os.getpid()},
    )
'''

PUBLISH = '''\
"""publish.py COUNT CUSTOMERS POISON: commit COUNT orders, several writers at once.

Each order's number comes from its customer's row, locked: numbers follow the order of commits.
"""

import asyncio
import json
import os
import sys

from sqlalchemy import text

from proof._generated.events import OrderPlaced
from proof._generated.service import SERVICE
from proof._runtime.databases import open_database
from proof._runtime.outbox import Publisher
from proof._runtime.unit_of_work import UnitOfWork

WRITERS = 4
NEXT = "UPDATE source SET number = number + 1 WHERE customer = :customer RETURNING number"


async def place(database, publisher, customer, poison):
    async with UnitOfWork(database, publisher, lambda: None) as uow:
        found = await uow.db.execute(text(NEXT), {"customer": customer})
        number = found.scalar_one()
        bad = number == 2 and customer == poison
        uow.publish(OrderPlaced(customer=customer, number=number, poison=bad))


async def write(database, publisher, orders, poison):
    for customer in orders:
        await place(database, publisher, customer, poison)


async def main(count, customers, poison):
    database = open_database(os.environ["PROOF_DATABASE_URL"])
    publisher = Publisher(SERVICE)
    orders = [f"c{number % customers}" for number in range(count)]
    writers = (write(database, publisher, orders[n::WRITERS], poison) for n in range(WRITERS))
    await asyncio.gather(*writers)
    await database.close()


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
'''

TABLES = """
CREATE TABLE source (customer text PRIMARY KEY, number int NOT NULL);
CREATE TABLE effects (
  id bigserial PRIMARY KEY, customer text NOT NULL, number int NOT NULL, pid int NOT NULL
);
"""

# Order within a key is the order of ids: two effects of one key are never written at the same time.
COUNTS = """
WITH placed AS (SELECT customer, generate_series(1, number) AS number FROM source)
SELECT
  (SELECT count(*) FROM placed) AS placed,
  (SELECT count(*) FROM effects) AS effects,
  (SELECT count(*) FROM placed p WHERE NOT EXISTS (
     SELECT 1 FROM effects e WHERE e.customer = p.customer AND e.number = p.number)) AS lost,
  (SELECT count(*) - count(DISTINCT (customer, number)) FROM effects) AS doubles,
  (SELECT count(*) FROM effects e WHERE NOT EXISTS (
     SELECT 1 FROM placed p WHERE e.customer = p.customer AND e.number = p.number)) AS ghosts,
  (SELECT count(*) FROM (
     SELECT number, lag(number) OVER (PARTITION BY customer ORDER BY id) AS before FROM effects
   ) o WHERE o.number < o.before) AS inversions,
  (SELECT count(*) FROM outbox) AS outbox,
  (SELECT count(*) FROM parked) AS parked
"""


@dataclass(frozen=True)
class Counts:
    """What the database says. `inversions`: an effect after a later one of its key."""

    placed: int
    effects: int
    lost: int
    doubles: int
    ghosts: int
    inversions: int
    outbox: int
    parked: int


@dataclass
class Proof:
    """One generated service on real servers, and the processes that run it."""

    root: Path
    dsn: str
    env: dict[str, str]
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *command: str, **env: str) -> subprocess.Popen[bytes]:
        """Start `python -m proof ...`; its output goes to a log in the project."""
        log = (self.root / f"{'-'.join(command)}-{len(self.running)}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-m", "proof", *command],
            cwd=self.root,
            env=self.env | env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        self.running.append(process)
        return process

    def consumer(self, **env: str) -> subprocess.Popen[bytes]:
        """A process that handles events and does not relay."""
        return self.start("run", PROOF_RELAY="false", **env)

    def do(self, *command: str | Path) -> str:
        """Run Python with these arguments to its end; its output."""
        done = subprocess.run(
            [sys.executable, *command],
            cwd=self.root,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout

    def publish(self, count: int, customers: int, poison: str = "-") -> None:
        """Commit so many orders, of so many customers."""
        self.sql(
            "INSERT INTO source SELECT 'c' || n, 0 FROM generate_series(0, $1 - 1) n"
            " ON CONFLICT DO NOTHING",
            customers,
        )
        self.do("publish.py", str(count), str(customers), poison)

    def counts(self) -> Counts:
        """Count now."""
        return Counts(**dict(self.sql(COUNTS)[0]))

    def sql(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """Run one statement."""

        async def run() -> list[asyncpg.Record]:
            connection = await asyncpg.connect(self.dsn)
            try:
                return await connection.fetch(statement, *arguments)
            finally:
                await connection.close()

        return asyncio.run(run())

    def wait(self, reached: Callable[[Counts], bool], seconds: float) -> Counts:
        """Wait until the counts say so, or until the time is up; the last counts."""
        until = time.monotonic() + seconds
        while not reached(counts := self.counts()) and time.monotonic() < until:
            time.sleep(0.1)
        return counts

    def wait_for_dead_letters(self, many: int, seconds: float) -> list[dict[str, Any]]:
        """The dead letters, once there are so many; headers as an object, the body as bytes."""
        until = time.monotonic() + seconds
        rows: list[asyncpg.Record] = []
        while len(rows) < many and time.monotonic() < until:
            time.sleep(0.1)
            rows = self.sql("SELECT * FROM parked WHERE status = 'dead' ORDER BY seq")
        return [{**row, "headers": json.loads(row["headers"])} for row in rows]

    def settle(self, quiet: float = 2.0, seconds: float = 60.0) -> Counts:
        """Wait until nothing has changed for a while; the last counts."""
        until = time.monotonic() + seconds
        last, since = self.counts(), time.monotonic()
        while time.monotonic() < until and time.monotonic() - since < quiet:
            time.sleep(0.2)
            if (now := self.counts()) != last:
                last, since = now, time.monotonic()
        return last

    def logs(self) -> str:
        """The end of every process's output, for a failure's message."""
        return "\n".join(
            f"--- {log.name}\n{log.read_text(errors='replace')[-1500:]}"
            for log in sorted(self.root.glob("*.log"))
        )


def mutate(root: Path, file: str, old: str, new: str) -> None:
    """Switch a mechanism off in the generated runtime; the text must be there exactly once."""
    path = root / "src" / "proof" / "_runtime" / file
    text = path.read_text()
    assert text.count(old) == 1, f"{old!r} is in {file} {text.count(old)} times"
    path.write_text(text.replace(old, new))


@contextmanager
def proof(root: Path, bootstrap: str, url: str, dsn: str) -> Iterator[Proof]:
    """Generate the service, create its tables and topics; end every process it started."""
    spec = root / "proof.yaml"
    topic = f"order.placed.{uuid4().hex}"
    spec.write_text(SPEC.replace("TOPIC", topic))
    project = new_service(root, "--spec", spec, "--broker", "kafka")
    config = project / "eventgen.yaml"
    config.write_text(config.read_text() + RETRY.replace("TOPIC", topic))
    assert eventgen("generate", cwd=project).returncode == 0
    (project / "src/proof/handlers/on_order_placed.py").write_text(HANDLER)
    (project / "publish.py").write_text(PUBLISH)
    env = {
        **{name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ},
        "PYTHONPATH": str(project / "src"),
        "PROOF_DATABASE_URL": url,
        "PROOF_KAFKA_BOOTSTRAP_SERVERS": bootstrap,
        "PROOF_KAFKA_GROUP_ID": topic,
        # A member that was killed is missed after these milliseconds.
        "PROOF_KAFKA_SESSION_TIMEOUT_MS": "6000",
        "PROOF_HTTP_PORT": "0",
        "PROOF_LOG_LEVEL": "info",
    }
    made = Proof(project, dsn, env)
    try:
        made.do("-m", "proof", "migrate")
        for statement in TABLES.strip().split(";\n"):
            made.sql(statement.strip().rstrip(";"))
        made.do("-m", "proof", "provision")
        yield made
    finally:
        for process in made.running:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()
