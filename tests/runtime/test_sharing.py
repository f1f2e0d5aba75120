"""Handlers of a batch share a session and a time limit, and know nothing of each other."""

from __future__ import annotations

import asyncio

import pytest

from tests.runtime.delivering import Effect, bench, budget, in_one_batch, message, write


@pytest.fixture
def url(tmp_path):
    return f"sqlite+aiosqlite:///{tmp_path}/service.db"


@pytest.fixture(autouse=True)
def one_batch(monkeypatch):
    in_one_batch(monkeypatch)


def together(url, handler, count=4, **options):
    """Deliver so many events, of a key each, in one batch; what happened."""

    async def case():
        async with bench(url, handler, concurrency=1, **options) as b:
            await b.settle(*[message(f"k{n}", n) for n in range(count)])
            return b.woken, [n for _, n in await b.effects()], await b.parked()

    return asyncio.run(case())


def test_the_handlers_of_a_batch_have_one_session(url):
    sessions = []

    async def handler(_event, ctx):
        sessions.append(ctx.db)

    together(url, handler)
    assert len(sessions) == 4
    assert len(set(map(id, sessions))) == 1


def test_what_a_handler_loaded_or_noted_is_gone_when_the_next_one_runs(url):
    found = []

    async def handler(event, ctx):
        found.append((list(ctx.db), dict(ctx.db.info)))
        ctx.db.add(Effect(k=event.order_id, n=event.n))
        ctx.db.info["tenant"] = event.order_id

    _, effects, _ = together(url, handler)
    assert found == [([], {})] * 4
    assert effects == [0, 1, 2, 3]


def test_an_object_that_a_handler_kept_is_not_written_by_a_later_one(url):
    kept = []

    async def handler(event, ctx):
        for effect in kept:
            assert effect not in ctx.db
            effect.n = 99
        kept.append(Effect(k=event.order_id, n=event.n))
        ctx.db.add(kept[-1])

    _, effects, parked = together(url, handler)
    assert effects == [0, 1, 2, 3]
    assert parked == []


def test_a_savepoint_that_a_handler_left_open_does_not_hold_what_the_next_ones_do(url):
    async def handler(event, ctx):
        if event.n == 1:
            await ctx.db.begin_nested()
        await write(event, ctx)

    woken, effects, parked = together(url, handler)
    assert woken == 1, "it was one batch"
    assert effects == [0, 2, 3], "what was in the open savepoint is taken back"
    assert parked == []


def test_a_handler_that_rolls_back_loses_its_own_work_alone(url):
    async def handler(event, ctx):
        await write(event, ctx)
        if event.n == 1:
            await ctx.db.rollback()

    _, effects, parked = together(url, handler)
    assert effects == [0, 2, 3]
    assert [row.key for row in parked] == ["k1"]


def test_a_handler_that_takes_too_long_costs_the_others_nothing(url, monkeypatch):
    budget(monkeypatch, 0.02)

    async def handler(event, ctx):
        await write(event, ctx)
        if event.n == 1:
            await asyncio.sleep(60)

    _, effects, parked = together(url, handler, timeout=0.2)
    assert effects == [0, 2, 3]
    assert [(row.key, row.reason) for row in parked] == [("k1", "timeout")]


def test_a_handler_that_ends_late_within_the_time_of_the_batch_is_over_its_limit_all_the_same(url):
    """The batch has one limit for all of them, so that one may end late."""
    runs = []

    async def handler(event, ctx):
        runs.append(event.n)
        await write(event, ctx)
        if event.n == 1:
            await asyncio.sleep(0.3)

    _, effects, parked = together(url, handler, timeout=0.2)
    assert runs == [0, 1, 0, 1, 2, 3], "the batch went no further, then each was tried alone"
    assert effects == [0, 2, 3]
    assert [(row.key, row.reason) for row in parked] == [("k1", "timeout")]
