"""Events held back: a dependency that is away, a pause, a rate; a handler that is too slow."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from runtime import breaker, handling, lanes, pauses
from runtime.consumer import Consumption
from runtime.flow import Flow
from runtime.handling import Handling
from runtime.metrics import REGISTRY
from runtime.service import RetryPolicy
from sqlalchemy import text

from tests.runtime.delivering import CONSUMER, bench, message, until, write


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.servers)])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/service.db"
    return request.getfixturevalue("postgres").url


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("runtime.retry.IN_LANE", (0.001, 0.001, 0.001))
    monkeypatch.setattr(handling, "outage_delay", lambda _: 0.001)
    monkeypatch.setattr(breaker, "REST_FIRST", 0.02)
    monkeypatch.setattr(breaker, "REST_LONGEST", 0.05)
    monkeypatch.setattr("runtime.flow.LOOK_EVERY", 0.05)
    monkeypatch.setattr("runtime.pauses.LOOK_EVERY", 0.05)
    monkeypatch.setattr("runtime.parked.POLL_FASTEST", 0.01)
    monkeypatch.setattr("runtime.parked.POLL_SLOWEST", 0.05)


class Shop:
    """What the handlers call; it may be away. Some keys are wrong in themselves."""

    def __init__(self, *, away=True, poison=()):
        self.away = away
        self.poison = set(poison)
        self.calls = 0

    async def __call__(self, event, ctx):
        self.calls += 1
        await write(event, ctx)
        if event.order_id in self.poison:
            raise ValueError("boom")
        if self.away:
            raise ConnectionRefusedError("the shop is closed")


def of(key, pairs):
    return [n for k, n in pairs if k == key]


# the breaker --------------------------------------------------------------------------------------


def test_while_a_dependency_is_away_no_attempt_is_used_up_and_nothing_is_lost(url, monkeypatch):
    # Second attempts before the breaker is open would count: first ones of other lanes open it.
    monkeypatch.setattr("runtime.retry.IN_LANE", (1.0,))

    async def case():
        shop = Shop()
        # The second attempt that counted would make a dead letter.
        async with bench(url, shop, retry=RetryPolicy(attempts=2)) as b:
            b.start_parked_worker()
            keys, metric = [f"k{n}" for n in range(20)], {"subscription": CONSUMER}
            await b.deliver(*[message(key, n) for n in range(5) for key in keys])
            await until(lambda: not b.handling.flow.breaker.closed)
            assert REGISTRY.get_sample_value("eventgen_breaker_open", metric) == 1
            calls = shop.calls
            await until(lambda: shop.calls > calls + 20)  # probes, one at a time
            assert await b.parked() == []
            assert await b.effects() == []
            assert b.acked == []
            shop.away = False
            await until(lambda: len(b.acked) == 100)
            assert b.handling.flow.breaker.closed
            assert REGISTRY.get_sample_value("eventgen_breaker_open", metric) == 0
            effects = await b.effects()
            for key in keys:
                assert of(key, effects) == list(range(5))

    asyncio.run(case())


def test_parked_events_wait_for_the_dependency_too(url):
    async def case():
        shop = Shop(away=False, poison=[f"k{n}" for n in range(10)])
        async with bench(url, shop) as b:
            await b.settle(*[message(f"k{n}") for n in range(10)])
            attempts = {row.key: row.attempts for row in await b.parked("retry")}
            assert len(attempts) == 10
            shop.poison, shop.away = set(), True
            b.start_parked_worker()
            await until(lambda: not b.handling.flow.breaker.closed)
            calls = shop.calls
            await until(lambda: shop.calls > calls + 5)
            counted = sum(row.attempts - attempts[row.key] for row in await b.parked())
            assert counted < breaker.FAILURES
            shop.away = False
            await b.parked_empty()
            assert sorted(key for key, _ in await b.effects()) == sorted(attempts)

    asyncio.run(case())


def test_events_that_cannot_be_handled_anyway_do_not_keep_it_open(url):
    async def case():
        poison = [f"bad{n}" for n in range(30)]
        shop = Shop(poison=poison)
        async with bench(url, shop, concurrency=2) as b:
            await b.deliver(*[message(key) for key in ("a", "b", "c", "d", "e", "f", *poison)])
            await until(lambda: not b.handling.flow.breaker.closed)
            shop.away = False
            await until(lambda: len(b.acked) == 36)
            assert {row.key for row in await b.parked()} >= set(poison)

    asyncio.run(case())


def test_a_service_stops_at_once_while_the_breaker_is_open(url):
    async def case():
        async with bench(url, Shop()) as b:
            await b.deliver(*[message(f"k{n}") for n in range(40)])
            await until(lambda: not b.handling.flow.breaker.closed)
            async with asyncio.timeout(5):
                assert not await b.consumption.drain(60)

    asyncio.run(case())


# pauses -------------------------------------------------------------------------------------------


@asynccontextmanager
async def following(b, *flows):
    stopping = asyncio.Event()
    task = asyncio.create_task(pauses.follow(b.database, flows, stopping))
    try:
        yield
    finally:
        stopping.set()
        await task


def test_a_pause_is_seen_by_every_process_and_holds_everything_back(url):
    async def case():
        shop = Shop(away=False, poison=["bad"])
        async with bench(url, shop) as b:
            elsewhere = Flow(CONSUMER)
            await b.settle(message("bad"))
            await pauses.pause(b.database, CONSUMER, "the shop moves")
            async with following(b, b.handling.flow, elsewhere):
                await until(lambda: b.handling.flow.held and elsewhere.held)
                b.start_parked_worker()
                calls = shop.calls
                await b.deliver(*[message("k", n) for n in range(5)])
                await asyncio.sleep(0.3)
                assert shop.calls == calls
                assert len(b.acked) == 1
                shop.poison = set()
                assert await pauses.resume(b.database, CONSUMER)
                assert not await pauses.resume(b.database, CONSUMER)
                await until(lambda: len(b.acked) == 6)
                await b.parked_empty()
                assert of("k", await b.effects()) == list(range(5))

    asyncio.run(case())


def test_a_pause_outlives_the_process_and_says_since_when_and_why(url):
    async def case():
        async with bench(url, write) as b:
            await pauses.pause(b.database, CONSUMER, "first")
            await pauses.pause(b.database, CONSUMER, "the shop\x00 moves")
            [(consumer, pause)] = (await pauses.paused(b.database)).items()
            assert (consumer, pause.reason) == (CONSUMER, "the shop\ufffd moves")
            assert pause.since.tzinfo is not None
            after = Handling(b.subscription, b.database, b.publisher, b.wake)
            await pauses.apply(b.database, [after.flow])
            again = Consumption(after, b.transport, "billing")
            await again.start()
            await b.deliver(message("k"))
            async with asyncio.timeout(5):
                assert not await again.drain(60)  # at once, and without the event
            assert await b.effects() == []

    asyncio.run(case())


# the rate, and the weight -------------------------------------------------------------------------


def test_a_rate_counts_events_that_are_handled(url):
    async def case():
        async with bench(url, write, rate=1000.0) as b:
            ignored = [message("k", type="order.seen") for _ in range(50)]
            await b.settle(*ignored, *[message("k", n) for n in range(20)])
            assert of("k", await b.effects()) == list(range(20))

    asyncio.run(case())


def test_lanes_take_no_more_when_what_they_hold_is_heavy(monkeypatch):
    monkeypatch.setattr(lanes, "HIGH_BYTES", 100)
    monkeypatch.setattr(lanes, "LOW_BYTES", 50)

    async def case():
        go = asyncio.Event()

        async def handle(items):
            await go.wait()
            return ()

        held = lanes.Lanes(1, 1, handle, len)
        held.start()
        putting = [asyncio.create_task(held.put("k", "x" * 60)) for _ in range(4)]
        await asyncio.sleep(0.01)
        assert [task.done() for task in putting] == [True, True, False, False]
        go.set()
        assert all(await asyncio.gather(*putting))
        assert await held.drain(5)

    asyncio.run(case())


# a handler that takes too long --------------------------------------------------------------------


def slow_for(key, sleep):
    async def handler(event, ctx):
        await write(event, ctx)
        if event.order_id == key:
            await sleep(ctx)

    return handler


async def asleep(_ctx):
    await asyncio.sleep(60)


async def asleep_in_the_database(ctx):
    if ctx.db.bind.dialect.name == "postgresql":
        await ctx.db.execute(text("select pg_sleep(60)"))
    await asyncio.sleep(60)


@pytest.mark.parametrize("sleep", [asleep, asleep_in_the_database])
def test_a_handler_that_takes_too_long_is_cancelled_and_has_failed(url, sleep):
    async def case():
        options = {"timeout": 0.2, "retry": RetryPolicy(attempts=2, initial=0.05, maximum=0.05)}
        async with bench(url, slow_for("slow", sleep), concurrency=1, **options) as b:
            messages = [message(key, n) for n in range(2) for key in ("slow", "k")]
            await b.settle(*messages)
            assert await b.effects() == [("k", 0), ("k", 1)]
            first, second = await b.parked()
            assert (first.status, first.reason, first.attempts) == ("retry", "timeout", 1)
            assert first.error == "HandlerTimeout: the handler took longer than 0.2 s"
            assert second.status == "waiting"
            b.start_parked_worker()
            async with asyncio.timeout(20):
                while not (dead := await b.parked("dead")):
                    await asyncio.sleep(0.02)
            assert dead[0].seq == first.seq
            # A statement that is cancelled may take its connection, and so the lock on the row,
            # with it: then another worker can try before the failure is written down.
            assert dead[0].attempts in ({2} if sleep is asleep else {2, 3})
            assert await b.effects() == [("k", 0), ("k", 1)]

    asyncio.run(case())


def test_a_timeout_of_the_handlers_own_is_an_ordinary_error(url):
    async def case():
        async def handler(event, ctx):
            async with asyncio.timeout(0.001):
                await asyncio.sleep(60)

        async with bench(url, handler) as b:
            await b.settle(message("k"))
            [row] = await b.parked()
            assert (row.reason, row.attempts) == ("handler-error", 4)

    asyncio.run(case())
