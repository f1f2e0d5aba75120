"""The app on SQLite and the embedded broker: from start to drain."""

from __future__ import annotations

import asyncio
import time

import pytest
from runtime import embedded
from runtime.app import App
from runtime.connecting import connect_database
from runtime.errors import ConfigurationError
from runtime.metrics import OUTBOX_PENDING, PARKED
from sqlalchemy import text

from tests.runtime.tiny import (
    SERVICE,
    Paid,
    Settings,
    captured,
    make_service,
    migrate,
    until,
)

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(embedded, "COMMIT_EVERY", 0.02)


@pytest.fixture
def settings(tmp_path):
    return Settings(broker="embedded", database_url=migrate(tmp_path), drain_timeout=5.0)


async def count(app, table):
    async with app.database.engine.connect() as connection:
        return (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()


async def published(app):
    """The keys of what reached the broker."""
    async with app.database.engine.connect() as connection:
        query = "SELECT key FROM embedded_log WHERE destination = 'orders' ORDER BY id"
        return [row.key for row in await connection.execute(text(query))]


async def test_an_event_goes_through_handler_and_relay(settings):
    async with App(SERVICE, settings) as app:
        assert await app.not_ready() == []
        await app.transport.publish([captured(5, "o7")])

        async def arrived():
            return await published(app) == ["o7"]

        await until(arrived)
        assert await count(app, "inbox") == 1


async def test_a_unit_of_work_publishes_on_commit_only(settings):
    async with App(SERVICE, settings) as app:
        with pytest.raises(RuntimeError, match="no"):
            async with app.unit_of_work() as uow:
                uow.publish(Paid(order_id="ghost"))
                raise RuntimeError("no")
        async with app.unit_of_work(correlation_id="request-1") as uow:
            uow.publish(Paid(order_id="o9"))

        async def arrived():
            return await published(app)

        await until(arrived)
        assert await published(app) == ["o9"]


async def test_readiness_ends_first_and_work_under_way_is_finished(settings):
    entered, leave = asyncio.Event(), asyncio.Event()

    async def slow(event, ctx):
        entered.set()
        await leave.wait()
        ctx.publish(Paid(order_id=event.order_id))

    stopping = asyncio.Event()
    app = App(make_service(slow), settings)
    running = asyncio.create_task(app.run(stopping))

    async def ready():
        return not await app.not_ready()

    await until(ready)
    await app.transport.publish([captured(1)])
    await asyncio.wait_for(entered.wait(), 5)
    stopping.set()
    await asyncio.sleep(0.1)
    assert await app.not_ready() == ["the service is draining"]
    assert not running.done()
    leave.set()
    await asyncio.wait_for(running, 5)
    assert await app.not_ready() == ["the service is stopped"]
    # What the handler published last went out with the relay's last round.
    assert await published(app) == ["o1"]
    assert await count(app, "outbox") == 0
    async with app.database.engine.connect() as connection:
        held = "SELECT count(*) FROM outbox_lane WHERE owner IS NOT NULL"
        assert (await connection.execute(text(held))).scalar_one() == 0
    await app.database.close()


async def test_what_the_drain_cuts_off_is_handled_by_the_next_start(settings):
    async def stuck(event, ctx):
        ctx.publish(Paid(order_id=event.order_id))
        await asyncio.sleep(60)

    settings = settings.model_copy(update={"drain_timeout": 0.3})
    started = time.monotonic()
    async with App(make_service(stuck), settings) as app:
        await app.transport.publish([captured(1)])
        await asyncio.sleep(0.3)
    assert time.monotonic() - started < 30
    assert await count(app, "inbox") == 0
    async with App(SERVICE, settings) as app:

        async def arrived():
            return await published(app) == ["o1"]

        await until(arrived)
        assert await count(app, "inbox") == 1


async def test_the_gauges_are_set(settings):
    async with App(SERVICE, settings) as app:
        await app.transport.publish([captured(-1)])

        async def parked():
            return await count(app, "parked")

        await until(parked)
        await app._housekeeping.measure()
    assert PARKED.labels("payments", "dead")._value.get() == 1
    assert PARKED.labels("payments", "waiting")._value.get() == 0
    assert OUTBOX_PENDING._value.get() == 0


async def test_what_was_handled_long_ago_is_forgotten(settings):
    async with App(SERVICE, settings) as app:
        async with app.database.transaction() as tx:
            await tx.execute(
                text("INSERT INTO inbox VALUES ('payments', 'x', '2020-01-01 00:00:00.000')")
            )
        await app._housekeeping.forget(asyncio.Event())
        assert await count(app, "inbox") == 0


async def test_without_tables_it_says_what_to_run(tmp_path):
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(ConfigurationError, match="no table inbox: run `tiny migrate`"):
        async with App(SERVICE, settings):
            pass


class Away:
    """A database that is away a while."""

    def __init__(self, database, times):
        self._database = database
        self.times = times

    def __getattr__(self, name):
        return getattr(self._database, name)

    @property
    def engine(self):
        if self.times:
            self.times -= 1
            raise ConnectionRefusedError("nobody listens")
        return self._database.engine

    async def healthy(self):
        return not self.times and await self._database.healthy()


async def test_it_waits_for_a_database_that_is_away(settings):
    transport = embedded.connect(SERVICE, connect_database(SERVICE, settings))
    database = Away(transport.database, times=3)
    async with App(SERVICE, settings, database, transport) as app:
        assert await app.not_ready() == ["the service is starting"]

        async def ready():
            return not await app.not_ready()

        await until(ready)
        assert database.times == 0


async def test_stopping_ends_the_wait(settings):
    transport = embedded.connect(SERVICE, connect_database(SERVICE, settings))
    database = Away(transport.database, times=10**6)
    async with asyncio.timeout(5):
        async with App(SERVICE, settings, database, transport) as app:
            assert await app.not_ready() == ["the service is starting"]


async def test_a_part_that_crashes_ends_the_service(settings, monkeypatch):
    stopping = asyncio.Event()
    app = App(SERVICE, settings)

    async def broken(_stopping):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(app._housekeeping, "run", broken)
    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(app.run(stopping), 10)
    assert await app.not_ready() == ["the service is stopped"]


async def test_relay_and_handlers_can_be_in_different_processes(settings):
    handling = settings.model_copy(update={"relay": False})
    async with App(SERVICE, handling) as app:
        await app.transport.publish([captured(5)])

        async def stored():
            return await count(app, "outbox")

        await until(stored)
        await asyncio.sleep(0.2)
        assert await published(app) == []
    async with App(SERVICE, handling, consume=False, relay=True) as app:

        async def arrived():
            return await published(app)

        await until(arrived)
        assert app.consumptions == []
