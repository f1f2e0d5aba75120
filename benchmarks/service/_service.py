"""The service that is measured, generated anew, on a broker and a PostgreSQL of its own."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
from confluent_kafka import Consumer, Producer, TopicPartition
from parts.orders import orders

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "generator")]

from tests.servers import kafka as kafka_server  # noqa: E402  - found just now
from tests.servers import postgres as postgres_server  # noqa: E402
from tests.servers.base import own_server  # noqa: E402
from tests.support.generate import eventgen, run  # noqa: E402

Process = subprocess.Popen[bytes]

PARTS = Path(__file__).parent / "parts"
PARTITIONS = 8
TOPIC = "bench-orders"

SPEC = """\
eventgen: 1
service: bench
publishes:
  order.placed:
    channel: bench-orders
    key: customer
    data: {order_id: uuid, customer: string, number: integer, placed_at: date-time, note: string}
subscribes:
  order.placed:
"""

HANDLER = '''\
"""One row for each order, in one of two ways."""

from __future__ import annotations

import os

from sqlalchemy import text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from .._generated.events import OrderPlaced
from .._generated.publishers import Context

INSERT = text("INSERT INTO effects (customer, number) VALUES (:customer, :number)")


class Base(DeclarativeBase):
    pass


class Effect(Base):
    __tablename__ = "effects"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer: Mapped[str]
    number: Mapped[int]


async def add(event: OrderPlaced, ctx: Context) -> None:
    ctx.db.add(Effect(customer=event.customer, number=event.number))


async def execute(event: OrderPlaced, ctx: Context) -> None:
    await ctx.db.execute(INSERT, {"customer": event.customer, "number": event.number})


on_order_placed = execute if os.environ.get("HANDLER") == "execute" else add
'''

TABLES = """
CREATE TABLE effects (
  id bigserial PRIMARY KEY, customer text NOT NULL, number int NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
)
"""


@dataclass(frozen=True)
class On:
    """A broker: its name, what starts a server, and what processes have to know of that."""

    broker: str
    module: Any
    env: Callable[[Any], Mapping[str, str]]


KAFKA = On(
    "kafka",
    kafka_server,
    lambda kafka: {"BENCH_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap, "BOOTSTRAP": kafka.bootstrap},
)


@dataclass(frozen=True)
class Bench:
    """The generated project, the servers below it, and what to run it with."""

    project: Path
    server: Any
    postgres: Any
    env: dict[str, str]

    def sql(self, statement: str, *arguments: object) -> list[Any]:
        return asyncio.run(_fetch(self.postgres.dsn, statement, arguments))

    @contextmanager
    def running(self, *command: str | Path, **env: str) -> Iterator[Process]:
        """A process, for as long as the block; what it says goes to a log."""
        with (self.project / "log").open("ab") as log:
            process = subprocess.Popen(
                [str(part) for part in command],
                cwd=self.project,
                env=self.env | env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
            try:
                yield process
            finally:
                process.send_signal(signal.SIGKILL)
                process.wait()

    def service(self, *command: str, **env: str) -> AbstractContextManager[Process]:
        """A process of the generated service."""
        return self.running(sys.executable, "-m", "bench", *command, **env)

    def finish(self, *command: str | Path) -> str:
        """Run a program to its end; what it printed."""
        done = run(*command, cwd=self.project, env=self.env)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def other_topic(self) -> str:
        """A new topic."""
        topic = f"{TOPIC}-{uuid4().hex}"
        self.server.create_topic(topic, PARTITIONS)
        return topic

    def messages(self) -> int:
        """How many messages are in the service's topic."""
        return sum(self._ends().values())

    def group_at_the_end(self) -> str:
        """A group that has consumed all there is."""
        group = uuid4().hex
        ends = [TopicPartition(TOPIC, partition, end) for partition, end in self._ends().items()]
        client = Consumer({"bootstrap.servers": self.server.bootstrap, "group.id": group})
        client.commit(offsets=ends, asynchronous=False)
        client.close()
        return group

    def _ends(self) -> dict[int, int]:
        client = Consumer({"bootstrap.servers": self.server.bootstrap, "group.id": "ends"})
        try:
            return {
                partition: client.get_watermark_offsets(
                    TopicPartition(TOPIC, partition), timeout=10
                )[1]
                for partition in range(PARTITIONS)
            }
        finally:
            client.close()

    def log(self) -> str:
        return (self.project / "log").read_text()[-3000:]


async def _fetch(dsn: str, statement: str, arguments: Sequence[object]) -> list[Any]:
    connection = await asyncpg.connect(dsn)
    try:
        return list(await connection.fetch(statement, *arguments))
    finally:
        await connection.close()


def produce(bench: Bench, topic: str, events: int) -> float:
    """Fill a topic with events as a relay would, in so many seconds."""
    failed = []

    def hear(error: object, _message: object) -> None:
        if error is not None:
            failed.append(error)

    producer = Producer(
        {
            "bootstrap.servers": bench.server.bootstrap,
            "enable.idempotence": True,
            "linger.ms": 1,
            "compression.type": "lz4",
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    messages = [(key, body, list(named.items())) for key, named, body in orders(0, events)]
    began = time.perf_counter()
    for number, (key, body, pairs) in enumerate(messages):
        producer.produce(topic, body, key, headers=pairs, on_delivery=hear)
        if number % 1000 == 0:
            producer.poll(0)
    producer.flush()
    assert not failed, failed[0]
    return time.perf_counter() - began


def _generate(folder: Path, broker: str) -> Path:
    spec = folder / "bench.yaml"
    spec.write_text(SPEC)
    here = {"PYTHONPATH": str(ROOT / "generator")}
    options = ("--spec", spec, "--broker", broker)
    made = eventgen("new", "service", folder / "bench", *options, cwd=folder, env=here)
    assert made.returncode == 0, made.stderr
    (folder / "bench/src/bench/handlers/on_order_placed.py").write_text(HANDLER)
    return folder / "bench"


@contextmanager
def running_bench(on: On = KAFKA) -> Iterator[Bench]:
    """Servers, tables and the service; all gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="eventgen-bench-"))
    folder.chmod(0o711)  # PostgreSQL runs as another user when this runs as root
    try:
        project = _generate(folder, on.broker)
        with (
            own_server(on.module, folder / on.broker) as server,
            own_server(postgres_server, folder / "postgres") as postgres,
        ):
            env = {
                **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
                "PYTHONPATH": str(project / "src"),
                "BENCH_DATABASE_URL": postgres.url,
                **on.env(server),
                "BENCH_HTTP_PORT": "0",
                "DSN": postgres.dsn,
                "TOPIC": TOPIC,
            }
            made = Bench(project, server, postgres, env)
            made.finish(sys.executable, "-m", "alembic", "upgrade", "head")
            made.sql(TABLES)
            if on is KAFKA:
                server.create_topic(TOPIC, PARTITIONS)
            yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)
