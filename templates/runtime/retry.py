"""What follows a failed attempt: again at once, again later, a dead letter, or nothing at all."""

from __future__ import annotations

import random as _random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError

from .envelope import Undecodable
from .errors import DeadLetter, HandlerTimeout, NotPublishable, Retry, Skip

if TYPE_CHECKING:
    from .service import RetryPolicy

# Seconds before the quick attempts, made where the event is: they delay nothing but its own lane.
IN_LANE = (0.05, 0.2, 1.0)

_OUTAGE_FIRST = 0.1  # seconds
_OUTAGE_MOST = 5.0
_LONGEST = 366 * 86400.0  # seconds a handler may ask for; no database overflows
_ERROR_LENGTH = 1000  # characters

# Errors of the event or of the code: the next attempt would end in the same way.
_PERMANENT = (ValidationError, NotPublishable, TypeError, NameError)

Random = Callable[[], float]  # from 0 up to, not including, 1


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do about a failed attempt.

    `again`: in the lane, after `delay` seconds. `retry`: parked, due in `delay` seconds.
    `dead`: parked as a dead letter. `skip`: done, without the handler's work.
    """

    action: Literal["again", "retry", "dead", "skip"]
    reason: str
    error: str
    attempts: int
    delay: float = 0.0


def judge(
    error: Exception,
    policy: RetryPolicy,
    attempts: int,
    *,
    in_lane: bool,
    random: Random = _random.random,
) -> Verdict:
    """Decide about the attempt that failed with `error`, the `attempts`-th of its event.

    `in_lane`: quick attempts are still possible. Outages of the database are not for this
    function: they are nobody's attempt.
    """
    text = describe(error)
    if isinstance(error, Skip):
        return Verdict("skip", "skipped", text, attempts)
    reason = _hopeless(error, policy, attempts)
    if reason is not None:
        return Verdict("dead", reason, text, attempts)
    if isinstance(error, Retry):
        return Verdict("retry", "retry-asked", text, attempts, min(max(0.0, error.after), _LONGEST))
    if isinstance(error, HandlerTimeout):  # at once would hold up the lane as long again
        return Verdict("retry", "timeout", text, attempts, backoff(policy, attempts, random))
    if in_lane and attempts <= len(IN_LANE):
        delay = IN_LANE[attempts - 1] * (0.75 + random() / 2)
        return Verdict("again", "handler-error", text, attempts, delay)
    return Verdict("retry", "handler-error", text, attempts, backoff(policy, attempts, random))


def backoff(policy: RetryPolicy, attempts: int, random: Random = _random.random) -> float:
    """Seconds until the next attempt of an event that has failed `attempts` times.

    The quick attempts do not lengthen it. Jitter takes up to half away, never adds.
    """
    delayed = max(0, attempts - len(IN_LANE) - 1)
    try:
        full = policy.initial * policy.factor**delayed
    except OverflowError:  # a policy of some thousand attempts
        full = policy.maximum
    return min(full, policy.maximum) * (0.5 + random() / 2)


def outage_delay(tries: int, random: Random = _random.random) -> float:
    """Seconds to wait for a database that has been away for `tries` looks (from 0)."""
    full = min(_OUTAGE_MOST, _OUTAGE_FIRST * 2.0 ** min(tries, 16))
    return full * (0.25 + random() * 0.75)


def describe(error: BaseException) -> str:
    """The last line of the traceback: `ValueError: boom`, on one line and not too long."""
    name, text = type(error).__name__, " ".join(str(error).replace("\x00", " ").split())
    return (f"{name}: {text}" if text else name)[:_ERROR_LENGTH]


def _hopeless(error: Exception, policy: RetryPolicy, attempts: int) -> str | None:
    """Why no further attempt makes sense, or None."""
    if isinstance(error, Undecodable):
        return error.reason
    if isinstance(error, DeadLetter):
        return "rejected"
    if isinstance(error, _PERMANENT):
        return "permanent-error"
    return "max-attempts" if attempts >= policy.attempts else None
