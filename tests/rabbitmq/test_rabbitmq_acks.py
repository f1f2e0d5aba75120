"""What RabbitMQ is told of deliveries that are done: all of it, once, in few words."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest
from runtime import rabbitmq_acks
from runtime.rabbitmq_acks import Acks

Word = tuple[int, bool]  # a delivery tag, and whether it stands for all before it


class Broker:
    """One channel's end: what is not acknowledged, and an error for what cannot be."""

    def __init__(self, deliveries: int) -> None:
        self.open = set(range(1, deliveries + 1))
        self.words: list[Word] = []
        self.delays: list[float] = []  # until the next words arrive

    async def basic_ack(self, tag: int, *, multiple: bool = False, wait: bool = True) -> None:
        assert not wait, "the next delivery must not wait for the socket"
        await asyncio.sleep(self.delays.pop(0) if self.delays else 0)
        assert tag in self.open, f"PRECONDITION_FAILED - unknown delivery tag {tag}"
        self.words.append((tag, multiple))
        self.open -= set(range(1, tag + 1)) if multiple else {tag}


def with_acks(
    test: Callable[[Acks, Broker], Coroutine[Any, Any, None]],
    deliveries: int = 10,
    prefetch: int = 1000,
) -> Broker:
    """Run a test with so many deliveries here, and the broker being told."""

    async def run() -> Broker:
        broker = Broker(deliveries)
        acks = Acks(broker, prefetch)  # type: ignore[arg-type] - as much of a channel as it needs
        for tag in sorted(broker.open):
            acks.arrived(tag)
        telling = asyncio.create_task(acks.run())
        try:
            await test(acks, broker)
        finally:
            telling.cancel()
            with suppress(asyncio.CancelledError):
                await telling
        return broker

    return asyncio.run(run())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.001)


def test_what_is_done_up_to_a_gap_is_one_word() -> None:
    async def test(acks: Acks, broker: Broker) -> None:
        for tag in (3, 1, 2, 5):
            acks.done(tag)
        await until(lambda: bool(broker.words))
        assert broker.words == [(3, True)]
        assert acks.held == 6

    with_acks(test)


def test_what_is_behind_a_gap_waits_a_little_for_it_to_close() -> None:
    async def test(acks: Acks, broker: Broker) -> None:
        acks.done(2)
        await asyncio.sleep(2 * rabbitmq_acks._TOGETHER_SECONDS)
        acks.done(1)
        await until(lambda: bool(broker.words))

    assert with_acks(test).words == [(2, True)]


def test_nothing_waits_for_one_that_takes_its_time() -> None:
    async def test(acks: Acks, broker: Broker) -> None:
        for tag in (2, 3, 5):
            acks.done(tag)
        await until(lambda: broker.open == {1, 4, 6, 7, 8, 9, 10})
        acks.done(1)
        await until(lambda: 1 not in broker.open)
        assert broker.open == {4, 6, 7, 8, 9, 10}

    assert with_acks(test).words == [(2, False), (3, False), (5, False), (1, True)]


def test_half_of_what_may_be_here_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker delivers no more meanwhile."""
    monkeypatch.setattr(rabbitmq_acks, "_TOGETHER_SECONDS", 3600.0)

    async def test(acks: Acks, broker: Broker) -> None:
        acks.done(1)
        await asyncio.sleep(0.01)
        assert broker.words == []
        acks.done(2)
        await until(lambda: broker.words == [(2, True)])

    with_acks(test, prefetch=4)


def test_a_prefetch_of_one_waits_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rabbitmq_acks, "_TOGETHER_SECONDS", 3600.0)

    async def test(acks: Acks, broker: Broker) -> None:
        acks.done(1)
        await until(lambda: broker.words == [(1, True)])

    with_acks(test, prefetch=1)


def test_what_never_arrived_or_was_done_before_is_not_told() -> None:
    async def test(acks: Acks, broker: Broker) -> None:
        for tag in (1, 1, 99):
            acks.done(tag)
        await until(lambda: 1 not in broker.open)
        acks.done(1)
        await asyncio.sleep(2 * rabbitmq_acks._TOGETHER_SECONDS)

    assert with_acks(test).words == [(1, True)]


def test_the_end_tells_all_of_it_and_no_more() -> None:
    async def test(acks: Acks, _broker: Broker) -> None:
        for tag in (1, 2, 4, 7):
            acks.done(tag)
        await acks.finish()

    assert with_acks(test).open == {3, 5, 6, 8, 9, 10}


def test_a_word_never_overtakes_another_one() -> None:
    """A tag that an earlier word stood for would be an error, and the end of the channel."""

    async def test(acks: Acks, broker: Broker) -> None:
        broker.delays = [0.05, 0.0]
        acks.done(1)
        await until(lambda: len(broker.delays) == 1)
        acks.done(2)
        await acks.finish()

    assert with_acks(test).words == [(1, True), (2, True)]


@pytest.mark.parametrize("seed", range(20))
def test_in_whatever_order_all_are_told_once(seed: int) -> None:
    """The broker above refuses a word too many; closing comes in between."""
    dice = random.Random(seed)
    tags = list(range(1, 301))
    dice.shuffle(tags)
    undone = set(tags[290:])

    async def test(acks: Acks, _broker: Broker) -> None:
        for number, tag in enumerate(tags[:290]):
            acks.done(tag)
            if number % 7 == 0:
                await asyncio.sleep(dice.choice((0, 0.0005)))
        await asyncio.gather(acks.finish(), acks.finish())

    assert with_acks(test, deliveries=300, prefetch=dice.choice((2, 20, 1000))).open == undone
