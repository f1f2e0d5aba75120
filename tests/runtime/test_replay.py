"""Handling again what the broker still has: what is read, what is handled, what fails."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from runtime import embedded_log, replay
from runtime.embedded import EmbeddedTransport
from runtime.replay import Replay, look, run
from runtime.service import Channel, RetryPolicy
from runtime.transport import Outgoing
from sqlalchemy import text

from tests.runtime.delivering import CONSUMER, bench, message, write

HOUR = timedelta(hours=1)
ALL = 0


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.servers)])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/service.db"
    return request.getfixturevalue("postgres").url


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("runtime.retry.IN_LANE", (0.001,))
    monkeypatch.setattr("runtime.parked.POLL_FASTEST", 0.01)
    monkeypatch.setattr(replay, "LOOK_EVERY", 0.02)


@asynccontextmanager
async def logged(url, handler, messages, **options):
    """A bench whose embedded broker has these messages."""
    async with bench(url, handler, **options) as b:
        b.broker = EmbeddedTransport(b.database)
        await b.broker.start()
        await append(b, *messages)
        yield b


async def append(b, *messages):
    for m in messages:
        await b.broker.publish([Outgoing("orders", m.key, m.headers, m.body)])


async def replayed(b, start=ALL, group="again", type_=None):
    plan = Replay(start, group, type_)
    return await run(plan, b.subscription, b.broker, b.database, b.publisher)


async def read(b, start, channel=None):
    """The numbers of the messages, and how many came at a time."""
    bodies, sizes = [], []
    async for some in b.broker.history(channel or b.subscription.channel, start):
        bodies += [m.body for m in some]
        sizes.append(len(some))
    return bodies, sizes


def test_the_same_group_handles_only_what_was_never_handled(url):
    async def case():
        messages = [message(f"k{n % 3}", n) for n in range(30)]
        async with logged(url, write, messages) as b:
            await b.settle(*messages[:20])
            done = await replayed(b, group="same")
            assert (done.read, dict(done.results)) == (30, {"duplicate": 20, "handled": 10})
            assert sorted(n for _, n in await b.effects()) == list(range(30))
            again = await replayed(b, group="same")
            assert dict(again.results) == {"duplicate": 30}

    asyncio.run(case())


def test_a_new_group_handles_everything_once_in_order(url):
    async def case():
        messages = [message(f"k{n % 3}", n) for n in range(30)]
        async with logged(url, write, messages) as b:
            await b.settle(*messages)
            for handled, expected in ((30, 2), (0, 2)):
                done = await replayed(b)
                assert done.results["handled"] == handled
                effects = await b.effects()
                for key in range(3):
                    mine = [n for k, n in effects if k == f"k{key}"]
                    assert mine == list(range(key, 30, 3)) * expected
            consumers = await b.rows("select distinct consumer from inbox order by consumer")
            assert [c for (c,) in consumers] == [CONSUMER, f"{CONSUMER}@again"]

    asyncio.run(case())


def test_what_fails_in_a_replay_is_tried_again_there_and_ends_as_its_own_dead_letter(url):
    async def case():
        failures = {2: 3, 5: 10**6}

        async def handler(event, ctx):
            await write(event, ctx)
            if failures.get(event.n, 0):
                failures[event.n] -= 1
                raise ValueError("boom")

        retry = RetryPolicy(attempts=5, initial=0.01, maximum=0.01)
        messages = [message(f"k{n % 2}", n) for n in range(10)]
        async with logged(url, handler, messages, retry=retry) as b:
            await replayed(b)
            effects = await b.effects()
            assert [n for k, n in effects if k == "k0"] == [0, 2, 4, 6, 8]
            assert [n for k, n in effects if k == "k1"] == [1, 3]
            rows = await b.database.list_parked(f"{CONSUMER}@again", None, 100)
            assert [row.status for row in rows] == ["dead", "waiting", "waiting"]
            assert await b.parked() == []

    asyncio.run(case())


def test_only_one_type_and_nothing_that_is_not_handled_here(url):
    async def case():
        others = [message("k", n, type="order.seen") for n in range(3)]
        messages = [*others, *[message("k", n) for n in range(4)], message("k", headers={})]
        async with logged(url, write, messages) as b:
            plan = Replay(ALL, "again", "order.paid")
            assert (await look(plan, b.broker, b.subscription)).read == 5
            assert (await look(Replay(ALL, "x", "no"), b.broker, b.subscription)).read == 0
            assert await b.effects() == []
            assert (await replayed(b, type_="order.paid")).read == 5

    asyncio.run(case())


def test_a_paused_subscription_is_not_handled_by_a_replay_of_its_group(url):
    async def case():
        from runtime import pauses

        async with logged(url, write, [message("k", n) for n in range(3)]) as b:
            await pauses.pause(b.database, CONSUMER, "")
            task = asyncio.create_task(replayed(b, group="same"))
            await asyncio.sleep(0.2)
            assert await b.effects() == []
            await pauses.resume(b.database, CONSUMER)
            async with asyncio.timeout(20):
                await task
            assert len(await b.effects()) == 3

    asyncio.run(case())


def test_a_replay_that_is_interrupted_goes_on(url):
    async def case():
        reached, go = asyncio.Event(), asyncio.Event()

        async def handler(event, ctx):
            await write(event, ctx)
            if event.n == 5:
                reached.set()
                await go.wait()

        messages = [message("k", n) for n in range(10)]
        async with logged(url, handler, messages, batch=1) as b:
            task = asyncio.create_task(replayed(b))
            await reached.wait()
            task.cancel()
            assert isinstance(
                (await asyncio.gather(task, return_exceptions=True))[0], BaseException
            )
            go.set()
            done = await replayed(b)
            assert done.results["duplicate"] == 5
            assert [n for _, n in await b.effects()] == list(range(10))

    asyncio.run(case())


def test_a_broker_that_goes_away_ends_a_replay_with_its_own_error(url):
    async def case():
        async with logged(url, write, [message("k")]) as b:

            async def history(_channel, _start):
                yield []
                raise ConnectionError("the broker does not answer")

            b.broker.history = history
            with pytest.raises(ConnectionError, match="does not answer"):
                await replayed(b)

    asyncio.run(case())


def test_the_log_is_read_from_a_time_or_an_id_to_where_it_ended(url):
    async def case():
        old = [message("k", n) for n in range(5)]
        async with logged(url, write, old) as b:
            async with b.database.transaction() as tx:
                await tx.execute(text("update embedded_log set published_at = 1000.0"))
            await append(b, *[message("k", n) for n in range(5, 8)])
            now = datetime.now(UTC)
            everything = [m.body for m in old]
            assert (await read(b, 0))[0][:5] == everything
            assert len((await read(b, 3))[0]) == 6
            assert len((await read(b, now - HOUR))[0]) == 3
            assert (await read(b, now + HOUR))[0] == []
            assert (await read(b, 0, Channel("x", "x", "order_")))[0] == []
            async for _ in b.broker.history(b.subscription.channel, 0):
                await append(b, message("k", 9))  # after the end that counts
                assert len(_) == 8

    asyncio.run(case())


def test_what_is_read_at_a_time_is_bounded_by_weight(url, monkeypatch):
    monkeypatch.setattr("runtime.embedded.FETCH_BYTES", 250)
    assert embedded_log.FETCH_BYTES <= 64 * 1024 * 1024

    async def case():
        heavy = [message("k", n, body=b"x" * size) for n, size in enumerate((100, 100, 900, 1))]
        async with logged(url, write, heavy) as b:
            bodies, sizes = await read(b, 0)
            assert bodies == [m.body for m in heavy]
            assert sizes == [3, 1]

    asyncio.run(case())
