"""From delivery to acknowledgement: one effect per event, in order, whatever fails on the way."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from uuid import uuid4

import pytest
from pydantic import BaseModel
from runtime import handling
from runtime.embedded import EmbeddedTransport
from runtime.errors import DeadLetter, Retry, Skip
from runtime.service import RetryPolicy
from runtime.transport import Outcome, Outgoing
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.runtime.delivering import (
    Billed,
    Effect,
    Paid,
    bench,
    budget,
    keys_of_first_lane,
    limit_of_transactions,
    message,
    until,
    write,
)


@pytest.fixture
def url(tmp_path):
    return f"sqlite+aiosqlite:///{tmp_path}/service.db"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """The quick attempts come at once, outages are looked at again at once."""
    monkeypatch.setattr("runtime.retry.IN_LANE", (0.001, 0.001, 0.001))
    monkeypatch.setattr(handling, "outage_delay", lambda _: 0.001)


@pytest.fixture
def no_budget(monkeypatch):
    """Batches end where the lane does, however slow this machine is."""
    budget(monkeypatch, 60.0)


class Flaky:
    """A handler that writes, then fails for some events, so many times."""

    def __init__(self, failures=None, error=None):
        self.failures = dict(failures or {})  # n of the event -> how often it fails
        self.error = error or ValueError("boom")
        self.runs = []

    async def __call__(self, event, ctx):
        self.runs.append(event.n)
        await write(event, ctx)
        if self.failures.get(event.n, 0) > 0:
            self.failures[event.n] -= 1
            raise self.error


ALWAYS = 10**6


# effects and acknowledgements ---------------------------------------------------------------------


@pytest.mark.parametrize("together", [1, 2, 30])
def test_effect_outbox_and_acknowledgement_of_each_event(url, together, no_budget):
    async def case():
        async with bench(url, write) as b:
            messages = [message(f"k{n % 7}", n) for n in range(30)]
            for start in range(0, 30, together):
                await b.settle(*messages[start : start + together])
            assert sorted(b.acked) == sorted(m.origin for m in messages)
            assert sorted(n for _, n in await b.effects()) == list(range(30))
            assert sorted(n for _, n in await b.published()) == list(range(30))
            for key in range(7):
                mine = [n for k, n in await b.effects() if k == f"k{key}"]
                assert mine == sorted(mine)
            assert b.woken > 0

    asyncio.run(case())


def test_events_waiting_in_a_lane_share_a_transaction(url, no_budget):
    async def case():
        async with bench(url, write, concurrency=1) as b:
            await b.settle(*[message("k", n) for n in range(40)])
            assert b.woken < 5

    asyncio.run(case())


@pytest.mark.parametrize("apart", [True, False])
def test_an_event_delivered_twice_has_one_effect(url, apart, no_budget):
    async def case():
        async with bench(url, write, concurrency=1) as b:
            twice = message("k", 1)
            others = [message("k", n) for n in (2, 3)]
            if apart:
                await b.settle(twice)
                await b.settle(twice, *others, twice)
                await b.settle(twice)
            else:
                await b.settle(twice, *others, twice)
            assert [n for _, n in await b.effects()] == [1, 2, 3]
            assert [n for _, n in await b.published()] == [1, 2, 3]
            assert b.acked.count(twice.origin) == (4 if apart else 2)

    asyncio.run(case())


def test_nothing_is_acknowledged_before_it_is_committed(url, no_budget):
    async def case():
        handler = Flaky({3: ALWAYS, 5: 2, 8: ALWAYS})
        async with bench(url, handler, concurrency=2) as b:
            messages = [message(f"k{n % 4}", n) for n in range(12)]
            ids = {m.headers["ce_id"]: m.origin for m in messages}
            await b.settle(*messages)
            committed = set()
            for what, which in b.log:
                if what == "commit":
                    committed.add(ids[str(which)])
                else:
                    assert which in committed, "acknowledged before the commit"
            assert len(committed) == 12

    asyncio.run(case())


def test_a_failing_commit_is_never_acknowledged(url):
    """The broker would forget an event whose effect does not exist."""

    async def case():
        async with bench(url, write) as b:
            b.database.outages = (ConnectionError,)
            original, failures = b.database.add_to_outbox, [1, 1]

            async def failing(tx, rows):
                await original(tx, rows)
                if failures:
                    failures.pop()
                    assert b.acked == []
                    raise ConnectionError("lost at the commit")

            b.database.add_to_outbox = failing
            await b.settle(message("k", 1))
            assert await b.effects() == [("k", 1)]
            assert failures == []

    asyncio.run(case())


# batches ------------------------------------------------------------------------------------------


def test_a_failing_event_neither_undoes_nor_doubles_the_others_of_its_batch(url, no_budget):
    async def case():
        handler = Flaky({4: ALWAYS})
        async with bench(url, handler, concurrency=1) as b:
            await b.settle(*[message(f"k{n}", n) for n in range(10)])
            assert [n for _, n in await b.effects()] == [0, 1, 2, 3, 5, 6, 7, 8, 9]
            assert [n for _, n in await b.published()] == [0, 1, 2, 3, 5, 6, 7, 8, 9]
            (parked,) = await b.parked()
            assert (parked.key, parked.status, parked.reason) == ("k4", "retry", "handler-error")
            assert parked.error == "ValueError: boom"
            assert parked.attempts == 4

    asyncio.run(case())


def test_a_spent_budget_commits_what_is_done_and_keeps_the_order(url, monkeypatch):
    budget(monkeypatch, 0.02)

    async def case():
        commits = []

        async def slow(event, ctx):
            await write(event, ctx)
            await asyncio.sleep(0.008)

        async with bench(url, slow, concurrency=1) as b:
            wake = b.wake
            b.consumption._handling._wake = lambda: (commits.append(len(b.acked)), wake())
            await b.settle(*[message("k", n) for n in range(12)])
            assert [n for _, n in await b.effects()] == list(range(12))
            assert 4 <= b.woken <= 10, "three events of 8 ms spend 20 ms"

    asyncio.run(case())


def test_an_event_handled_elsewhere_meanwhile_undoes_the_batch(url, no_budget):
    """The inbox's primary key decides, not the look at it before the handlers ran."""

    async def case():
        async with bench(url, write, concurrency=1) as b:
            messages = [message("k", n) for n in range(5)]
            look, hidden = b.database.seen, []
            await b.settle(messages[2])

            async def blind(tx, consumer, ids, keys, **limit):
                seen = await look(tx, consumer, ids, keys, **limit)
                if len(ids) == 1:
                    return seen
                hidden.append(seen.handled)
                return type(seen)(frozenset(), seen.blocked)

            b.database.seen = blind
            await b.settle(*messages)
            assert any(hidden), "the batch was tried with a stale look"
            assert sorted(n for _, n in await b.effects()) == [0, 1, 2, 3, 4]
            assert sorted(n for _, n in await b.published()) == [0, 1, 2, 3, 4]

    asyncio.run(case())


def test_the_claim_of_a_single_event_decides_too(url):
    async def case():
        async with bench(url, write, batch=1) as b:
            look = b.database.seen

            async def blind(tx, consumer, ids, keys, **limit):
                seen = await look(tx, consumer, ids, keys, **limit)
                return type(seen)(frozenset(), seen.blocked)

            b.database.seen = blind
            once = message("k", 1)
            await b.settle(once)
            await b.settle(once)
            assert await b.effects() == [("k", 1)]

    asyncio.run(case())


def test_batch_one_runs_each_event_alone(url):
    async def case():
        async with bench(url, write, batch=1, concurrency=1) as b:
            await b.settle(*[message("k", n) for n in range(5)])
            assert b.woken == 5

    asyncio.run(case())


# order --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("together", [True, False])
def test_later_events_of_a_failed_key_wait_behind_it(url, together, no_budget):
    async def case():
        handler = Flaky({1: ALWAYS})
        async with bench(url, handler, concurrency=1) as b:
            messages = [message("bad", 1), message("bad", 2), message("good", 3), message("bad", 4)]
            if together:
                await b.settle(*messages)
            else:
                for one in messages:
                    await b.settle(one)
            assert await b.effects() == [("good", 3)]
            rows = [(row.status, row.body) for row in await b.parked()]
            assert [status for status, _ in rows] == ["retry", "waiting", "waiting"]
            assert [body for _, body in rows] == [messages[i].body for i in (0, 1, 3)]

    asyncio.run(case())


def test_a_whole_batch_behind_a_parked_event_waits_in_order(url, no_budget):
    async def case():
        async with bench(url, Flaky({0: ALWAYS}), concurrency=1) as b:
            await b.settle(message("bad", 0))
            await b.settle(*[message("bad", n) for n in range(1, 9)], message("good", 9))
            bodies = [row.body for row in await b.parked()]
            assert [Paid.model_validate_json(body).n for body in bodies] == list(range(9))
            assert await b.effects() == [("good", 9)]

    asyncio.run(case())


def test_a_parked_event_delivered_again_is_not_handled_again(url):
    async def case():
        handler = Flaky({1: ALWAYS})
        async with bench(url, handler) as b:
            failing, waiting = message("k", 1), message("k", 2)
            await b.settle(failing)
            await b.settle(waiting)
            runs = len(handler.runs)
            await b.settle(failing, waiting)
            assert len(handler.runs) == runs
            assert len(await b.parked()) == 2

    asyncio.run(case())


def test_a_parked_event_without_a_key_is_not_handled_again_either(url):
    """No key is blocked that would hold it back: that it is parked must be looked up."""

    async def case():
        handler = Flaky({1: ALWAYS}, DeadLetter("no"))
        async with bench(url, handler) as b:
            dead = message(None, 1)
            await b.settle(dead)
            await b.settle(dead)
            assert handler.runs == [1]

    asyncio.run(case())


def test_a_duplicate_does_not_undo_its_batch(url, no_budget):
    async def case():
        handler = Flaky()
        async with bench(url, handler, concurrency=1) as b:
            messages = [message("k", n) for n in range(3)]
            await b.settle(messages[0])
            await b.settle(messages[0], messages[1], messages[2], messages[1])
            assert handler.runs == [0, 1, 2]

    asyncio.run(case())


def test_an_event_without_a_key_blocks_nothing(url, no_budget):
    async def case():
        async with bench(url, Flaky({1: ALWAYS}), concurrency=1) as b:
            await b.settle(*[message(None, n) for n in range(4)])
            assert sorted(n for _, n in await b.effects()) == [0, 2, 3]

    asyncio.run(case())


def test_without_order_events_of_a_key_do_not_wait(url, no_budget):
    async def case():
        async with bench(url, Flaky({1: ALWAYS}), concurrency=1, ordering="none") as b:
            await b.settle(*[message("k", n) for n in range(4)])
            assert sorted(n for _, n in await b.effects()) == [0, 2, 3]
            assert [row.status for row in await b.parked()] == ["retry"]

    asyncio.run(case())


def test_a_failing_key_does_not_delay_other_keys(url, monkeypatch):
    """Its quick attempts hold its own lane only."""
    monkeypatch.setattr("runtime.retry.IN_LANE", (30.0, 30.0, 30.0))

    async def case():
        bad, *same = keys_of_first_lane(16)
        apart = [f"key-{n}" for n in range(40) if f"key-{n}" not in [bad, *same]]
        async with bench(url, Flaky({-1: ALWAYS})) as b:
            await b.deliver(message(bad, -1))
            await asyncio.sleep(0.05)
            await b.settle(*[message(key, n) for n, key in enumerate(apart)])
            assert len(await b.effects()) == len(apart)

    asyncio.run(case())


# retries and dead letters -------------------------------------------------------------------------


@pytest.mark.parametrize("together", [1, 5])
def test_a_passing_fault_is_retried_in_the_lane(url, together, no_budget):
    async def case():
        handler = Flaky({1: 2})
        async with bench(url, handler, concurrency=1) as b:
            messages = [message("k", n) for n in range(1, together + 1)]
            await b.settle(*messages)
            assert [n for _, n in await b.effects()] == list(range(1, together + 1))
            assert await b.parked() == []

    asyncio.run(case())


def test_attempts_never_exceed_the_policy(url):
    async def case():
        handler = Flaky({1: ALWAYS})
        policy = RetryPolicy(attempts=2)
        async with bench(url, handler, retry=policy) as b:
            await b.settle(message("k", 1))
            (dead,) = await b.parked("dead")
            assert len(handler.runs) == dead.attempts == 2
            assert (dead.reason, dead.error) == ("max-attempts", "ValueError: boom")

    asyncio.run(case())


def test_an_outage_is_nobodys_attempt(url):
    async def case():
        handler = Flaky({1: 7}, ConnectionError("the database is away"))
        async with bench(url, handler, retry=RetryPolicy(attempts=1)) as b:
            b.database.outages = (ConnectionError,)
            b.database.failures = [ConnectionError("no connection")] * 5
            await b.settle(message("k", 1))
            assert await b.effects() == [("k", 1)]
            assert await b.parked() == []
            assert len(handler.runs) == 8

    asyncio.run(case())


def test_an_outage_while_parking_does_not_lose_the_event(url):
    async def case():
        handler = Flaky({1: ALWAYS})
        async with bench(url, handler, retry=RetryPolicy(attempts=1)) as b:
            b.database.outages = (ConnectionError,)
            park, failures = b.database.park, [1] * 3

            async def failing(*args):
                if failures:
                    failures.pop()
                    raise ConnectionError("away again")
                await park(*args)

            b.database.park = failing
            await b.settle(message("k", 1))
            (dead,) = await b.parked("dead")
            assert dead.attempts == len(handler.runs) == 1

    asyncio.run(case())


@pytest.mark.parametrize("together", [True, False])
def test_what_cannot_be_decoded_is_dead_at_once_with_its_bytes(url, together, no_budget):
    async def case():
        handler = Flaky()
        async with bench(url, handler, concurrency=1) as b:
            broken = message("a", body=b"\xff\x00 not JSON")
            invalid = message("b", body=b'{"order_id": 7}')
            fine = message("c", 3)
            if together:
                await b.settle(broken, invalid, fine)
            else:
                for one in (broken, invalid, fine):
                    await b.settle(one)
            dead = {row.key: row for row in await b.parked("dead")}
            assert dead["a"].body == broken.body
            assert dead["b"].body == invalid.body
            assert dead["b"].reason == "invalid"
            assert "order_id" in dead["b"].error
            assert {row.attempts for row in dead.values()} == {1}
            assert dict(dead["a"].headers) == dict(broken.headers)
            assert dead["a"].origin == broken.origin
            assert set(handler.runs) == {3}
            assert await b.effects() == [("c", 3)]

    asyncio.run(case())


def test_an_unreadable_envelope_is_dead_at_once(url, monkeypatch):
    from runtime.envelope import Undecodable

    def unreadable(message, subscription):
        raise Undecodable("undecodable", "no ce_type")

    monkeypatch.setattr(handling, "read_envelope", unreadable)

    async def case():
        async with bench(url, write) as b:
            odd = message("k", headers={"x": "y"}, body=b"\x01\x02")
            await b.settle(odd)
            await b.settle(odd)  # the broker may well deliver it again
            (dead,) = await b.parked("dead")
            assert (dead.reason, dead.body, dict(dead.headers)) == (
                "undecodable",
                b"\x01\x02",
                {"x": "y"},
            )

    asyncio.run(case())


def test_an_error_of_the_code_or_the_event_is_a_dead_letter_at_the_first_attempt(url):
    class Other(BaseModel):
        x: int

    async def case():
        runs = []

        async def handler(event, ctx):
            runs.append(event.n)
            Other.model_validate({"x": "no number"})

        async with bench(url, handler) as b:
            await b.settle(message("k", 1))
            (row,) = await b.parked()
            assert (row.status, row.reason) == ("dead", "permanent-error")
            assert runs == [1]
            assert row.error.startswith("ValidationError: 1 validation error")

    asyncio.run(case())


def test_retry_after_parks_for_as_long_as_asked(url):
    async def case():
        handler = Flaky({1: ALWAYS}, Retry(after=3600))
        async with bench(url, handler) as b:
            await b.settle(message("k", 1))
            (row,) = await b.parked()
            assert (row.status, row.attempts) == ("retry", 1)
            assert 3590 < (row.next_at - row.first_failed_at).total_seconds() < 3610
            assert await b.effects() == []
            assert handler.runs == [1]

    asyncio.run(case())


def test_dead_letter_gives_up_at_once(url):
    async def case():
        handler = Flaky({1: ALWAYS}, DeadLetter("no such customer"))
        async with bench(url, handler) as b:
            await b.settle(message("k", 1))
            (row,) = await b.parked("dead")
            assert (row.reason, row.error) == ("rejected", "DeadLetter: no such customer")
            assert await b.effects() == []
            assert await b.published() == []
            assert handler.runs == [1]

    asyncio.run(case())


@pytest.mark.parametrize("together", [True, False])
def test_skip_forgets_the_work_and_counts_as_handled(url, together, no_budget):
    async def case():
        handler = Flaky({1: ALWAYS}, Skip())
        async with bench(url, handler, concurrency=1) as b:
            skipped, other = message("k", 1), message("k", 2)
            if together:
                await b.settle(skipped, other)
            else:
                await b.settle(skipped)
                await b.settle(other)
            assert await b.effects() == [("k", 2)]
            assert [n for _, n in await b.published()] == [2]
            assert await b.parked() == []
            runs = len(handler.runs)
            await b.settle(skipped)
            assert len(handler.runs) == runs

    asyncio.run(case())


def test_an_event_nobody_handles_is_acknowledged_and_not_parked(url):
    async def case():
        async with bench(url, write) as b:
            await b.settle(message("k", 1, type="order.unknown"), message("k", 2))
            assert await b.effects() == [("k", 2)]
            assert await b.parked() == []

    asyncio.run(case())


# the handler's transaction ------------------------------------------------------------------------


def test_a_swallowed_rollback_does_not_lose_the_event(url):
    """Going on after it would acknowledge an event that left neither effect nor inbox entry."""

    async def case():
        async def handler(event, ctx):
            await write(event, ctx)
            await ctx.db.rollback()

        async with bench(url, handler, retry=RetryPolicy(attempts=1)) as b:
            await b.settle(message("k", 1))
            (dead,) = await b.parked("dead")
            assert "begin_nested" in dead.error
            assert await b.effects() == []
            assert await b.published() == []

    asyncio.run(case())


def test_a_savepoint_of_the_handler_may_fail(url):
    async def case():
        async def handler(event, ctx):
            await write(event, ctx)
            try:
                async with ctx.db.begin_nested():
                    await ctx.db.execute(text("insert into effect (k, n) values ('no', 0)"))
                    raise KeyError
            except KeyError:
                pass

        async with bench(url, handler) as b:
            await b.settle(message("k", 1))
            assert await b.effects() == [("k", 1)]

    asyncio.run(case())


def test_the_commit_of_the_handler_is_not_one(url):
    async def case():
        async def handler(event, ctx):
            await write(event, ctx)
            await ctx.db.commit()
            if event.n == 1:
                raise ValueError

        async with bench(url, handler) as b:
            await b.settle(message("a", 1))
            await b.settle(message("b", 2))
            assert await b.effects() == [("b", 2)]

    asyncio.run(case())


def test_objects_of_the_session_are_written_without_a_flush(url):
    async def case():
        async def handler(event, ctx):
            ctx.db.add(Effect(k=event.order_id, n=event.n))

        async with bench(url, handler) as b:
            await b.settle(message("k", 1), message("k", 2))
            assert await b.effects() == [("k", 1), ("k", 2)]

    asyncio.run(case())


def test_what_the_handler_is_given(url):
    async def case():
        given = []

        async def handler(event, ctx):
            given.append((event, ctx.event, ctx.idempotency_key))
            ctx.logger.debug("inside")
            ctx.publish(Billed(order_id=event.order_id, n=event.n))

        async with bench(url, handler) as b:
            id_ = uuid4()
            await b.settle(message("k", 1, id=id_))
            ((event, envelope, key),) = given
            assert event == Paid(order_id="k", n=1)
            assert (envelope.id, envelope.key, envelope.correlation_id) == (id_, "k", "c-1")
            assert str(id_) in key
            (row,) = await b.database.list_outbox(10)
            assert row.headers["ce_causationid"] == str(id_)
            assert row.headers["ce_correlationid"] == "c-1"

    asyncio.run(case())


def test_a_cancellation_inside_the_handler_is_its_own_error(url):
    """The lane must live on, and the event must not vanish with it."""

    async def case():
        async def handler(event, ctx):
            if event.n == 1:
                task = asyncio.ensure_future(asyncio.sleep(60))
                task.cancel()
                await task

        async with bench(url, handler, concurrency=1) as b:
            await b.settle(message("a", 1), message("b", 2))
            (row,) = await b.parked()
            assert row.error.startswith("RuntimeError: something the handler waited for")

    asyncio.run(case())


# stale messages, stopping -------------------------------------------------------------------------


def test_messages_the_broker_gave_to_others_are_dropped(url, no_budget):
    async def case():
        handler = Flaky()
        gone = True
        async with bench(url, handler, concurrency=1) as b:
            await b.deliver(
                message("k", 1, stale=lambda: gone), message("k", 2, stale=lambda: gone)
            )
            await b.settle(message("k", 3))
            assert handler.runs == [3]
            assert len(b.acked) == 1

    asyncio.run(case())


def test_drain_finishes_what_was_taken_and_takes_no_more(url):
    async def case():
        async def slow(event, ctx):
            await asyncio.sleep(0.01)
            await write(event, ctx)

        async with bench(url, slow) as b:
            await b.deliver(*[message(f"k{n}", n) for n in range(20)])
            draining = asyncio.create_task(b.consumption.drain(10))
            await asyncio.sleep(0.005)
            assert b.transport.consumer.paused
            await b.deliver(message("late", 99))
            assert await draining is True
            assert len(b.acked) == len(await b.effects()) == 20
            await b.consumption.close()
            assert b.transport.consumer.closed

    asyncio.run(case())


def test_nothing_is_taken_after_a_pause(url):
    async def case():
        handler = Flaky()
        async with bench(url, handler) as b:
            await b.consumption.pause()
            await b.deliver(message("k", 1), message("k", 2, type="order.unknown"))
            assert await b.consumption.drain(5) is True
            assert (handler.runs, b.acked) == ([], [])

    asyncio.run(case())


def test_drain_cuts_off_what_takes_too_long(url):
    async def case():
        async def slow(event, ctx):
            await write(event, ctx)
            if event.n == 1:
                await asyncio.sleep(60)

        async with bench(url, slow, concurrency=1, batch=1) as b:
            await b.settle(message("k", 0))
            await b.deliver(message("k", 1), message("k", 2))
            await asyncio.sleep(0.05)
            async with asyncio.timeout(5):
                assert await b.consumption.drain(0.1) is False
            assert await b.effects() == [("k", 0)]
            assert len(b.acked) == 1
            # What was cut off is delivered again to the successor.
            b.consumption = b.new_consumption()
            await b.consumption.start()
            await b.settle(message("k", 2))
            assert await b.effects() == [("k", 0), ("k", 2)]

    asyncio.run(case())


def test_a_lost_database_does_not_hold_up_a_drain(url):
    async def case():
        async with bench(url, write) as b:
            b.database.outages = (ConnectionError,)
            b.database.failures = [ConnectionError("away")] * 10**5
            await b.deliver(message("k", 1))
            await asyncio.sleep(0.02)
            async with asyncio.timeout(5):
                assert await b.consumption.drain(30) is False
            assert b.acked == []
            b.database.failures = []

    asyncio.run(case())


def test_intake_waits_while_the_lanes_are_full(url, monkeypatch):
    monkeypatch.setattr("runtime.consumer.Lanes", _small_lanes)

    async def case():
        gate = asyncio.Event()

        async def slow(event, ctx):
            await gate.wait()

        async with bench(url, slow, concurrency=1) as b:
            delivering = asyncio.create_task(b.deliver(*[message("k", n) for n in range(30)]))
            await asyncio.sleep(0.05)
            assert not delivering.done()
            gate.set()
            await asyncio.wait_for(delivering, 5)
            await until(lambda: len(b.acked) == 30)

    asyncio.run(case())


def _small_lanes(*args):
    from runtime.lanes import Lanes

    return Lanes(*args, high=10, low=5)


@pytest.mark.servers
@pytest.mark.parametrize("together", [1, 3])
def test_a_swallowed_database_error_does_not_lose_the_event(postgres, together, no_budget):
    """PostgreSQL turns the commit that follows one into a rollback without a word."""

    async def case():
        async def handler(event, ctx):
            await ctx.db.execute(
                text("insert into effect (k, n) values (:k, :n)"),
                {"k": event.order_id, "n": event.n},
            )
            if event.n == 0:
                with suppress(DBAPIError):
                    await ctx.db.execute(text("insert into effect (k, n) values (null, 0)"))

        async with bench(postgres.url, handler, concurrency=1, retry=RetryPolicy(attempts=1)) as b:
            await b.settle(*[message(f"k{n}", n) for n in range(together)])
            (dead,) = await b.parked("dead")
            assert dead.key == "k0"
            assert [n for _, n in await b.effects()] == list(range(1, together))

    asyncio.run(case())


@pytest.mark.servers
@pytest.mark.parametrize("together", [1, 3])
def test_a_handler_may_take_longer_than_a_commit_may(postgres, together, no_budget, monkeypatch):
    """What the server ends is a transaction that stands still after its last claim."""
    monkeypatch.setattr(handling, "COMMIT_WITHIN", 0.2)

    async def case():
        runs = []

        async def handler(event, ctx):
            runs.append(event.n)
            await asyncio.sleep(0.5)
            await write(event, ctx)

        async with bench(postgres.url, handler, concurrency=1) as b:
            await b.settle(*[message("k", n) for n in range(together)])
            assert [n for _, n in await b.effects()] == runs == list(range(together))

    asyncio.run(case())


@pytest.mark.servers
@pytest.mark.parametrize("together", [1, 3])
def test_nobody_waits_for_a_handler_much_longer_than_it_may_take(postgres, together, no_budget):
    """The server ends the transaction of a machine that is gone in the middle of one."""

    async def case():
        async with bench(postgres.url, limit_of_transactions, concurrency=1, timeout=3.0) as b:
            await b.settle(*[message("k", n) for n in range(together)])
            milliseconds = 1000 * (3.0 + b.database.budget + handling.COMMIT_WITHIN)
            assert await b.effects() == [(f"{milliseconds:.0f}", n) for n in range(together)]

    asyncio.run(case())


@pytest.mark.servers
def test_two_processes_with_the_same_events_have_one_effect_of_each(postgres, no_budget):
    """As after a rebalance whose loser does not know of it yet."""

    async def case():
        async def handler(event, ctx):
            await write(event, ctx)
            await asyncio.sleep(0.001)

        async with bench(postgres.url, handler) as b:
            zombie = b.new_consumption()
            first = b.transport.deliver
            await zombie.start()
            second = b.transport.deliver
            messages = [message(f"k{n % 5}", n) for n in range(200)]
            await asyncio.gather(first(messages), second(messages))
            await until(lambda: len(b.acked) == 400)
            await zombie.close()
            effects = await b.effects()
            assert sorted(n for _, n in effects) == list(range(200))
            for key in {k for k, _ in effects}:
                mine = [n for k, n in effects if k == key]
                assert mine == sorted(mine)

    asyncio.run(case())


# a real broker ------------------------------------------------------------------------------------


def test_on_the_embedded_broker_a_restart_neither_loses_nor_doubles(url, no_budget):
    async def case():
        handler = Flaky({13: ALWAYS, 40: 2})
        async with bench(url, handler, concurrency=4) as b:
            broker = EmbeddedTransport(b.database)
            await broker.start()
            b.transport = broker
            outgoing = [message(f"k{n % 10}", n) for n in range(120)]
            for one in outgoing:
                sent = await broker.publish([Outgoing("orders", one.key, one.headers, one.body)])
                assert sent[0].outcome is Outcome.SENT
            for seconds in (0.0, 0.05, 20.0):  # cut off, cut off, finished
                consumption = b.new_consumption()
                await consumption.start()
                if seconds > 1:
                    async with asyncio.timeout(seconds):
                        while await consumption.lag() != 0:
                            await asyncio.sleep(0.05)
                await asyncio.sleep(0.1)
                await consumption.drain(min(seconds, 5.0))
                await consumption.close()
            await broker.close()
            b.start_parked_worker()
            handler.failures.clear()
            await b.parked_empty()
            effects = await b.effects()
            assert sorted(n for _, n in effects) == list(range(120))
            for key in range(10):
                assert [n for k, n in effects if k == f"k{key}"] == list(range(key, 120, 10))

    asyncio.run(case())
