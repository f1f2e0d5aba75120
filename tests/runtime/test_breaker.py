"""The breaker and the rate by themselves, with a clock that is told the time."""

from __future__ import annotations

import asyncio
import socket

import pytest
from runtime import breaker as breaker_module
from runtime import flow as flow_module
from runtime.breaker import FAILURES, REST_FIRST, REST_LONGEST, Breaker, is_outage
from runtime.envelope import Undecodable
from runtime.errors import DeadLetter, HandlerTimeout
from runtime.flow import Rate

AWAY = ConnectionRefusedError("the shop is closed")


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(breaker_module, "monotonic", clock)
    monkeypatch.setattr(flow_module, "monotonic", clock)
    return clock


@pytest.fixture
def opened(clock):
    """A breaker that has just opened."""
    breaker = Breaker("orders")
    answers = [breaker.failed(f"k{n}", AWAY) for n in range(FAILURES)]
    assert answers == [False] * (FAILURES - 1) + [True]
    assert not breaker.closed
    return breaker


def on_a_task(function):
    async def run():
        return function()

    return asyncio.run(run())


def test_outages_of_one_key_alone_never_open_it(clock):
    breaker = Breaker("orders")
    assert not any(breaker.failed("k", AWAY) for _ in range(10 * FAILURES))
    assert breaker.closed
    assert breaker.failed("another", AWAY)


def test_an_event_that_is_handled_begins_the_count_again(clock):
    breaker = Breaker("orders")
    for n in range(10 * FAILURES):
        assert not breaker.failed(f"k{n}", AWAY)
        if n % (FAILURES - 1) == 0:
            breaker.handled()
    assert breaker.closed


@pytest.mark.parametrize("error", [ValueError("boom"), DeadLetter("no"), PermissionError()])
def test_other_failures_never_open_it(clock, error):
    breaker = Breaker("orders")
    assert not any(breaker.failed(f"k{n}", error) for n in range(10 * FAILURES))
    assert breaker.closed


def test_an_outage_is_found_behind_the_error_of_a_client_library():
    wrapped = RuntimeError("the client is unhappy")
    wrapped.__cause__ = socket.gaierror(8, "no such host")
    assert is_outage(wrapped)
    assert is_outage(HandlerTimeout("too slow"))
    assert is_outage(OSError(113, "no route to host"))
    assert not is_outage(FileNotFoundError(2, "no such file"))


def test_after_a_rest_one_task_makes_the_probe_and_others_wait(opened, clock):
    def enter():
        return opened.enter(), opened.enter()

    assert 0 < opened.enter() <= REST_FIRST
    clock.now += REST_FIRST
    first, second = on_a_task(enter)
    assert first == 0
    assert second > 0


def test_a_probe_that_fails_makes_the_rest_longer_up_to_a_limit(opened, clock):
    def probe():
        assert opened.enter() == 0
        assert opened.failed("k", AWAY)
        opened.leave()

    for _ in range(10):
        clock.now += REST_LONGEST
        on_a_task(probe)
    assert REST_LONGEST / 2 <= opened.enter() <= REST_LONGEST


def test_a_probe_that_told_nothing_is_made_again_at_once(opened, clock):
    def probe():
        assert opened.enter() == 0
        assert not opened.failed("k", Undecodable("invalid", "no JSON"))
        assert opened.leave()

    clock.now += REST_FIRST
    on_a_task(probe)
    assert not opened.closed
    on_a_task(probe)


@pytest.mark.parametrize("answer", ["handled", "failed"])
def test_whatever_else_becomes_of_the_probe_closes_it(opened, answer):
    if answer == "handled":
        opened.handled()
    else:
        assert not opened.failed("k", ValueError("it answered nonsense"))
    assert opened.closed
    assert opened.enter() == 0


def test_a_late_failure_does_not_lengthen_the_rest(opened):
    rest = opened.enter()
    assert opened.failed("late", AWAY)
    assert opened.enter() == rest


def test_a_rate_lets_so_many_events_in_each_second(clock):
    rate, taken = Rate(50.0), 0
    for _ in range(10_000):  # ten seconds
        clock.now += 0.001
        if rate.wait() == 0:
            rate.take()
            taken += 1
    assert 500 <= taken <= 505


def test_a_rate_below_one_a_second(clock):
    rate = Rate(0.1)
    assert rate.wait() == 0
    rate.take()
    assert rate.wait() == pytest.approx(10)
    clock.now += 10
    assert rate.wait() == 0


def test_without_a_rate_there_is_no_wait():
    rate = Rate(None)
    for _ in range(1000):
        assert rate.wait() == 0
        rate.take()
