"""Dead letters, poison rows and the archive: what is chosen, what is done, and done twice."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from runtime import decisions
from runtime.database import LANES, Parking
from runtime.decisions import (
    DISCARD,
    DISCARD_POISON,
    REPLAY,
    REPUBLISH,
    RETRY_POISON,
    carry_out,
    count,
    outbox,
    parked,
)
from runtime.housekeeping import Housekeeping
from runtime.selection import Selection

from tests.support.samples import row

pytestmark = pytest.mark.anyio
C = "shop.orders"
ALL = range(LANES)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def now():
    return datetime.now(UTC)


def dead(key="k", **fields):
    values = {"type": "order.placed", "reason": "rejected", "status": "dead"} | fields
    return Parking(
        event_id=uuid4(), key=key, headers={"ce_id": "1"}, body=b"{}", origin="o", **values
    )


async def park(database, *events, consumer=C):
    async with database.transaction() as tx:
        await database.park(tx, consumer, events)
    return [event.event_id for event in events]


async def chosen(database, **selection):
    rows = await parked(database, Selection(**selection), 1000, dead=True)
    return [row.event_id for row in rows]


async def add(database, *rows):
    async with database.transaction() as tx:
        await database.add_to_outbox(tx, rows)


async def send(database, *, keep=True):
    """What a relay does; the event ids, in the order they were sent."""
    rows = await database.pending(ALL, 10_000)
    await database.mark_sent([row.id for row in rows], keep=keep)
    return [row.event_id for row in rows]


async def test_dead_letters_are_chosen_by_all_that_is_given(database):
    long = "x" * 2000
    a, b, c = await park(
        database, dead(type="order.paid"), dead(key=long), dead(reason="max-attempts", key="it's")
    )
    [d] = await park(database, dead(), consumer="other")
    await park(database, dead(status="waiting"))
    assert await chosen(database) == [a, b, c, d]
    assert await chosen(database, type="order.paid") == [a]
    assert await chosen(database, key=long) == [b]
    assert await chosen(database, key="it's", reason="max-attempts") == [c]
    assert await chosen(database, key="it's", reason="rejected") == []
    assert await chosen(database, consumer="other") == [d]
    assert await chosen(database, since=now() - HOUR, until=now() + HOUR) == [a, b, c, d]
    assert await chosen(database, since=now() + HOUR) == []
    assert await chosen(database, until=now() - HOUR) == []
    elsewhere = now().astimezone(tz=None)
    assert await chosen(database, until=elsewhere - HOUR) == []
    rows = await parked(database, Selection(), 100, dead=False)
    assert [r.status for r in rows].count("waiting") == 1
    number = rows[0].seq
    assert await chosen(database, numbers=(number, 10**15)) == [a]


async def test_many_are_decided_about_in_batches_and_a_second_time_does_nothing(
    database, monkeypatch
):
    monkeypatch.setattr(decisions, "BATCH", 7)
    ids = await park(database, *[dead(key=f"k{n}") for n in range(50)])
    await park(database, dead(key="other", reason="max-attempts"))
    selection = Selection(reason="rejected")
    assert await count(database, REPLAY, selection) == 50
    assert await carry_out(database, REPLAY, selection) == 50
    assert await carry_out(database, REPLAY, selection) == 0
    rows = await database.list_parked(C, "retry", 100)
    assert [r.event_id for r in rows] == ids
    assert {r.attempts for r in rows} == {0}
    assert len(await chosen(database)) == 1
    async with database.transaction() as tx:
        assert (await database.take_due(tx, C)).event_id == ids[0]


async def test_what_is_dead_again_meanwhile_is_not_decided_about_in_a_circle(database, monkeypatch):
    monkeypatch.setattr(decisions, "BATCH", 1)
    await park(database, *[dead(key=f"k{n}") for n in range(3)])
    seen = []

    async def dies_again(_database, _tx, numbers):
        seen.extend(numbers)

    again = decisions.Decision(decisions.DEAD, dies_again)
    assert await carry_out(database, again, Selection()) == 3
    assert len(set(seen)) == 3


async def test_a_rate_spreads_a_replay(database, monkeypatch):
    rests = []

    async def rest(seconds):
        rests.append((seconds, len(await chosen(database))))

    monkeypatch.setattr(decisions, "asyncio", SimpleNamespace(sleep=rest))
    await park(database, *[dead(key=f"k{n}") for n in range(5)])
    assert await carry_out(database, REPLAY, Selection(), rate=2.0) == 5
    assert rests == [(1.0, 3), (1.0, 1)]
    await park(database, *[dead(key=f"l{n}") for n in range(2)])
    rests.clear()
    assert await carry_out(database, REPLAY, Selection(), rate=0.5) == 2
    assert rests == [(2.0, 1), (2.0, 0)]


async def test_two_who_decide_at_once_decide_once(database):
    await park(database, *[dead(key=f"k{n}") for n in range(40)])
    both = await asyncio.gather(*[carry_out(database, DISCARD, Selection()) for _ in range(2)])
    assert sum(both) == 40
    assert await chosen(database) == []


async def test_a_discarded_event_does_not_come_back(database):
    [id_] = await park(database, dead())
    assert await carry_out(database, DISCARD, Selection()) == 1
    async with database.transaction() as tx:
        assert (await database.seen(tx, C, [id_], ["k"])).handled == {id_}
        await database.park(tx, C, [dead()])
    assert len(await chosen(database)) == 1


async def test_poison_rows_are_tried_again_or_given_up_and_nothing_else_is(database):
    await add(database, row("a"), row("a"), row("b"), row("c"))
    first, _, third, _ = await database.list_outbox(10)
    for poison in (first, third):
        await database.mark_failed(poison.id, "denied", poison_after=1)
    assert len(await outbox(database, Selection(key="a"), 10)) == 2
    assert await carry_out(database, RETRY_POISON, Selection(key="b")) == 1
    assert await carry_out(database, DISCARD_POISON, Selection()) == 1
    assert await carry_out(database, DISCARD_POISON, Selection()) == 0
    assert len(await database.pending(ALL, 10)) == 3


async def test_without_an_archive_nothing_is_kept(database):
    await add(database, row())
    await send(database, keep=False)
    assert await count(database, REPUBLISH, Selection()) == 0


async def test_what_was_sent_is_sent_again_as_it_was_in_the_same_order(database, monkeypatch):
    monkeypatch.setattr(decisions, "BATCH", 7)
    rows = [row(f"k{n % 3}") for n in range(30)]
    await add(database, *rows)
    assert await send(database) == [r.event_id for r in rows]
    late = row("k0")
    await add(database, late)
    assert await carry_out(database, REPUBLISH, Selection(since=now() + HOUR)) == 0
    assert await carry_out(database, REPUBLISH, Selection(since=now() - HOUR)) == 30
    again = await database.pending(ALL, 100)
    # Behind what waited already.
    assert [r.event_id for r in again] == [r.event_id for r in [late, *rows]]
    assert [(r.body, dict(r.headers), r.destination) for r in again[1:]] == [
        (r.body, dict(r.headers), r.destination) for r in rows
    ]


async def test_the_archive_knows_an_event_once_however_often_it_is_sent(database):
    first, second = row("k"), row("k")
    await add(database, first, second)
    await send(database)
    some = Selection(type="order.placed", key="k")
    assert await carry_out(database, REPUBLISH, some) == 2
    assert await carry_out(database, REPUBLISH, some) == 2
    assert len(await send(database)) == 4
    assert await carry_out(database, REPUBLISH, some) == 2
    assert await send(database) == [first.event_id, second.event_id]


async def test_the_archive_forgets_what_is_old(database):
    await add(database, *[row() for _ in range(3)])
    await send(database)
    keep = Housekeeping(database, [], retention_days=1, sent_retention_days=1)
    await keep.forget(asyncio.Event())
    assert await count(database, REPUBLISH, Selection()) == 3
    await Housekeeping(database, [], retention_days=1).forget(asyncio.Event())
    assert await count(database, REPUBLISH, Selection()) == 0
