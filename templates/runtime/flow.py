"""What holds the events of a subscription back in this process: a pause, a breaker, a rate.

Events that are held back stay in the lanes, and behind those on the broker. None is acknowledged
and no attempt is counted, so nothing is lost and nothing used up, however long it takes.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from .breaker import Breaker
from .metrics import SUBSCRIPTION_PAUSED

if TYPE_CHECKING:
    from .pauses import Pause

LOOK_EVERY = 1.0  # seconds, at most, until a change is noticed that nobody told of

_log = structlog.get_logger("eventgen.flow")


class Held(Exception):  # noqa: N818  - says what the events are
    """The service is stopping, and these events are not to be handled before it does."""


class Rate:
    """A token bucket: so many events a second, and a tenth of a second's worth at once."""

    def __init__(self, per_second: float | None) -> None:
        """None sets no limit."""
        self._per_second = per_second
        self._most = max(1.0, (per_second or 0.0) / 10)
        self._tokens = self._most
        self._counted_at = monotonic()

    def wait(self) -> float:
        """Seconds until one more event may be taken; zero for now."""
        if self._per_second is None:
            return 0.0
        now = monotonic()
        self._tokens += (now - self._counted_at) * self._per_second
        self._tokens = min(self._tokens, self._most)
        self._counted_at = now
        return max(0.0, (1.0 - self._tokens) / self._per_second)

    def take(self) -> None:
        """One event is taken."""
        self._tokens -= 1.0


class Flow:
    """Whether the events of one subscription may be handled now."""

    def __init__(self, subscription: str, rate: float | None = None) -> None:
        """`rate` is in events a second."""
        self.subscription = subscription
        self.breaker = Breaker(subscription)
        self.rate = Rate(rate)
        self.stopping = False
        self._paused = False
        self._changed = asyncio.Event()
        SUBSCRIPTION_PAUSED.labels(subscription).set(0)

    @property
    def held(self) -> bool:
        """Whether events are held back by a pause or by the breaker."""
        return self._paused or not self.breaker.closed

    def pause(self, pause: Pause | None) -> None:
        """Hold everything back; go on when it is None."""
        if self._paused == (pause is not None):
            return
        self._paused = pause is not None
        SUBSCRIPTION_PAUSED.labels(self.subscription).set(self._paused)
        if pause is None:
            _log.info("consumer.resumed", consumer=self.subscription)
        else:
            _log.warning("consumer.paused", consumer=self.subscription, reason=pause.reason)
        self._tell()

    def stop(self) -> None:
        """The service is stopping: what is held back is left to the next delivery."""
        self.stopping = True
        self._tell()

    async def admit(self) -> None:
        """Wait until the rate lets one more event in, and let it in."""
        if (delay := self.rate.wait()) > 0:
            await asyncio.sleep(delay)
        self.rate.take()

    async def turn(self) -> None:
        """Wait until events may be handled; the breaker may mean one alone. Raises Held."""
        while (delay := self._delay()) > 0:
            if self.stopping:
                raise Held
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), min(delay, LOOK_EVERY))

    def leave(self) -> None:
        """After `turn` or `ready`: no event is tried any more."""
        if self.breaker.leave():
            self._tell()

    def ready(self) -> bool:
        """Whether an event may be handled at once, by the rate too; `leave` follows."""
        return self.rate.wait() == 0 and self._delay() == 0

    def _tell(self) -> None:
        """Whoever waits looks again."""
        self._changed.set()
        self._changed = asyncio.Event()

    def _delay(self) -> float:
        return LOOK_EVERY if self._paused else self.breaker.enter()
