"""Lanes: order per key, side by side otherwise, bounded, drained."""

from __future__ import annotations

import asyncio
from zlib import crc32

import pytest
from runtime import lanes as lanes_module
from runtime.lanes import Lanes


def other_key(key, count):
    """A key that has another lane than `key`."""
    lane = crc32(key.encode()) % count
    return next(k for k in map(str, range(1000)) if crc32(k.encode()) % count != lane)


async def until(condition, seconds=5.0):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.001)


def test_one_key_in_order_other_keys_not_behind_it():
    async def case():
        done = []
        gate = asyncio.Event()
        slow, quick = "slow", other_key("slow", 4)

        async def handle(items):
            for item in items:
                if item[0] == slow:
                    await gate.wait()
                done.append(item)
            return ()

        lanes = Lanes(4, 1, handle)
        lanes.start()
        for n in range(5):
            await lanes.put(slow, (slow, n))
            await lanes.put(quick, (quick, n))
        await until(lambda: len(done) == 5)
        assert done == [(quick, n) for n in range(5)]
        gate.set()
        await until(lambda: len(done) == 10)
        assert done[5:] == [(slow, n) for n in range(5)]
        await lanes.close()

    asyncio.run(case())


def test_a_turn_takes_what_waits_and_at_most_a_batch():
    async def case():
        turns = []

        async def handle(items):
            turns.append(list(items))
            return ()

        lanes = Lanes(1, 3, handle)
        for n in range(7):
            await lanes.put("k", n)
        lanes.start()
        await until(lambda: lanes.held == 0)
        assert turns == [[0, 1, 2], [3, 4, 5], [6]]
        await lanes.close()

    asyncio.run(case())


def test_the_rest_of_a_turn_comes_first_in_order():
    async def case():
        done = []

        async def handle(items):
            await asyncio.sleep(0)
            done.append(items[0])
            return items[1:]

        lanes = Lanes(1, 4, handle)
        lanes.start()
        for n in range(10):
            await lanes.put("k", n)
        await until(lambda: lanes.held == 0)
        assert done == list(range(10))
        await lanes.close()

    asyncio.run(case())


def test_intake_waits_when_full_and_goes_on_when_half_empty():
    async def case():
        gate = asyncio.Semaphore(0)

        async def handle(items):
            await gate.acquire()
            return items[1:]

        lanes = Lanes(1, 1, handle, high=10, low=5)
        lanes.start()
        put = 0

        async def intake():
            nonlocal put
            for n in range(30):
                await lanes.put("k", n)
                put += 1

        task = asyncio.create_task(intake())
        await until(lambda: put == 10)
        for _ in range(4):
            gate.release()
        await until(lambda: lanes.held == 6)
        await asyncio.sleep(0.01)
        assert put == 10, "room is only made when the lanes are half empty"
        gate.release()
        await until(lambda: put == 15)
        await asyncio.sleep(0.01)
        assert lanes.held == 10
        task.cancel()
        await lanes.close()

    asyncio.run(case())


def test_a_failing_turn_loses_nothing(monkeypatch):
    monkeypatch.setattr(lanes_module, "outage_delay", lambda _: 0.0)

    async def case():
        done = []
        failures = 3

        async def handle(items):
            nonlocal failures
            if failures:
                failures -= 1
                raise RuntimeError("a bug")
            done.extend(items)
            return ()

        lanes = Lanes(1, 2, handle)
        lanes.start()
        for n in range(4):
            await lanes.put("k", n)
        await until(lambda: lanes.held == 0)
        assert done == [0, 1, 2, 3]
        await lanes.close()

    asyncio.run(case())


def test_drain_finishes_what_is_held_and_takes_no_more():
    async def case():
        done = []

        async def handle(items):
            await asyncio.sleep(0.005)
            done.extend(items)
            return ()

        lanes = Lanes(4, 1, handle)
        lanes.start()
        for n in range(20):
            await lanes.put(str(n), n)
        draining = asyncio.create_task(lanes.drain(5.0))
        await asyncio.sleep(0)
        assert await lanes.put("late", "late") is False
        assert await draining is True
        assert sorted(done) == list(range(20))

    asyncio.run(case())


def test_drain_cancels_what_takes_too_long():
    async def case():
        cancelled = []

        async def handle(items):
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cancelled.extend(items)
                raise
            return ()

        lanes = Lanes(1, 1, handle)
        lanes.start()
        await lanes.put("k", 1)
        await lanes.put("k", 2)
        await asyncio.sleep(0.01)
        async with asyncio.timeout(10):
            assert await lanes.drain(0.05) is False
        assert cancelled == [1]
        assert lanes.held == 2

    asyncio.run(case())


def test_drain_sets_a_waiting_intake_free():
    async def case():
        async def handle(items):
            await asyncio.sleep(60)
            return ()

        lanes = Lanes(1, 1, handle, high=1, low=0)
        lanes.start()
        await lanes.put("k", 1)
        waiting = asyncio.create_task(lanes.put("k", 2))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        await lanes.drain(0.01)
        assert await waiting is False

    asyncio.run(case())


def test_drain_does_not_wait_for_a_lane_that_only_fails():
    async def case():
        async def handle(items):
            raise ConnectionError("the database is away")

        lanes = Lanes(1, 1, handle)
        lanes.start()
        await lanes.put("k", 1)
        async with asyncio.timeout(6):
            assert await lanes.drain(30) is False

    asyncio.run(case())


@pytest.mark.parametrize("count", [1, 16])
def test_close_ends_idle_workers(count):
    async def case():
        lanes = Lanes(count, 1, lambda items: items)
        lanes.start()
        await asyncio.sleep(0)
        async with asyncio.timeout(10):
            await lanes.close()

    asyncio.run(case())
