"""What the relay promises: nothing lost, order per key, whoever fails or dies at whatever point."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from contextlib import asynccontextmanager, suppress
from time import monotonic
from uuid import uuid4

import pytest
from runtime.database import LANES
from runtime.decisions import RETRY_POISON, carry_out
from runtime.relay import Relay
from runtime.selection import Selection
from runtime.transport import Outcome, Sent

from tests.support.samples import row

pytestmark = pytest.mark.anyio
SENT = Sent(Outcome.SENT)


class Broker:
    """Takes messages, in an order it can tell afterwards, as its `judge` says."""

    def __init__(self, *, seconds=0.0):
        self.log = []  # (key, body) as confirmed
        self.calls = []
        self.seconds = seconds
        self.down = False
        self.judge = lambda _: SENT

    async def publish(self, messages):
        self.calls.append([m.body for m in messages])
        keys = [m.key for m in messages if m.key is not None]
        assert len(keys) == len(set(keys)), "two messages of one key on their way at once"
        if self.down:
            raise ConnectionError("broker away")
        answers = []
        for message in messages:
            await asyncio.sleep(random.random() * self.seconds)
            answer = self.judge(message)
            if answer.outcome is Outcome.SENT:
                self.log.append((message.key, message.body))
            answers.append(answer)
        return answers

    def bodies(self, key):
        return [body for k, body in self.log if k == key]


def inversions(log):
    """How often the first occurrence of an event came after a later one of its key."""
    highest, seen, wrong = defaultdict(lambda: -1), set(), 0
    for key, body in log:
        if key is None or body in seen:
            continue
        seen.add(body)
        wrong += int(body) < highest[key]
        highest[key] = max(highest[key], int(body))
    return wrong


async def add(database, *rows):
    async with database.transaction() as tx:
        await database.add_to_outbox(tx, rows)


async def until(condition, seconds=15.0):
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.01)


def empty(database):
    async def check():
        return not await database.list_outbox(1)

    return check


@asynccontextmanager
async def relaying(database, broker, count=1, **options):
    stopping = asyncio.Event()
    relays = [Relay(database, broker, **options) for _ in range(count)]
    tasks = [asyncio.create_task(relay.run(stopping)) for relay in relays]
    try:
        yield relays
    finally:
        stopping.set()
        async with asyncio.timeout(10):
            await asyncio.gather(*tasks)


async def test_everything_goes_out_once_in_the_order_of_its_key(database):
    broker = Broker()
    rows = [row(f"k{n % 9}" if n % 10 else None) for n in range(700)]
    await add(database, *rows)
    async with relaying(database, broker, batch=100):
        await until(empty(database))
    assert Counter(body for _, body in broker.log) == Counter(r.body for r in rows)
    assert inversions(broker.log) == 0


async def test_three_relays_share_the_work_and_keep_the_order(database):
    broker = Broker(seconds=0.002)
    rows = [row(f"k{n % 50}") for n in range(600)]
    async with relaying(database, broker, 3, batch=20) as relays:
        await until(lambda: _true(all(0 < len(r._lanes) < LANES / 2 for r in relays)))
        for start in range(0, 600, 50):
            await add(database, *rows[start : start + 50])
        await until(empty(database), 40)
    assert {body for _, body in broker.log} == {r.body for r in rows}
    assert inversions(broker.log) == 0


async def _true(value):
    return value


@pytest.mark.servers
async def test_control_relays_that_lock_rows_instead_of_lanes_do_not_keep_it(postgres_database):
    """The reason for lanes: the same broker and rows, with rows shared out by SKIP LOCKED."""
    broker = Broker(seconds=0.002)
    await add(postgres_database, *[row(f"k{n % 5}") for n in range(300)])
    take = "SELECT id, key, body FROM outbox ORDER BY id LIMIT 20 FOR UPDATE SKIP LOCKED"

    async def relay():
        while True:
            async with postgres_database.transaction() as tx:
                rows = (await tx.exec_driver_sql(take)).all()
                if not rows:
                    return
                for r in rows:
                    await asyncio.sleep(random.random() * 0.002)
                    broker.log.append((r.key, r.body))
                ids = [r.id for r in rows]
                await tx.exec_driver_sql("DELETE FROM outbox WHERE id = ANY($1)", (ids,))

    await asyncio.gather(relay(), relay(), relay())
    assert inversions(broker.log) > 0


async def test_a_new_event_is_relayed_at_once_when_woken(database, monkeypatch):
    monkeypatch.setattr("runtime.relay.POLL_FASTEST", 600.0)
    monkeypatch.setattr("runtime.relay.POLL_SLOWEST", 600.0)
    broker = Broker()
    async with relaying(database, broker, lease_seconds=600.0) as (relay,):
        await until(lambda: _true(relay._lanes))
        await asyncio.sleep(0.2)  # it looked, found nothing, and rests
        await add(database, row("k"))
        relay.wake()
        await until(lambda: _true(broker.log))


async def test_a_relay_that_dies_between_publishing_and_marking_repeats_but_loses_nothing(database):
    broker = Broker()
    rows = [row(f"k{n % 3}") for n in range(30)]
    await add(database, *rows)
    original, reached = database.mark_sent, asyncio.Event()

    async def never(ids, **_):
        reached.set()
        await asyncio.Event().wait()

    database.mark_sent = never
    dying = asyncio.create_task(Relay(database, broker, lease_seconds=0.5).run(asyncio.Event()))
    await reached.wait()
    dying.cancel()
    with suppress(asyncio.CancelledError):
        await dying
    database.mark_sent = original
    assert len(broker.log) == 30
    async with relaying(database, broker):
        await until(empty(database))
    assert Counter(Counter(body for _, body in broker.log).values()) == {2: 30}
    assert inversions(broker.log) == 0


async def test_a_killed_relays_lanes_are_taken_over_when_its_lease_ends(database):
    await add(database, row("k"))
    assert len(await database.lease_lanes(uuid4(), 1.0, LANES)) == LANES  # and dies
    broker, started = Broker(), monotonic()
    async with relaying(database, broker):
        await until(empty(database))
    assert monotonic() - started > 0.5


async def test_a_stopped_relay_leaves_its_lanes_to_the_next_at_once(database):
    async with relaying(database, Broker()) as (relay,):
        await until(lambda: _true(len(relay._lanes) == LANES))
    assert len(await database.lease_lanes(uuid4(), 30, LANES)) == LANES


async def test_stopping_finishes_what_is_on_its_way(database):
    broker = Broker()
    entered, go = asyncio.Event(), asyncio.Event()
    publish = broker.publish

    async def slow(messages):
        entered.set()
        await go.wait()
        return await publish(messages)

    broker.publish = slow
    await add(database, row("k"), row("k"))
    stopping = asyncio.Event()
    task = asyncio.create_task(Relay(database, broker).run(stopping))
    await entered.wait()
    stopping.set()
    await asyncio.sleep(0.05)
    assert not task.done()
    go.set()
    await asyncio.wait_for(task, 5)
    assert (len(broker.log), await database.list_outbox(9)) == (2, [])


async def test_a_failing_event_holds_up_its_key_and_no_other(database):
    broker = Broker()
    bad = row("bad")
    failures = iter(range(4))
    broker.judge = lambda m: (
        Sent(Outcome.TRANSIENT, "later")
        if m.body == bad.body and next(failures, None) is not None
        else SENT
    )
    after = [row("bad"), row("bad")]
    await add(database, bad, *after, row("good"), row("good"), row(None))
    async with relaying(database, broker):
        await until(lambda: _true(len(broker.log) == 3))
        assert {key for key, _ in broker.log} == {"good", None}
        await until(empty(database))
    assert broker.bodies("bad") == [bad.body, *[r.body for r in after]]
    attempts = Counter(body for call in broker.calls for body in call)
    assert attempts[bad.body] == 5
    assert attempts[after[0].body] == 1  # never tried before its time


@pytest.mark.parametrize("key", ["bad", None])
async def test_poison_blocks_only_its_key_until_it_is_retried(database, key):
    broker = Broker()
    bad = row(key)
    broker.judge = lambda m: Sent(Outcome.PERMANENT, "too large") if m.body == bad.body else SENT
    others = [row("good"), row(None), row(key)]
    await add(database, bad, *others)

    async def poisoned():
        return [r for r in await database.list_outbox(9) if r.status == "poison"]

    async with relaying(database, broker):
        await until(poisoned)
        await asyncio.sleep(0.3)
        (poison,) = await poisoned()
        assert (poison.attempts, poison.last_error) == (3, "too large")
        waiting = [r.body for r in await database.list_outbox(9)]
        assert waiting == ([bad.body, others[2].body] if key else [bad.body])
        tries = sum(bad.body in call for call in broker.calls)
        assert tries == 3
        broker.judge = lambda _: SENT
        assert await carry_out(database, RETRY_POISON, Selection(numbers=(poison.id,))) == 1
        await until(empty(database))
    if key:
        assert broker.bodies(key) == [bad.body, others[2].body]


async def test_a_broker_that_is_away_is_asked_ever_less_and_found_soon_when_back(database):
    broker = Broker()
    broker.down = True
    rows = [row(f"k{n % 5}" if n % 7 else None) for n in range(50)]
    await add(database, *rows)
    async with relaying(database, broker, batch=10) as (relay,):
        for _ in range(30):
            relay.wake()  # new events all the time
            await asyncio.sleep(0.05)
        assert 2 <= len(broker.calls) <= 40
        assert not any(r.attempts for r in await database.list_outbox(99))
        broker.down = False
        await until(empty(database), 8)
    assert Counter(broker.log) == Counter((r.key, r.body) for r in rows)
    assert inversions(broker.log) == 0


async def test_a_destination_that_fails_does_not_stop_the_others_behind_it(database):
    broker = Broker()
    broker.judge = lambda m: Sent(Outcome.TRANSIENT) if m.destination == "bad" else SENT
    bad = [row(f"b{n}" if n % 2 else None, destination="bad") for n in range(60)]
    good = [row(f"g{n}") for n in range(60)]
    await add(database, *bad, *good)
    async with relaying(database, broker, batch=10):
        await until(lambda: _true(len(broker.log) == 60), 20)
    assert len(await database.list_outbox(999)) == 60


async def test_a_database_that_goes_away_in_between_costs_no_event_and_no_repetition(database):
    broker = Broker()
    rows = [row(f"k{n % 3}") for n in range(12)]
    await add(database, *rows)
    original, failures = database.mark_sent, iter(range(3))

    async def failing(ids, **_):
        if next(failures, None) is not None:
            raise ConnectionError("database away")
        await original(ids)

    database.mark_sent = failing
    async with relaying(database, broker):
        await until(empty(database))
    assert Counter(Counter(body for _, body in broker.log).values()) == {1: 12}


async def test_a_slow_broker_does_not_cost_the_lease(database):
    broker = Broker()
    publish = broker.publish

    async def slow(messages):
        await asyncio.sleep(1.5)
        return await publish(messages)

    broker.publish = slow
    await add(database, row("k"))
    async with relaying(database, broker, lease_seconds=0.6):
        await asyncio.sleep(1.2)
        assert len(await database.lease_lanes(uuid4(), 0.1, LANES)) == 0
        await until(empty(database))
    assert len(broker.log) == 1


async def test_a_zombie_repeats_but_never_overtakes(database):
    """A relay that is paused past its lease, in the middle of a batch, and then goes on."""
    broker = Broker()
    publish, entered, go = broker.publish, asyncio.Event(), asyncio.Event()

    async def paused(messages):
        entered.set()
        await go.wait()
        return await publish(messages)

    zombie_side = Broker()
    zombie_side.publish = paused
    rows = [row("k") for _ in range(6)]
    await add(database, *rows)
    zombie = Relay(database, zombie_side, lease_seconds=0.3)

    async def nothing(most):
        raise ConnectionError("it is paused: it renews nothing")

    stopping = asyncio.Event()
    task = asyncio.create_task(zombie.run(stopping))
    await entered.wait()
    zombie._lease = nothing
    await asyncio.sleep(0.5)
    async with relaying(database, broker):
        await until(lambda: _true(len(broker.log) >= 3))
        go.set()
        await until(empty(database))
    stopping.set()
    await asyncio.wait_for(task, 15)
    assert {body for _, body in broker.log} == {r.body for r in rows}
    assert inversions(broker.log) == 0
