"""The metrics: their names, what moves them, and that nobody else can make up their labels."""

from __future__ import annotations

import asyncio
import re

import pytest
from prometheus_client import generate_latest
from runtime import housekeeping
from runtime.app import App
from runtime.backlog import read_backlog
from runtime.database import Parking
from runtime.embedded import EmbeddedTransport
from runtime.errors import DeadLetter
from runtime.housekeeping import Housekeeping
from runtime.metrics import REGISTRY
from runtime.outbox import Publisher
from runtime.service import RetryPolicy
from sqlalchemy import event, text

from tests.runtime.delivering import PAID as ORDER_PAID
from tests.runtime.delivering import bench, message
from tests.runtime.delivering import until as until_
from tests.runtime.tiny import SERVICE, Paid, Settings, captured, until

pytestmark = pytest.mark.anyio


def value(name, **labels):
    """A sample's value; None when there is no such sample."""
    return REGISTRY.get_sample_value(name, labels)


def ours():
    return [family for family in REGISTRY.collect() if not family.name.startswith("process_")]


async def poison(database, row):
    async with database.transaction() as tx:
        await database.add_to_outbox(tx, [row])
    newest = (await database.list_outbox(100))[-1]
    await database.mark_failed(newest.id, "denied", poison_after=1)


def parking(n, status, key="k"):
    row = Publisher(SERVICE).row(Paid(order_id=key))
    return Parking(row.event_id, key, "t", {}, b"", f"o/{n}", status, "handler-error")


# names and labels ---------------------------------------------------------------------------------


async def test_every_name_follows_the_conventions_of_prometheus():
    for family in ours():
        assert re.fullmatch(r"eventgen_[a-z_]+", family.name), family.name
        assert family.documentation, family.name
        assert "millis" not in family.name
        if "duration" in family.name or "oldest" in family.name:
            assert family.name.endswith("_seconds"), family.name
        if family.type == "counter":
            assert not family.name.endswith("_total")  # the client adds it: eventgen_x_total
            assert f"# TYPE {family.name}_total counter" in generate_latest(REGISTRY).decode()


async def test_types_that_others_make_up_are_no_label_values(database_url):
    async def ignore(event, ctx):
        raise AssertionError

    async with bench(database_url, ignore) as b:
        await b.settle(message("k", type="made.up.first"))
        before = len(generate_latest(REGISTRY).splitlines())
        await b.settle(*(message(f"k{n}", type=f"made.up.{n}") for n in range(50)))
        assert len(generate_latest(REGISTRY).splitlines()) == before
        assert "made.up" not in generate_latest(REGISTRY).decode()


# what waits ---------------------------------------------------------------------------------------


async def test_the_backlog_is_counted_and_aged_by_the_clock_of_the_database(database):
    empty = await read_backlog(database)
    assert (empty.pending, empty.poison, empty.oldest, empty.relays) == (0, 0, 0.0, 0)
    assert empty.parked == {}
    row = Publisher(SERVICE).row(Paid(order_id="o1"))
    await poison(database, Publisher(SERVICE).row(Paid(order_id="o2")))
    async with database.transaction() as tx:
        await tx.execute(text("UPDATE outbox SET created_at = '2020-01-01 00:00:00.000'"))
        await database.add_to_outbox(tx, [row])
        await database.park(tx, "a", [parking(1, "dead"), parking(2, "waiting")])
        await database.park(tx, "b", [parking(3, "retry", "other")])
        await tx.execute(
            text("UPDATE parked SET first_failed_at = '2020-01-01 00:00:00' WHERE consumer = 'b'")
        )
    await database.lease_lanes(row.event_id, 60.0, 64)
    found = await read_backlog(database)
    assert (found.pending, found.poison, found.relays) == (1, 1, 1)
    assert 0 <= found.oldest < 60  # that of the poison row is told by `poison`
    assert found.parked[("a", "dead")].events == found.parked[("a", "waiting")].events == 1
    assert found.parked[("a", "dead")].oldest < 60
    assert found.parked[("b", "retry")].oldest > 1e8
    assert found.dead() == 1


async def test_the_gauges_are_measured_without_a_relay_and_not_by_a_scrape(database):
    await poison(database, Publisher(SERVICE).row(Paid(order_id="o2")))
    async with database.transaction() as tx:
        await database.add_to_outbox(tx, [Publisher(SERVICE).row(Paid(order_id="o1"))])
        await tx.execute(
            text("UPDATE outbox SET created_at = '2020-01-01 00:00:00' WHERE status = 'pending'")
        )
        await database.park(tx, "payments", [parking(1, "dead")])
    transport = EmbeddedTransport(database)
    async with App(SERVICE, Settings(), database, transport, relay=False):

        async def measured():
            return value("eventgen_outbox_pending") == 1

        await until(measured)
        assert value("eventgen_outbox_oldest_seconds") > 1e8
        assert value("eventgen_outbox_poison") == 1
        assert value("eventgen_relays") == 0
        assert value("eventgen_parked", subscription="payments", status="dead") == 1
        assert value("eventgen_parked", subscription="payments", status="retry") == 0
        assert value("eventgen_parked_oldest_seconds", subscription="payments", status="dead") < 60
        assert value("eventgen_measured_timestamp_seconds") > 1.7e9
        assert value("eventgen_build_info", service="tiny", version="1.2.3") == 1
        assert value("eventgen_draining") == 0
        statements = await count_statements(database, lambda: generate_latest(REGISTRY))
        assert statements == 0
    assert value("eventgen_draining") == 1


async def count_statements(database, work):
    seen = []
    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *a: seen.append(a[2]))
    work()
    return len(seen)


async def test_measuring_takes_a_small_share_of_the_time(monkeypatch):
    pauses = []

    async def slow(_database):
        clock[0] += 3.0
        return backlog

    async def sleep(seconds, stopping):
        pauses.append(seconds)
        stopping.set()
        return True

    clock = [100.0]
    backlog = housekeeping.Backlog(0, 0, 0.0, 0, {})
    monkeypatch.setattr(housekeeping, "read_backlog", slow)
    monkeypatch.setattr(housekeeping, "sleep", sleep)
    monkeypatch.setattr(housekeeping, "monotonic", lambda: clock[0])

    class Nothing:
        async def forget_inbox(self, *_):
            return 0

        forget_sent = forget_inbox

    await Housekeeping(Nothing(), [], retention_days=1).run(asyncio.Event())
    assert pauses == [60.0]


async def test_the_lag_of_what_is_somebody_elses_is_not_shown(database):
    class Consuming:
        subscription = SERVICE.subscriptions[0]
        waiting = 7

        async def lag(self):
            return self.waiting

    measured = Housekeeping(database, [Consuming()], retention_days=1)
    await measured.measure()
    assert value("eventgen_consumer_lag", subscription="payments") == 7
    Consuming.waiting = None
    await measured.measure()
    assert value("eventgen_consumer_lag", subscription="payments") is None


async def test_one_process_at_a_time_tells_the_lag_of_the_embedded_broker(database):
    transport = EmbeddedTransport(database)
    await transport.start()
    await transport.publish([captured(1), captured(2)])

    async def never(_messages):
        await asyncio.Event().wait()

    consumers = [await transport.consume(SERVICE.subscriptions[0], "tiny", never) for _ in range(2)]

    async def told():
        return sorted([await c.lag() or 0 for c in consumers]) == [0, 2]

    await until(told)
    assert None in [await c.lag() for c in consumers]
    await transport.close()


# what happens to events ---------------------------------------------------------------------------


async def test_what_becomes_of_events_is_counted_by_result(database_url):
    async def handler(event, ctx):
        if event.n < 0:
            raise DeadLetter("below zero")
        if event.n == 0:
            raise ValueError("nothing")

    def received(result):
        return value("eventgen_events_received_total", subscription="billing", result=result) or 0

    def retried():
        return value("eventgen_event_retries_total", subscription="billing") or 0

    def dead(reason):
        name = "eventgen_dead_letters_total"
        return value(name, subscription="billing", reason=reason) or 0

    names = ("handled", "duplicate", "dead", "ignored", "parked")
    async with bench(database_url, handler) as b:
        before = {name: received(name) for name in names}
        attempts, rejected, undecodable = retried(), dead("rejected"), dead("undecodable")
        twice = message("a", 1)
        await b.settle(twice)
        await b.settle(twice, message("b", -1), message("c", type="other"), message("d", 0))
        await b.settle(message("e", body=b"{"))
        counted = {name: received(name) - before[name] for name in names}
        assert retried() - attempts == 4  # three in the lane, one parked
        assert dead("rejected") - rejected == 1
        assert dead("undecodable") + dead("invalid") - undecodable > 0
    assert counted == {"handled": 1, "duplicate": 1, "dead": 2, "ignored": 1, "parked": 1}
    labels = {"subscription": "billing", "type": ORDER_PAID.type}
    assert value("eventgen_handler_duration_seconds_count", **labels) >= 2
    assert value("eventgen_batch_size_count", subscription="billing") >= 1


async def test_dead_letters_of_the_retries_are_counted_too(database_url):
    async def handler(event, ctx):
        raise ValueError("never")

    name, labels = "eventgen_dead_letters_total", {"subscription": "billing"}
    before = value(name, **labels, reason="max-attempts") or 0
    policy = RetryPolicy(attempts=5, initial=0.01, maximum=0.01)
    async with bench(database_url, handler, retry=policy) as b:
        b.start_parked_worker()
        await b.settle(message("k", 1))
        await until_(lambda: (value(name, **labels, reason="max-attempts") or 0) > before)
