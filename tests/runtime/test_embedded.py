"""The log in the database: durable, in order, one consumer of a group at a time."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections import defaultdict
from contextlib import asynccontextmanager, contextmanager

import pytest
from runtime import embedded
from runtime.embedded import EmbeddedTransport
from runtime.transport import Change, Outcome, Outgoing, Sent
from sqlalchemy import text

from tests.runtime.conftest import opened
from tests.support.runtime import ROOT, importable
from tests.support.samples import ORDERS, STOCK, STOCK_MOVED, subscription

pytestmark = pytest.mark.anyio
ORDER_EVENTS = subscription()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(embedded, "LEASE_SECONDS", 1.0)
    monkeypatch.setattr(embedded, "COMMIT_EVERY", 0.05)


@pytest.fixture
async def transport(database):
    transport = EmbeddedTransport(database)
    await transport.start()
    yield transport
    await transport.close()


def message(number, key="k", destination="orders"):
    return Outgoing(destination, key, {"ce_id": str(number)}, b"%d" % number)


class Sink:
    """Keeps what is delivered; acknowledges it at once unless told otherwise."""

    def __init__(self, *, acks=True):
        self.got = []
        self.acks = acks
        self.consumer = None

    async def __call__(self, messages):
        self.got += messages
        if self.acks:
            self.consumer.ack(messages)

    @property
    def bodies(self):
        return [int(m.body) for m in self.got]

    async def wait(self, count, seconds=10.0):
        async with asyncio.timeout(seconds):
            while len(self.got) < count:
                await asyncio.sleep(0.005)


@asynccontextmanager
async def consuming(transport, sink, group="g", subscribed=ORDER_EVENTS):
    async def deliver(messages):
        while sink.consumer is None:
            await asyncio.sleep(0)
        await sink(messages)

    sink.consumer = await transport.consume(subscribed, group, deliver)
    try:
        yield sink
    finally:
        await sink.consumer.close()


async def lag(consumer, expected):
    async with asyncio.timeout(5):
        while await consumer.lag() != expected:
            await asyncio.sleep(0.02)


async def test_messages_arrive_as_they_were_sent_in_the_order_of_their_key(transport):
    sent = [message(n, f"k{n % 7}" if n % 5 else None) for n in range(1200)]
    async with consuming(transport, Sink()) as sink:
        for start in range(0, 1200, 100):
            answers = await transport.publish(sent[start : start + 100])
            assert answers == [Sent(Outcome.SENT)] * 100
        await sink.wait(1200)
        await lag(sink.consumer, 0)
    assert sorted(sink.bodies) == list(range(1200))
    by_key = defaultdict(list)
    for m in sink.got:
        by_key[m.key].append(int(m.body))
        assert m.headers == {"ce_id": m.body.decode()}
    assert all(numbers == sorted(numbers) for key, numbers in by_key.items() if key)
    first = sink.got[0]
    destination, part, place = first.origin.split("/")
    assert (first.destination, destination, int(part) in range(8), int(place) > 0) == (
        "orders",
        "orders",
        True,
        True,
    )


async def test_a_local_consumer_is_woken_at_once(transport, monkeypatch):
    monkeypatch.setattr(embedded, "POLL_FASTEST", 600.0)
    monkeypatch.setattr(embedded, "POLL_SLOWEST", 600.0)
    async with consuming(transport, Sink()) as sink:
        await asyncio.sleep(1)  # it looked, found nothing, and rests
        await transport.publish([message(1)])
        await sink.wait(1)


async def test_each_group_reads_all_from_the_beginning_once(transport):
    await transport.publish([message(n) for n in range(5)])
    for group in ("a", "b"):
        async with consuming(transport, Sink(), group) as sink:
            await sink.wait(5)
        assert sink.bodies == list(range(5))
    async with consuming(transport, Sink(), "a") as sink:
        await transport.publish([message(5)])
        await sink.wait(1)
    assert sink.bodies == [5]


async def test_what_was_not_acknowledged_comes_again_and_nothing_is_passed_over(transport):
    await transport.publish([message(n, f"k{n}") for n in range(40)])
    async with consuming(transport, Sink(acks=False)) as sink:
        await sink.wait(40)
        done = [m for m in sink.got if int(m.body) % 3]
        sink.consumer.ack(list(reversed(done)))
    async with consuming(transport, Sink()) as again:
        await again.wait(14)
        await lag(again.consumer, 0)
    missed = {n for n in range(40) if n % 3 == 0}
    assert missed <= set(again.bodies)
    assert again.bodies == sorted(again.bodies)
    async with consuming(transport, Sink()) as third:
        await transport.publish([message(99)])
        await third.wait(1)
    assert third.bodies == [99]


async def test_one_consumer_of_a_group_at_a_time_and_a_successor_at_once_when_it_leaves(database):
    one, two = EmbeddedTransport(database), EmbeddedTransport(database)
    await asyncio.gather(one.start(), two.start())
    async with consuming(one, Sink()) as first:
        await one.publish([message(n) for n in range(10)])
        await first.wait(10)
        async with consuming(two, Sink()) as second:
            await two.publish([message(n) for n in range(10, 20)])
            await first.wait(20)
            await asyncio.sleep(1.5)  # longer than a lease
            assert second.got == []
            await first.consumer.close()
            await one.publish([message(20)])
            await second.wait(1, 2.0)
            assert second.bodies == [20]
            assert not second.got[0].stale()
            assert first.got[0].stale()


async def test_a_consumer_that_loses_its_lease_stops_and_takes_up_again_later(transport, database):
    async with consuming(transport, Sink(acks=False)) as sink:
        await transport.publish([message(1), message(2)])
        await sink.wait(2)
        old = list(sink.got)
        async with database.transaction() as tx:
            thief = text("UPDATE embedded_group SET owner = 'thief'")
            await tx.execute(thief)
        async with asyncio.timeout(5):
            while not old[0].stale():
                await asyncio.sleep(0.01)
        sink.consumer.ack(old)  # too late: it may be handled elsewhere
        await sink.wait(4, 5.0)  # the thief never renewed; it is ours again, with what was open
        assert sink.bodies == [1, 2, 1, 2]
        assert not sink.got[2].stale()


@contextmanager
def standing_still(monkeypatch, database):
    """From now on this database's transactions do all they do, and then do not commit."""
    transaction = database.transaction

    @asynccontextmanager
    async def still(**limit):
        async with transaction(**limit) as tx:
            yield tx
            await asyncio.Event().wait()

    with monkeypatch.context() as patch:
        patch.setattr(database, "transaction", still)
        yield


@pytest.mark.servers
async def test_a_process_that_stands_still_with_the_lease_keeps_nobody(postgres_url, monkeypatch):
    async with opened(postgres_url) as one, opened(postgres_url, tables=False) as two:
        first, second = EmbeddedTransport(one), EmbeddedTransport(two)
        await first.start()
        sink = Sink()
        async with consuming(first, Sink()) as frozen:
            await second.publish([message(1)])
            await frozen.wait(1)
            with standing_still(monkeypatch, one):
                await asyncio.sleep(0.5)  # it renews its lease, and stops before the commit
                async with consuming(second, sink):
                    await second.publish([message(2)])
                    await sink.wait(1)
        assert sink.bodies[-1] == 2


@pytest.mark.servers
async def test_a_process_that_stands_still_while_it_publishes_keeps_nobody(
    postgres_url, monkeypatch
):
    async with opened(postgres_url) as one, opened(postgres_url, tables=False) as two:
        first, second = EmbeddedTransport(one), EmbeddedTransport(two)
        await first.start()
        with standing_still(monkeypatch, one):
            frozen = asyncio.create_task(first.publish([message(1)]))
            await asyncio.sleep(0.3)
            async with asyncio.timeout(5):
                assert (await second.publish([message(2)]))[0].outcome is Outcome.SENT
            frozen.cancel()
            await asyncio.gather(frozen, return_exceptions=True)


async def test_a_paused_consumer_takes_nothing_but_what_it_finishes_counts(transport):
    async with consuming(transport, Sink(acks=False)) as sink:
        await transport.publish([message(1)])
        await sink.wait(1)
        await sink.consumer.pause()
        await transport.publish([message(2)])
        await asyncio.sleep(0.3)
        assert sink.bodies == [1]
        sink.consumer.ack(sink.got)
        await lag(sink.consumer, 1)
    async with consuming(transport, Sink()) as sink:
        await sink.wait(1)
    assert sink.bodies == [2]


async def test_a_receiver_that_raises_gets_its_messages_again(transport):
    fails = iter([True])
    sink = Sink()

    class Failing(Sink):
        async def __call__(self, messages):
            if next(fails, False):
                raise RuntimeError("no")
            await super().__call__(messages)

    sink = Failing()
    await transport.publish([message(n) for n in range(3)])
    async with consuming(transport, sink):
        await sink.wait(3)
    assert sink.bodies == [0, 1, 2]


async def test_a_receiver_that_makes_it_wait_keeps_the_lease(transport):
    asked, go = asyncio.Event(), asyncio.Event()

    class Slow(Sink):
        async def __call__(self, messages):
            asked.set()
            await go.wait()
            await super().__call__(messages)

    await transport.publish([message(1)])
    async with consuming(transport, Slow()) as slow:
        async with asyncio.timeout(5):
            await asked.wait()  # the lease is its own before the other one comes
        async with consuming(transport, Sink()) as other:
            await asyncio.sleep(2.5)
            assert other.got == []
            go.set()
            await slow.wait(1)
            assert not slow.got[0].stale()


async def test_parameters_match_one_word(transport):
    stock = subscription(STOCK_MOVED, channel=STOCK)
    names = ["stock.eu.a-1", "stock.us.b", "stock.eu", "stock.eu.a.b", "Stock.eu.a", "stockXeu.a"]
    await transport.publish([message(n, "k", name) for n, name in enumerate(names)])
    async with consuming(transport, Sink(), "g", stock) as sink:
        await transport.publish([message(9, "k", "stock.x.y")])
        await sink.wait(3)
        await asyncio.sleep(0.1)
    assert sink.bodies == [0, 1, 9]


async def test_old_messages_go_when_every_group_that_wants_them_has_them(
    transport, database, monkeypatch
):
    monkeypatch.setattr(embedded, "RETENTION_SECONDS", -1.0)
    monkeypatch.setattr(embedded, "TRIM_EVERY", 0.05)

    async def left():
        async with database.transaction() as tx:
            return (await tx.execute(text("SELECT count(*) FROM embedded_log"))).scalar_one()

    async with consuming(transport, Sink(acks=False)) as sink:
        await asyncio.sleep(0.2)
        await transport.publish([message(n) for n in range(10)])
        await sink.wait(10)
        await asyncio.sleep(0.3)
        assert await left() == 10
        sink.consumer.ack(sink.got)
        async with asyncio.timeout(5):
            while await left():
                await asyncio.sleep(0.02)


async def test_provisioning_makes_the_log_once(database):
    transport = EmbeddedTransport(database)
    step = "create the embedded log (8 partitions)"
    assert await transport.provision([ORDERS], dry_run=True) == [Change(step, done=False)]
    assert await transport.provision([ORDERS], dry_run=False) == [Change(step, done=True)]
    assert await transport.provision([ORDERS], dry_run=False) == []
    assert await transport.healthy()


async def test_an_outage_leaves_the_messages_to_the_relay(transport, database, monkeypatch):
    class AwayError(Exception):
        pass

    @asynccontextmanager
    async def away(**_):
        raise AwayError
        yield

    monkeypatch.setattr(database, "transaction", away)
    monkeypatch.setattr(database, "is_outage", lambda error: isinstance(error, AwayError))
    answers = await transport.publish([message(1), message(2)])
    assert [a.outcome for a in answers] == [Outcome.TRANSIENT] * 2


CHILD = """
import asyncio, os, sys
from runtime.databases import open_database
from runtime.embedded import EmbeddedTransport
from runtime.transport import Outgoing
from tests.support.samples import subscription

async def main():
    database = open_database(sys.argv[1])
    transport = EmbeddedTransport(database)
    await transport.start()
    taken = []
    async def deliver(messages):
        taken.extend(messages)
    consumer = await transport.consume(subscription(), "g", deliver)
    for n in range(50):
        await transport.publish([Outgoing("orders", f"k{n % 3}", {}, b"%d" % n)])
    while len(taken) < 50:
        await asyncio.sleep(0.01)
    consumer.ack(taken[:20])
    await asyncio.sleep(1.0)
    print("ready", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_what_was_published_survives_kill_9(database_url):
    async with opened(database_url) as database:
        path = os.pathsep.join([str(importable()), str(ROOT)])
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, database_url],
            env=os.environ | {"PYTHONPATH": path},
            stdout=subprocess.PIPE,
        )
        try:
            assert await asyncio.to_thread(child.stdout.readline) == b"ready\n"
        finally:
            child.kill()
            child.wait()
            child.stdout.close()
        transport = EmbeddedTransport(database)
        await transport.start()
        async with consuming(transport, Sink()) as sink:
            await sink.wait(30)  # after the lease of the dead one ends
            await lag(sink.consumer, 0)
        await transport.close()
        assert sink.bodies == sorted(sink.bodies)
        assert set(range(20, 50)) <= set(sink.bodies)
        assert len(sink.bodies) < 50
