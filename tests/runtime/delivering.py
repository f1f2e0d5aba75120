"""A subscription on a real database, with a broker that records what it is told, and when."""

from __future__ import annotations

import asyncio
import json
import zlib
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel
from runtime.consumer import Consumption
from runtime.databases import open_database
from runtime.envelope import Envelope, to_headers
from runtime.handling import Handling
from runtime.outbox import Publisher
from runtime.parked import ParkedWorker
from runtime.postgres import PostgresDatabase
from runtime.service import (
    Channel,
    EventType,
    Publication,
    RetryPolicy,
    Route,
    Service,
    Subscription,
)
from runtime.sqlite import SqliteDatabase
from runtime.transport import Incoming
from sqlalchemy import text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tests.support.runtime import create_tables

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

CONSUMER = "billing"
SECONDS = 20.0  # for everything that must happen at all


class Paid(BaseModel):
    """What the subscription takes."""

    order_id: str
    n: int = 0


class Billed(BaseModel):
    """What its handler publishes."""

    order_id: str
    n: int


class Base(DeclarativeBase):
    """Of the classes that are mapped to the handler's own tables."""


class Effect(Base):
    """A row of the handler's."""

    __tablename__ = "effect"
    seq: Mapped[int] = mapped_column(primary_key=True)
    k: Mapped[str]
    n: Mapped[int]


PAID = EventType("order.paid", "1.0.0", Paid, ("order_id",))
BILLED = EventType("order.billed", "1.0.0", Billed, ("order_id",))
SENT = Channel("billed", "billed", "billed")


class RecordingConsumer:
    """The broker's end of a subscription."""

    def __init__(self, log: list[tuple[str, Any]]) -> None:
        self.log = log
        self.acked: list[str] = []
        self.paused = self.closed = False

    def ack(self, messages: Sequence[Incoming]) -> None:
        self.acked += [message.origin for message in messages]
        self.log += [("ack", message.origin) for message in messages]

    async def pause(self) -> None:
        self.paused = True

    async def close(self) -> None:
        self.closed = True

    async def lag(self) -> int | None:
        return 0


class RecordingTransport:
    """A broker that delivers what the test says."""

    def __init__(self, log: list[tuple[str, Any]]) -> None:
        self.consumer = RecordingConsumer(log)
        self.deliver: Any = None

    async def consume(self, _subscription: Any, _group: str, deliver: Any) -> Any:
        self.deliver = deliver
        return self.consumer


class RecordingDatabase:
    """A database that notes its commits and the events each of them settled."""

    def __init__(self, database: Any, log: list[tuple[str, Any]]) -> None:
        self.database = database
        self.log = log
        self.failures: list[Exception] = []  # raised by the next transactions instead of opening
        self.outages: tuple[type[Exception], ...] = ()
        self.postponed: list[float | None] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.database, name)

    @asynccontextmanager
    async def transaction(self, **limit: Any) -> AsyncIterator[Any]:
        if self.failures:
            raise self.failures.pop(0)
        async with self.database.transaction(**limit) as tx:
            tx.info["settled"] = []
            yield tx
            settled = tx.info.pop("settled")
        self.log += [("commit", id_) for id_ in settled]

    def is_outage(self, error: BaseException) -> bool:
        return isinstance(error, self.outages) or self.database.is_outage(error)

    async def claim(
        self, tx: Any, consumer: str, ids: Sequence[UUID], **limit: Any
    ) -> frozenset[UUID]:
        tx.info["settled"] += ids
        return await self.database.claim(tx, consumer, ids, **limit)

    async def park(self, tx: Any, consumer: str, events: Sequence[Any]) -> None:
        tx.info["settled"] += [event.event_id for event in events]
        await self.database.park(tx, consumer, events)

    async def postpone(self, tx: Any, seq: int, *, delay: float | None, **about: Any) -> None:
        self.postponed.append(delay)
        await self.database.postpone(tx, seq, delay=delay, **about)


class Bench:
    """The subscription, everything it talks to, and what happened."""

    def __init__(self, database: Any, handler: Any, **options: Any) -> None:
        ordering = options.pop("ordering", "key")
        channel = Channel("orders", "orders", "orders", ordering=ordering)
        options.setdefault("retry", RetryPolicy(attempts=10, initial=0.05, maximum=0.05))
        self.subscription = Subscription(CONSUMER, channel, (Route(PAID, handler),), **options)
        self.service = Service(
            "billing",
            "1.0.0",
            "billing",
            "embedded",
            None,  # type: ignore[arg-type] - no app makes a transport here
            (Publication(BILLED, SENT),),
            (self.subscription,),
        )
        self.log: list[tuple[str, Any]] = []
        self.database = RecordingDatabase(database, self.log)
        self.transport = RecordingTransport(self.log)
        self.publisher = Publisher(self.service)
        self.woken = 0
        self.handling = Handling(self.subscription, self.database, self.publisher, self.wake)
        self.consumption = self.new_consumption()
        self.stopping = asyncio.Event()
        self.parked_worker: asyncio.Task[None] | None = None

    def new_consumption(self) -> Consumption:
        return Consumption(self.handling, self.transport, "billing")

    def wake(self) -> None:
        self.woken += 1

    @property
    def acked(self) -> list[str]:
        return self.transport.consumer.acked

    async def deliver(self, *messages: Incoming) -> None:
        await self.transport.deliver(messages)

    async def settle(self, *messages: Incoming) -> None:
        """Deliver, and wait until every message is acknowledged."""
        before = len(self.acked)
        await self.deliver(*messages)
        await until(lambda: len(self.acked) >= before + len(messages))

    def start_parked_worker(self) -> None:
        worker = ParkedWorker(self.database, [self.handling])
        self.parked_worker = asyncio.create_task(worker.run(self.stopping))

    async def stop_parked_worker(self) -> None:
        self.stopping.set()
        if self.parked_worker is not None:
            await asyncio.wait_for(self.parked_worker, SECONDS)

    async def rows(self, statement: str) -> list[Any]:
        """What is committed, seen by another connection."""
        async with self.database.engine.connect() as connection:
            return list((await connection.execute(text(statement))).all())

    async def effects(self) -> list[tuple[str, int]]:
        """The handler's own rows, in the order they were written."""
        return [tuple(row) for row in await self.rows("select k, n from effect order by seq")]

    async def parked(self, status: Any = None) -> Sequence[Any]:
        return await self.database.list_parked(CONSUMER, status, 1000)

    async def published(self) -> list[tuple[str, int]]:
        """What waits in the outbox, in order."""
        bodies = [json.loads(row.body) for row in await self.database.list_outbox(1000)]
        return [(body["order_id"], body["n"]) for body in bodies]

    async def parked_empty(self) -> None:
        async with asyncio.timeout(SECONDS):
            while await self.parked():
                await asyncio.sleep(0.02)


@asynccontextmanager
async def bench(url: str, handler: Any, **options: Any) -> AsyncIterator[Bench]:
    """A running subscription on an empty database."""
    database = open_database(url)
    try:
        serial = "integer primary key" if url.startswith("sqlite") else "bigserial primary key"
        await create_tables(database)
        async with database.engine.begin() as connection:
            await connection.execute(
                text(f"create table effect (seq {serial}, k text not null, n int not null)")
            )
        made = Bench(database, handler, **options)
        await made.consumption.start()
        try:
            yield made
        finally:
            await made.stop_parked_worker()
            await made.consumption.close()
    finally:
        await database.close()


def message(key: str | None, n: int = 0, **changes: Any) -> Incoming:
    """An `order.paid` from the broker. `id`, `type`, `body`, `headers`, `stale` change it."""
    envelope = Envelope(
        id=changes.get("id", uuid4()),
        type=changes.get("type", PAID.type),
        source="/shop",
        time=datetime(2026, 1, 2, tzinfo=UTC),
        version="1.0.0",
        key=key,
        correlation_id="c-1",
        causation_id=None,
        traceparent=None,
        headers={},
    )
    return Incoming(
        destination="orders",
        key=key,
        headers=changes.get("headers", to_headers(envelope, "application/json")),
        body=changes.get("body", json.dumps({"order_id": key or "", "n": n}).encode()),
        origin=changes.get("origin", f"orders/0/{uuid4()}"),
        stale=changes.get("stale", lambda: False),
    )


async def write(event: Paid, ctx: Any) -> None:
    """What most handlers of the tests do: one row, one event."""
    await ctx.db.execute(
        text("insert into effect (k, n) values (:k, :n)"), {"k": event.order_id, "n": event.n}
    )
    ctx.publish(Billed(order_id=event.order_id, n=event.n))


async def limit_of_transactions(event: Paid, ctx: Any) -> None:
    """Write down how many milliseconds PostgreSQL waits to hear of this transaction."""
    await ctx.db.execute(
        text("""
            insert into effect (k, n) select setting, :n from pg_settings
            where name = 'idle_in_transaction_session_timeout'
        """),
        {"n": event.n},
    )


def in_one_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches end where the lane does; the quick attempts come at once."""
    budget(monkeypatch, 60.0)
    monkeypatch.setattr("runtime.retry.IN_LANE", (0.001, 0.001, 0.001))


def budget(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """How long the handlers of one transaction may take together, on any database."""
    monkeypatch.setattr(PostgresDatabase, "budget", seconds)
    monkeypatch.setattr(SqliteDatabase, "budget", seconds)


def keys_of_first_lane(lanes: int) -> list[str]:
    """Those of `key-0` to `key-99` that share the first lane."""
    keys = [f"key-{n}" for n in range(100)]
    return [key for key in keys if zlib.crc32(key.encode()) % lanes == 0]


async def until(condition: Any, seconds: float = SECONDS) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.002)
