"""Parked events: in order per key, never in the way of others, each with one effect."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from runtime import handling
from runtime.decisions import DISCARD, REPLAY, carry_out
from runtime.errors import DeadLetter, Retry, Skip
from runtime.selection import Selection
from runtime.service import RetryPolicy
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.runtime.delivering import bench, limit_of_transactions, message, until, write

ALWAYS = 10**6


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.servers)])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/service.db"
    return request.getfixturevalue("postgres").url


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("runtime.retry.IN_LANE", (0.001,))
    monkeypatch.setattr(handling, "outage_delay", lambda _: 0.001)
    monkeypatch.setattr("runtime.parked.POLL_FASTEST", 0.01)
    monkeypatch.setattr("runtime.parked.POLL_SLOWEST", 0.05)


class Failing:
    """A handler that fails so many times for some events."""

    def __init__(self, failures, error=None):
        self.failures = dict(failures)  # (key, n) -> how often
        self.error = error or ValueError("boom")
        self.runs = []

    async def __call__(self, event, ctx):
        which = (event.order_id, event.n)
        self.runs.append(which)
        await write(event, ctx)
        if self.failures.get(which, 0) > 0:
            self.failures[which] -= 1
            raise self.error


def of(key, pairs):
    return [n for k, n in pairs if k == key]


def test_a_failed_event_and_those_behind_it_are_handled_in_order(url):
    async def case():
        handler = Failing({("bad", 0): 4})
        async with bench(url, handler) as b:
            await b.settle(*[message(key, n) for n in range(6) for key in ("bad", "good")])
            assert of("good", await b.effects()) == list(range(6))
            assert of("bad", await b.effects()) == []
            b.start_parked_worker()
            await b.parked_empty()
            assert of("bad", await b.effects()) == list(range(6))
            assert of("bad", await b.published()) == list(range(6))
            assert handler.runs.count(("bad", 0)) >= 5

    asyncio.run(case())


def test_several_failures_of_one_key_keep_its_order(url):
    async def case():
        failures = {("k", n): 3 for n in range(0, 12, 3)}
        async with bench(url, Failing(failures)) as b:
            b.start_parked_worker()
            for n in range(12):
                await b.settle(message("k", n))
            await b.parked_empty()
            assert await b.effects() == [("k", n) for n in range(12)]
            assert await b.published() == [("k", n) for n in range(12)]

    asyncio.run(case())


def test_events_that_arrive_while_a_key_is_released_keep_its_order(url):
    """They meet the key blocked one moment and free the next, in another transaction."""

    async def case():
        keys, count = ["a", "b", "c"], 60
        failures = {(key, n): 3 for key in keys for n in (0, 17, 31)}
        async with bench(url, Failing(failures), concurrency=4, batch=5) as b:
            b.start_parked_worker()
            for n in range(count):
                await b.deliver(*[message(key, n) for key in keys])
                await asyncio.sleep(0.002)
            await until(lambda: len(b.acked) == count * len(keys))
            await b.parked_empty()
            effects = await b.effects()
            for key in keys:
                assert of(key, effects) == list(range(count))
            assert len(effects) == len(keys) * count

    asyncio.run(case())


def test_several_workers_do_not_double_or_reorder(url):
    async def case():
        from runtime.parked import ParkedWorker

        failures = {(f"k{k}", 0): 3 for k in range(8)}
        async with bench(url, Failing(failures)) as b:
            await b.settle(*[message(f"k{k}", n) for n in range(5) for k in range(8)])
            workers = [
                asyncio.create_task(ParkedWorker(b.database, [b.handling]).run(b.stopping))
                for _ in range(3)
            ]
            await b.parked_empty()
            b.stopping.set()
            await asyncio.gather(*workers)
            effects = await b.effects()
            for k in range(8):
                assert of(f"k{k}", effects) == list(range(5))

    asyncio.run(case())


def test_a_key_that_keeps_failing_does_not_hold_up_others(url):
    async def case():
        handler = Failing({("bad", 0): ALWAYS, ("good", 0): 3})
        policy = RetryPolicy(attempts=1000, initial=0.01, factor=1.0, maximum=0.01)
        async with bench(url, handler, retry=policy) as b:
            for key in ("bad", "good"):
                await b.settle(*[message(key, n) for n in range(3)])
            b.start_parked_worker()
            async with asyncio.timeout(10):
                while of("good", await b.effects()) != [0, 1, 2]:
                    await asyncio.sleep(0.02)
            assert of("bad", await b.effects()) == []

    asyncio.run(case())


def test_used_up_attempts_make_a_dead_letter_that_blocks_its_key(url):
    async def case():
        handler = Failing({("k", 0): ALWAYS})
        policy = RetryPolicy(attempts=5, initial=0.01, factor=1.0, maximum=0.01)
        async with bench(url, handler, retry=policy) as b:
            await b.settle(message("k", 0))
            await b.settle(message("k", 1))
            b.start_parked_worker()
            async with asyncio.timeout(10):
                while not await b.parked("dead"):
                    await asyncio.sleep(0.02)
            (dead,) = await b.parked("dead")
            assert dead.attempts == handler.runs.count(("k", 0)) == 5
            assert (dead.reason, dead.error) == ("max-attempts", "ValueError: boom")
            await asyncio.sleep(0.1)
            assert await b.effects() == []
            assert handler.runs.count(("k", 0)) == 5

            # Replayed after a fix, the key goes on where it stopped.
            handler.failures.clear()
            assert await carry_out(b.database, REPLAY, Selection(numbers=(dead.seq,))) == 1
            await b.parked_empty()
            assert await b.effects() == [("k", 0), ("k", 1)]

    asyncio.run(case())


def test_a_discarded_dead_letter_releases_its_key(url):
    async def case():
        async with bench(url, Failing({("k", 0): 1}, DeadLetter("no"))) as b:
            await b.settle(message("k", 0))
            await b.settle(message("k", 1))
            b.start_parked_worker()
            (dead,) = await b.parked("dead")
            await carry_out(b.database, DISCARD, Selection(numbers=(dead.seq,)))
            await b.parked_empty()
            assert await b.effects() == [("k", 1)]

    asyncio.run(case())


def test_an_outage_is_no_attempt_of_a_parked_event(url):
    async def case():
        handler = Failing({("k", 0): 2})
        policy = RetryPolicy(attempts=3, initial=0.01, factor=1.0, maximum=0.01)
        async with bench(url, handler, retry=policy) as b:
            await b.settle(message("k", 0))
            handler.failures[("k", 0)] = 6
            handler.error = ConnectionError("away")
            b.database.outages = (ConnectionError,)
            b.start_parked_worker()
            await b.parked_empty()
            assert await b.effects() == [("k", 0)]
            assert b.database.postponed == []

    asyncio.run(case())


def test_what_a_handler_asks_for_later(url):
    async def case():
        handler = Failing({(key, 0): ALWAYS for key in ("retry", "skip", "dead")})
        policy = RetryPolicy(attempts=10, initial=0.01, factor=1.0, maximum=0.01)
        async with bench(url, handler, retry=policy) as b:
            for key in ("retry", "skip", "dead"):
                await b.settle(*[message(key, n) for n in range(2)])
            assert len(await b.parked("retry")) == 3

            async def asking(event, ctx):
                await write(event, ctx)
                if event.n == 0:
                    raise {
                        "retry": Retry(after=3600),
                        "skip": Skip(),
                        "dead": DeadLetter("no such order"),
                    }[event.order_id]

            object.__setattr__(b.subscription.routes[0], "handler", asking)
            b.start_parked_worker()
            async with asyncio.timeout(10):
                while not await b.effects() or len(b.database.postponed) < 2:
                    await asyncio.sleep(0.02)
            assert await b.effects() == [("skip", 1)]
            rows = {(row.key, row.status): row for row in await b.parked()}
            assert set(rows) == {
                ("retry", "retry"),
                ("retry", "waiting"),
                ("dead", "dead"),
                ("dead", "waiting"),
            }
            assert rows["dead", "dead"].reason == "rejected"
            assert sorted(d for d in b.database.postponed if d is not None) == [3600.0]

    asyncio.run(case())


def test_an_event_handled_meanwhile_is_only_forgotten(url):
    async def case():
        handler = Failing({("k", 0): 2})
        async with bench(url, handler) as b:
            failed = message("k", 0)
            await b.settle(failed)
            (row,) = await b.parked()
            async with b.database.transaction() as tx:
                await b.database.claim(tx, b.subscription.name, [row.event_id])
            b.start_parked_worker()
            await b.parked_empty()
            assert await b.effects() == []

    asyncio.run(case())


def test_stopping_finishes_the_event_at_hand(url):
    async def case():
        begun = asyncio.Event()
        tries = 0

        async def handler(event, ctx):
            nonlocal tries
            tries += 1
            if tries <= 2:
                raise ValueError
            begun.set()
            await asyncio.sleep(0.1)
            await write(event, ctx)

        async with bench(url, handler) as b:
            await b.settle(message("k", 0))
            await b.settle(message("k", 1))
            b.start_parked_worker()
            await asyncio.wait_for(begun.wait(), 10)
            await b.stop_parked_worker()
            assert await b.effects() == [("k", 0)]
            assert len(await b.parked()) == 1

    asyncio.run(case())


def test_attempts_of_a_parked_event_do_not_overlap(url):
    """Its row stays locked until the failure is written down, or each worker would try it."""

    async def case():
        running, most, handler_runs = 0, 0, 0

        async def handler(event, ctx):
            nonlocal running, most, handler_runs
            running, handler_runs = running + 1, handler_runs + 1
            most = max(most, running)
            await asyncio.sleep(0.01)
            running -= 1
            raise ValueError

        policy = RetryPolicy(attempts=8, initial=0.001, factor=1.0, maximum=0.001)
        async with bench(url, handler, retry=policy) as b:
            await b.settle(message("k", 0))
            b.start_parked_worker()
            async with asyncio.timeout(10):
                while not await b.parked("dead"):
                    await asyncio.sleep(0.02)
            (dead,) = await b.parked("dead")
            assert (dead.attempts, handler_runs, most) == (8, 8, 1)

    asyncio.run(case())


def test_a_swallowed_database_error_does_not_lose_a_parked_event(url):
    async def case():
        tries = 0

        async def handler(event, ctx):
            nonlocal tries
            tries += 1
            await write(event, ctx)
            if tries <= 2:
                raise ValueError
            if tries == 3:
                with suppress(DBAPIError):
                    await ctx.db.execute(text("insert into effect (k, n) values (null, 0)"))
                await ctx.db.rollback()

        async with bench(url, handler) as b:
            await b.settle(message("k", 0))
            b.start_parked_worker()
            await b.parked_empty()
            assert await b.effects() == [("k", 0)]
            assert tries == 4

    asyncio.run(case())


@pytest.mark.servers
def test_a_parked_event_may_take_longer_than_a_commit_may(postgres, monkeypatch):
    monkeypatch.setattr(handling, "COMMIT_WITHIN", 0.2)

    async def case():
        runs = []

        async def handler(event, ctx):
            runs.append(event.n)
            await asyncio.sleep(0.5)
            await write(event, ctx)
            if len(runs) == 1:
                raise Retry(0.01)

        async with bench(postgres.url, handler) as b:
            await b.settle(message("k", 0))
            b.start_parked_worker()
            await b.parked_empty()
            assert await b.effects() == [("k", 0)]
            assert len(runs) == 2

    asyncio.run(case())


@pytest.mark.servers
def test_nobody_waits_for_a_parked_event_much_longer_than_it_may_take(postgres):
    async def case():
        runs = []

        async def handler(event, ctx):
            runs.append(event.n)
            if len(runs) == 1:
                raise Retry(0.01)
            await limit_of_transactions(event, ctx)

        async with bench(postgres.url, handler, timeout=3.0) as b:
            await b.settle(message("k", 0))
            b.start_parked_worker()
            await b.parked_empty()
            milliseconds = 1000 * (3.0 + b.database.budget + handling.COMMIT_WITHIN)
            assert await b.effects() == [(f"{milliseconds:.0f}", 0)]

    asyncio.run(case())


def test_a_key_is_worked_off_without_polling_between_its_events(url, monkeypatch):
    """Or a busy key never catches up with the events that arrive behind it."""
    monkeypatch.setattr("runtime.parked.WORKERS", 1)
    monkeypatch.setattr("runtime.parked.POLL_FASTEST", 0.01)

    async def case():
        async with bench(url, Failing({("k", 0): 3})) as b:
            for n in range(20):
                await b.settle(message("k", n))
            take_due, polls = b.database.take_due, []

            async def counted(tx, consumer):
                row = await take_due(tx, consumer)
                polls.append(row is not None)
                return row

            b.database.take_due = counted
            b.start_parked_worker()
            await b.parked_empty()
            assert await b.effects() == [("k", n) for n in range(20)]
            assert sum(polls) <= 3

    asyncio.run(case())


def test_many_keys_that_fail_again_do_not_hold_up_one_that_would_not(url, monkeypatch):
    monkeypatch.setattr("runtime.parked.POLL_FASTEST", 3600.0)

    async def case():
        handler = Failing({(f"bad-{n}", 0): ALWAYS for n in range(20)} | {("good", 0): 2})
        retry = RetryPolicy(attempts=20, initial=0.05, factor=50, maximum=3600.0)
        async with bench(url, handler, retry=retry) as b:
            for n in range(20):
                await b.settle(message(f"bad-{n}"))
            await b.settle(message("good"))
            await asyncio.sleep(0.1)  # all are due, the good one last
            b.start_parked_worker()
            await until(lambda: handler.runs.count(("good", 0)) == 3)

    asyncio.run(case())


def test_a_commit_that_is_refused_is_a_failed_attempt(url, monkeypatch):
    """A deferred constraint speaks up after the handler, its savepoint and everything else."""
    monkeypatch.setattr("runtime.parked.WORKERS", 1)  # here alone the row's lock is gone too early

    async def case():
        tries = 0

        async def handler(event, ctx):
            nonlocal tries
            tries += 1
            if tries <= 2:
                raise ValueError
            await ctx.db.execute(text("insert into child (parent) values (7)"))

        policy = RetryPolicy(attempts=4, initial=0.01, factor=1.0, maximum=0.01)
        async with bench(url, handler, retry=policy) as b:
            await b.settle(message("k", 0))
            async with b.database.transaction() as tx:
                await tx.execute(text("create table parent (id int primary key)"))
                await tx.execute(
                    text(
                        "create table child (parent int references parent (id)"
                        " deferrable initially deferred)"
                    )
                )
            b.start_parked_worker()
            async with asyncio.timeout(10):
                while not await b.parked("dead"):
                    await asyncio.sleep(0.02)
            (dead,) = await b.parked("dead")
            assert (dead.attempts, tries) == (4, 4)
            assert "IntegrityError" in dead.error

    asyncio.run(case())
