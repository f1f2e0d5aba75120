"""A circuit breaker: what the handlers of a subscription call may be away for a while.

Trying one event after the other would then only use up their attempts. So after some outages in a
row the breaker opens and no event is handled. After a rest one event is tried, the probe: if it
fails in the same way the rest gets longer, and whatever else becomes of it closes the breaker. No
attempt is counted while it is open, and nothing is lost: the events stay where they are.

A handler that fails for any other reason is not held back here, however often it fails: its events
are parked, and those of other keys go on.
"""

from __future__ import annotations

import asyncio
import errno
import random
import socket
from time import monotonic

import structlog

from .dialect import causes
from .envelope import Undecodable
from .metrics import BREAKER_OPEN

FAILURES = 5  # outages in a row, with nothing handled between them, open the breaker ...
KEYS = 2  # ... when so many keys are concerned: one alone may be the cause itself
REST_FIRST = 1.0  # seconds until the first probe
REST_LONGEST = 30.0

_NETWORK = (errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH)

_log = structlog.get_logger("eventgen.breaker")


def is_outage(error: BaseException) -> bool:
    """Whether a handler failed because something it called could not be reached, or was too slow.

    Client libraries raise their own errors from the operating system's, and those are looked for.
    """
    return any(
        isinstance(cause, ConnectionError | TimeoutError | socket.gaierror)
        or (isinstance(cause, OSError) and cause.errno in _NETWORK)
        for cause in causes(error)
    )


class Breaker:
    """The breaker of one subscription in this process."""

    def __init__(self, subscription: str) -> None:
        self._subscription = subscription
        self._failures = 0  # outages in a row
        self._keys: set[str] = set()  # that they concern
        self._rests = 0  # in a row; none when the breaker is closed
        self._due = 0.0  # when a probe may be made, by `monotonic`
        self._prober: asyncio.Task[object] | None = None
        BREAKER_OPEN.labels(subscription).set(0)

    @property
    def closed(self) -> bool:
        """Whether events are handled as usual."""
        return self._rests == 0

    def enter(self) -> float:
        """Seconds until an event may be tried; zero for now.

        While the breaker is not closed, the task that is told zero makes the probe, until it calls
        `leave`.
        """
        if self.closed:
            return 0.0
        if self._prober is not None:
            return REST_LONGEST
        wait = self._due - monotonic()
        if wait > 0:
            return wait
        self._prober = asyncio.current_task()
        return 0.0

    def leave(self) -> bool:
        """This task tries no event any more; whether it had the probe.

        A probe that told nothing is made again.
        """
        probed = self._is_prober()
        if probed:
            self._prober = None
        return probed

    def handled(self) -> None:
        """A handler did its work: what it needs is there."""
        self._failures = 0
        self._keys.clear()
        if not self.closed:
            self._rests = 0
            BREAKER_OPEN.labels(self._subscription).set(0)
            _log.info("breaker.closed", consumer=self._subscription)

    def failed(self, key: str, error: Exception) -> bool:
        """A handler failed. True when the breaker is open for that, and it was no attempt."""
        if isinstance(error, Undecodable):
            return False  # no handler ran
        if not is_outage(error):
            if not self.closed:
                self.handled()  # what was away has answered
            return False
        self._failures += 1
        if len(self._keys) < KEYS:
            self._keys.add(key)
        if self.closed and (self._failures < FAILURES or len(self._keys) < KEYS):
            return False
        if self.closed or self._is_prober():
            self._rest(error)
        return True

    def _is_prober(self) -> bool:
        return self._prober is not None and self._prober is asyncio.current_task()

    def _rest(self, error: Exception) -> None:
        longest = min(REST_LONGEST, REST_FIRST * 2.0 ** min(self._rests, 16))
        rest = longest * random.uniform(0.5, 1.0)  # noqa: S311  - nothing secret
        self._rests += 1
        self._due = monotonic() + rest
        BREAKER_OPEN.labels(self._subscription).set(1)
        about = {"consumer": self._subscription, "error": repr(error), "probe_in": round(rest, 1)}
        _log.warning("breaker.opened" if self._rests == 1 else "breaker.still_open", **about)
