"""Partitions leased to the consumers of a group, each read on from where it is handled."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest
from runtime import checkpoints, partitions
from runtime.checkpoints import Checkpoints, provide_tables
from runtime.partitions import PartitionConsumer, Record
from runtime.transport import Incoming
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from tests.runtime.conftest import opened

pytestmark = pytest.mark.anyio
PARTS = 4


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(checkpoints, "LEASE_SECONDS", 1.0)
    monkeypatch.setattr(partitions, "SAVE_EVERY", 0.02)


@pytest.fixture
async def tables(database):
    assert await provide_tables(database)
    return database


class FakeLog:
    """Partitions that anybody may read, as those of Redis and NATS. Positions begin at 1."""

    def __init__(self):
        self.parts = [[] for _ in range(PARTS)]
        self.fails = 0
        self.told = {}
        self.closed = 0

    def add(self, part, *bodies):
        self.parts[part] += bodies

    async def partitions(self):
        return PARTS

    async def begin(self, positions):
        return {p: at if at <= len(self.parts[p]) + 1 else 0 for p, at in positions.items()}

    async def read(self, positions):
        await asyncio.sleep(0.005)
        if self.fails:
            self.fails -= 1
            raise ConnectionError("away")
        return [
            Record(part, place, Incoming("s", None, {}, b"%d" % body, f"s/{part}/{place}"))
            for part, position in positions.items()
            for place, body in list(enumerate(self.parts[part], 1))[: position + 49]
            if place >= position
        ]

    async def done(self, positions):
        self.told |= positions

    async def lag(self, positions):
        return sum(len(self.parts[part]) + 1 - max(at, 1) for part, at in positions.items())

    async def close(self):
        self.closed += 1


class Sink:
    """What a consumer was given; acknowledged at once unless told otherwise."""

    def __init__(self, *, acks=True):
        self.got, self.acks, self.consumer, self.broken = [], acks, None, 0

    async def __call__(self, messages):
        if self.broken:
            self.broken -= 1
            raise RuntimeError("not now")
        self.got += messages
        if self.acks:
            self.consumer.ack(messages)

    @property
    def bodies(self):
        return [int(m.body) for m in self.got]

    def of(self, part):
        return [int(m.body) for m in self.got if m.origin.split("/")[1] == str(part)]


def consumer(database, log, sink, group="g"):
    made = PartitionConsumer(Checkpoints(database, group, "s"), log, sink)
    sink.consumer = made
    made.start()
    return made


@asynccontextmanager
async def consuming(database, log, sink, group="g"):
    made = consumer(database, log, sink, group)
    try:
        yield sink
    finally:
        await made.close()


async def until(condition, seconds=10.0):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


async def positions(database, group="g"):
    found = await Checkpoints(database, group, "s").positions()
    return {part: at.position for part, at in found.items()}


async def stands(database, expected, group="g"):
    async with asyncio.timeout(10):
        while await positions(database, group) != expected:
            await asyncio.sleep(0.02)


async def test_everything_arrives_in_its_order_and_the_position_follows(tables):
    log = FakeLog()
    for part in range(PARTS):
        log.add(part, *range(100 * part, 100 * part + 60))
    async with consuming(tables, log, Sink()) as sink:
        await until(lambda: len(sink.got) == 240)
        await stands(tables, dict.fromkeys(range(PARTS), 61))
        await until(lambda: log.told == dict.fromkeys(range(PARTS), 61))
        assert await sink.consumer.lag() == 0
        held = await Checkpoints(tables, "g", "s").positions()
        assert all(at.held for at in held.values())
    for part in range(PARTS):
        assert sink.of(part) == list(range(100 * part, 100 * part + 60))
    assert log.closed == 1
    assert await sink.consumer.lag() is None


async def test_groups_do_not_know_each_other(tables):
    log = FakeLog()
    log.add(0, 1, 2)
    async with consuming(tables, log, Sink(), "a") as first:
        await until(lambda: first.bodies == [1, 2])
    async with consuming(tables, log, Sink(), "b") as second:
        await until(lambda: second.bodies == [1, 2])
    assert await positions(tables, "a") == await positions(tables, "b")


async def test_consumers_share_and_what_is_under_way_is_not_handed_over(tables):
    log = FakeLog()
    async with consuming(tables, log, Sink(acks=False)) as first:
        for part in range(PARTS):
            log.add(part, 10 * part)
        await until(lambda: len(first.got) == PARTS)
        async with consuming(tables, log, Sink()) as second:
            await asyncio.sleep(1.5)  # longer than a lease
            assert second.got == []
            first.consumer.ack(first.got)
            await until(lambda: sum(m.stale() for m in first.got) == 2)
            for part in range(PARTS):
                log.add(part, 10 * part + 1)
            await until(lambda: len(first.got) + len(second.got) == 2 * PARTS)
            mine = [part for part in range(PARTS) if 10 * part + 1 in first.bodies]
            assert len(mine) == 2
        first.consumer.ack(first.got)
        await until(lambda: {10 * n + 1 for n in range(PARTS)} <= {*first.bodies, *second.bodies})
        log.add(0, 2)
        log.add(3, 32)
        await until(lambda: {2, 32} <= set(first.bodies))  # the other one has left
    assert sorted(second.bodies) == sorted(set(second.bodies))


async def test_a_partition_goes_away_in_the_end_whatever_is_under_way(tables, monkeypatch):
    monkeypatch.setattr(partitions, "LEAVE_SECONDS", 0.2)
    log = FakeLog()
    for part in range(PARTS):
        log.add(part, part)
    async with consuming(tables, log, Sink(acks=False)) as first:
        await until(lambda: len(first.got) == PARTS)
        async with consuming(tables, log, Sink()) as second:
            await until(lambda: len(second.got) == 2)
            assert sum(m.stale() for m in first.got) == 2


async def test_a_successor_of_one_that_leaves_begins_at_once_where_that_one_was(tables):
    log = FakeLog()
    log.add(1, *range(10))
    async with consuming(tables, log, Sink(acks=False)) as first:
        await until(lambda: len(first.got) == 10)
        first.consumer.ack([*first.got[:3], first.got[4]])  # the one between is not done
    async with consuming(tables, log, Sink()) as second:
        await until(lambda: len(second.got) >= 7, 0.9)  # less than a lease
    assert second.bodies == list(range(3, 10))
    first.consumer.ack(first.got)
    assert (await positions(tables))[1] == 11


async def test_a_successor_of_one_that_was_killed_waits_for_its_leases(tables):
    log = FakeLog()
    log.add(1, *range(10))
    sink = Sink(acks=False)
    killed = consumer(tables, log, sink)
    await until(lambda: len(sink.got) == 10)
    killed.ack(sink.got[:4])
    await stands(tables, {0: 0, 1: 5, 2: 0, 3: 0})
    for task in killed._tasks:
        task.cancel()
    async with consuming(tables, log, Sink()) as second:
        await asyncio.sleep(0.3)
        assert second.got == []
        await until(lambda: len(second.got) == 6)
    assert second.bodies == list(range(4, 10))


async def test_one_that_loses_its_lease_stops_and_takes_up_again(tables):
    log = FakeLog()
    log.add(2, 1, 2)
    async with consuming(tables, log, Sink(acks=False)) as sink:
        await until(lambda: len(sink.got) == 2)
        old = list(sink.got)
        async with tables.transaction() as tx:
            await tx.execute(text("UPDATE consumer_checkpoint SET owner = 'thief'"))
        sink.consumer.ack(old)  # too late: nothing of it may be written down any more
        await until(lambda: all(m.stale() for m in old))
        await until(lambda: len(sink.got) == 4)  # the thief's lease was not renewed
        assert sink.bodies == [1, 2, 1, 2]
        assert not sink.got[2].stale()
        assert (await positions(tables))[2] <= 1


async def test_a_receiver_that_raises_gets_its_messages_again(tables):
    log = FakeLog()
    log.add(0, 1, 2, 3)
    sink = Sink()
    sink.broken = 2
    async with consuming(tables, log, sink):
        await until(lambda: len(sink.got) == 3)
    assert sink.bodies == [1, 2, 3]


async def test_a_broker_that_was_away_is_read_on_without_repetition(tables):
    log = FakeLog()
    log.add(0, 1)
    async with consuming(tables, log, Sink(acks=False)) as sink:
        await until(lambda: len(sink.got) == 1)
        log.fails = 3
        log.add(0, 2)
        await until(lambda: len(sink.got) == 2)
        assert not any(m.stale() for m in sink.got)
    assert sink.bodies == [1, 2]


async def test_a_broker_that_lost_its_data_is_read_from_its_beginning(tables):
    log = FakeLog()
    log.add(0, 1, 2, 3, 4)
    async with consuming(tables, log, Sink()) as sink:
        await until(lambda: len(sink.got) == 4)
        await stands(tables, {0: 5, 1: 0, 2: 0, 3: 0})
        log.parts[0] = []
        log.fails = 1
        await asyncio.sleep(0.5)  # it was asked again where to begin
        log.add(0, 7)
        await until(lambda: len(sink.got) == 5)
        await stands(tables, {0: 2, 1: 0, 2: 0, 3: 0})
    log.parts[0] = []
    async with consuming(tables, log, Sink()) as later:
        await asyncio.sleep(0.2)
        log.add(0, 8)
        await until(lambda: later.bodies == [8])


async def test_a_paused_consumer_takes_nothing_but_what_it_finishes_counts(tables):
    log = FakeLog()
    log.add(0, 1)
    async with consuming(tables, log, Sink(acks=False)) as sink:
        await until(lambda: len(sink.got) == 1)
        await sink.consumer.pause()
        log.add(0, 2)
        await asyncio.sleep(0.2)
        sink.consumer.ack(sink.got)
        await stands(tables, {0: 2, 1: 0, 2: 0, 3: 0})
        assert sink.bodies == [1]
        assert await sink.consumer.lag() == 1


async def test_an_outage_of_the_database_ends_nothing(tables, monkeypatch):
    log = FakeLog()
    log.add(0, 1)
    async with consuming(tables, log, Sink()) as sink:
        await until(lambda: len(sink.got) == 1)
        with monkeypatch.context() as patched:

            @asynccontextmanager
            async def away(**_):
                raise ConnectionError
                yield

            patched.setattr(tables, "transaction", away)
            log.add(0, 2)
            await asyncio.sleep(0.2)
        await stands(tables, {0: 3, 1: 0, 2: 0, 3: 0})


async def test_a_broker_that_is_away_in_the_beginning_is_waited_for(database):
    log = FakeLog()
    log.add(0, 1)
    tries = iter([ConnectionError("away"), ConnectionError("away")])

    async def later():
        if error := next(tries, None):
            raise error
        return PARTS

    log.partitions = later
    async with consuming(database, log, Sink()) as sink:
        await until(lambda: sink.bodies == [1])
        assert await sink.consumer.lag() == 0


@pytest.mark.servers
async def test_one_that_stands_still_in_a_transaction_keeps_nobody_for_long(
    postgres_database, postgres_url
):
    """As after SIGSTOP, or when its machine is cut off: the server hears nothing from it."""
    still = Checkpoints(postgres_database, "g", "s")
    await still.prepare(PARTS)
    assert len(await still.take(PARTS)) == PARTS
    async with opened(postgres_url, tables=False) as own:
        log = FakeLog()
        log.add(0, 1)
        with suppress(DBAPIError):  # the server has ended it by then
            async with still._transaction() as tx:
                await still._do(tx, checkpoints._RENEW, still._owner)
                async with consuming(own, log, Sink()) as other:
                    await until(lambda: other.bodies == [1], 10.0)
    assert other.bodies == [1]


async def test_nobody_holds_what_the_broker_cannot_give(tables):
    log = FakeLog()

    async def away(_):
        raise ConnectionError("away")

    log.begin = away
    async with consuming(tables, log, Sink()):
        await stands(tables, dict.fromkeys(range(PARTS), 0))
        await asyncio.sleep(0.1)
        found = await Checkpoints(tables, "g", "s").positions()
        assert not any(at.held for at in found.values())


async def test_a_client_that_swallows_a_cancellation_does_not_keep_it_from_closing(tables):
    log, read = FakeLog(), FakeLog.read
    log.add(0, 1)

    async def deaf(positions):
        try:
            await asyncio.sleep(0.3)
        except asyncio.CancelledError:
            log.add(0, 2)
        return await read(log, positions)

    log.read = deaf
    async with consuming(tables, log, Sink()) as sink:
        await until(lambda: sink.bodies == [1])
        await asyncio.sleep(0.05)  # it reads again
        async with asyncio.timeout(5):
            await sink.consumer.close()
    assert (sink.bodies, log.parts[0]) == ([1], [1, 2])


async def test_what_could_not_be_given_back_is_read_all_the_same(tables, monkeypatch):
    log, begin, give = FakeLog(), FakeLog.begin, Checkpoints.give
    log.add(0, 1)
    failed = []

    async def once(at, *arguments):
        if at not in failed:
            failed.append(at)
            raise ConnectionError("away")
        await give(at, *arguments)

    async def away(_):
        log.begin = lambda positions: begin(log, positions)
        raise ConnectionError("away")

    log.begin = away
    monkeypatch.setattr(Checkpoints, "give", once)
    async with consuming(tables, log, Sink()) as sink:
        await until(lambda: sink.bodies == [1])
    assert failed


async def test_the_tables_are_made_once_whoever_comes_first(database):
    assert await provide_tables(database, dry_run=True)
    async with database.reading() as tx:
        names = await tx.run_sync(lambda c: inspect(c).get_table_names())
    assert not {*checkpoints.TABLES} & {*names}
    await asyncio.gather(*[provide_tables(database) for _ in range(3)])
    assert not await provide_tables(database)
    assert await Checkpoints(database, "g", "s").positions() == {}
