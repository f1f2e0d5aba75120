"""What the handlers of a batch leave to their session is written together, and nobody can tell."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from contextvars import ContextVar
from typing import NamedTuple

import pytest
from sqlalchemy import event as events
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from tests.runtime.delivering import Base, Effect, bench, in_one_batch, message

COUNT = "SELECT count(*) FROM effect"


class Other(Base):
    """Of another class; here it is the same table."""

    __table__ = Effect.__table__


def of_sqlite(url):
    """SQLAlchemy gives ids to its rows one by one, which costs nothing in the same process."""
    return url.startswith("sqlite")


def added(event, kind=Effect):
    return kind(k=event.order_id, n=event.n)


@pytest.fixture(autouse=True)
def one_batch(monkeypatch):
    in_one_batch(monkeypatch)


class Done(NamedTuple):
    """What came of some events: their effects, the inserts of those, what is parked."""

    effects: list[tuple[str, int]]
    inserts: int
    parked: list[str]

    @property
    def numbers(self):
        return [n for _, n in self.effects]


def together(url, handler, count=4):
    """Deliver so many events in one batch."""

    async def case():
        inserts = []

        def note(_connection, _cursor, statement, *_):
            if statement.lower().startswith("insert into effect"):
                inserts.append(statement)

        async with bench(url, handler, concurrency=1) as b:
            events.listen(b.database.engine.sync_engine, "before_cursor_execute", note)
            await b.settle(*[message(f"k{n}", n) for n in range(count)])
            parked = [row.key for row in await b.parked()]
            return Done(await b.effects(), len(inserts), parked)

    return asyncio.run(case())


def test_they_are_one_statement_in_the_order_of_the_events(database_url):
    async def handler(event, ctx):
        ctx.db.add(added(event))

    done = together(database_url, handler, 20)
    assert done.numbers == list(range(20))
    assert done.inserts == (20 if of_sqlite(database_url) else 1)


def test_what_a_handler_wrote_itself_comes_after_what_waits(database_url):
    async def handler(event, ctx):
        ctx.db.add(row := added(event))
        if event.n % 2:
            await ctx.db.flush()
            row.n += 100

    assert together(database_url, handler).numbers == [0, 101, 2, 103]


async def by_sql(db):
    return (await db.execute(text(COUNT))).scalar_one()


async def by_orm(db):
    return await db.scalar(select(func.count()).select_from(Effect))


async def on_the_connection(db):
    return (await (await db.connection()).execute(text(COUNT))).scalar_one()


async def on_the_drivers_connection(db):
    driver = (await (await db.connection()).get_raw_connection()).driver_connection
    if hasattr(driver, "fetchval"):
        return await driver.fetchval(COUNT)
    [[count]] = await driver.execute_fetchall(COUNT)
    return count


LOOKS = [by_sql, by_orm, on_the_connection, on_the_drivers_connection]


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.__name__)
def test_a_handler_sees_what_those_before_it_left(database_url, look):
    seen = []

    async def handler(event, ctx):
        if event.n == 2:
            seen.append(await look(ctx.db))
        else:
            ctx.db.add(added(event))

    done = together(database_url, handler)
    assert seen == [2]
    assert done.numbers == [0, 1, 3]
    assert done.parked == []


async def in_the_session(db):
    return await db.begin_nested()


async def in_the_connection(db):
    return await (await db.connection()).begin_nested()


@pytest.mark.parametrize("begin", [in_the_session, in_the_connection], ids=lambda b: b.__name__)
def test_a_savepoint_that_is_taken_back_takes_nothing_of_other_handlers(database_url, begin):
    async def handler(event, ctx):
        if event.n != 2:
            ctx.db.add(added(event))
            return
        savepoint = await begin(ctx.db)
        await ctx.db.execute(text("INSERT INTO effect (k, n) VALUES ('none', 99)"))
        await savepoint.rollback()

    assert together(database_url, handler).numbers == [0, 1, 3]


def test_what_was_added_in_an_open_savepoint_is_taken_back_with_it(database_url):
    async def handler(event, ctx):
        if event.n == 1:
            await ctx.db.begin_nested()
        ctx.db.add(added(event))

    assert together(database_url, handler).numbers == [0, 2, 3]


def test_a_handler_that_empties_its_session_empties_its_own(database_url):
    async def handler(event, ctx):
        ctx.db.add(added(event))
        if event.n == 1:
            ctx.db.expunge_all()
        if event.n == 2:
            await ctx.db.close()

    assert together(database_url, handler).numbers == [0, 3]


async def leaves_what_cannot_be_written(event, ctx):
    ctx.db.add(Effect(k=None, n=event.n))


async def swallows_an_error_of_its_session(event, ctx):
    ctx.db.add(Effect(k=None, n=event.n))
    with suppress(IntegrityError):
        await ctx.db.flush()
    ctx.db.add(added(event))


async def fails(event, ctx):
    ctx.db.add(added(event))
    raise ValueError


WRONG = [leaves_what_cannot_be_written, swallows_an_error_of_its_session, fails]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.__name__)
def test_a_handler_that_goes_wrong_costs_its_own_event_alone(database_url, wrong):
    async def handler(event, ctx):
        if event.n == 1:
            await wrong(event, ctx)
        else:
            ctx.db.add(added(event))

    done = together(database_url, handler)
    assert done.numbers == [0, 2, 3]
    assert done.parked == ["k1"]


def test_rows_of_another_class_do_not_wait_with_them(database_url):
    """Which of the two must be there first, only the order of the events can say."""

    async def handler(event, ctx):
        ctx.db.add(added(event, Other if event.n == 2 else Effect))

    done = together(database_url, handler)
    assert done.numbers == [0, 1, 2, 3]
    assert done.inserts == (4 if of_sqlite(database_url) else 3)


def test_a_default_may_ask_for_what_its_handler_has_set(database_url):
    tenant: ContextVar[str] = ContextVar("tenant")

    def owner():
        return tenant.get()

    class Tenants(DeclarativeBase):
        pass

    class Owned(Tenants):
        __tablename__ = "effect"
        seq: Mapped[int] = mapped_column(primary_key=True)
        k: Mapped[str] = mapped_column(default=owner)
        n: Mapped[int]

    async def handler(event, ctx):
        tenant.set(f"of {event.order_id}")
        ctx.db.add(Owned(n=event.n))

    done = together(database_url, handler, 3)
    assert done.effects == [("of k0", 0), ("of k1", 1), ("of k2", 2)]


def test_a_listener_may_ask_for_what_the_handler_noted_in_its_session(database_url):
    def stamp(session, *_):
        for row in session.new:
            row.k = session.info.get("tenant", "nobody")

    async def handler(event, ctx):
        ctx.db.info["tenant"] = f"of {event.order_id}"
        ctx.db.add(added(event))

    events.listen(Session, "before_flush", stamp)
    try:
        done = together(database_url, handler, 3)
        assert done.effects == [("of k0", 0), ("of k1", 1), ("of k2", 2)]
    finally:
        events.remove(Session, "before_flush", stamp)


def test_an_object_is_written_as_its_handler_left_it(database_url):
    kept = []

    async def handler(event, ctx):
        for row in kept:
            row.k = "changed"
        kept.append(added(event))
        ctx.db.add(kept[-1])

    assert together(database_url, handler, 3).effects == [("k0", 0), ("k1", 1), ("k2", 2)]
