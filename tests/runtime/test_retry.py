"""What a failed attempt leads to."""

from __future__ import annotations

from datetime import timedelta

import pytest
from runtime.envelope import Undecodable
from runtime.errors import DeadLetter, Retry, Skip
from runtime.retry import IN_LANE, backoff, describe, judge, outage_delay
from runtime.service import RetryPolicy

POLICY = RetryPolicy(attempts=10, initial=1.0, factor=4.0, maximum=100.0)
LAST_QUICK = len(IN_LANE) + 1


def most():
    return 0.999999


def least():
    return 0.0


def test_quick_attempts_come_first_then_parking():
    actions = [judge(ValueError("x"), POLICY, n, in_lane=True).action for n in range(1, 7)]
    assert actions == ["again", "again", "again", "retry", "retry", "retry"]


def test_quick_attempts_wait_about_as_long_as_listed():
    for number, delay in enumerate(IN_LANE, 1):
        low = judge(ValueError(), POLICY, number, in_lane=True, random=least).delay
        high = judge(ValueError(), POLICY, number, in_lane=True, random=most).delay
        assert 0.7 * delay < low < delay < high < 1.3 * delay


def test_a_parked_event_gets_no_quick_attempt():
    assert judge(ValueError("x"), POLICY, 1, in_lane=False).action == "retry"


@pytest.mark.parametrize("in_lane", [True, False])
@pytest.mark.parametrize("attempts", [1, 2, 5, 10])
def test_the_last_allowed_attempt_makes_a_dead_letter(attempts, in_lane):
    verdict = judge(ValueError("boom"), RetryPolicy(attempts=attempts), attempts, in_lane=in_lane)
    assert (verdict.action, verdict.reason) == ("dead", "max-attempts")
    assert verdict.error == "ValueError: boom"
    assert verdict.attempts == attempts


def test_what_a_handler_asks_for():
    assert judge(Skip(), POLICY, 1, in_lane=True).action == "skip"
    dead = judge(DeadLetter("no such customer"), POLICY, 1, in_lane=True)
    assert (dead.action, dead.reason) == ("dead", "rejected")
    assert dead.error == "DeadLetter: no such customer"
    later = judge(Retry(after=timedelta(minutes=2)), POLICY, 1, in_lane=True)
    assert (later.action, later.delay) == ("retry", 120.0)


def test_asking_for_a_retry_uses_attempts_up_too():
    assert judge(Retry(after=1), POLICY, 10, in_lane=False).action == "dead"


def test_a_skip_is_never_a_failure():
    assert judge(Skip(), RetryPolicy(attempts=1), 1, in_lane=False).action == "skip"


@pytest.mark.parametrize("reason", ["undecodable", "invalid"])
def test_what_cannot_be_decoded_is_dead_at_once(reason):
    verdict = judge(Undecodable(reason, "not JSON"), POLICY, 1, in_lane=True)
    assert (verdict.action, verdict.reason) == ("dead", reason)


def test_backoff_grows_by_the_factor_and_stops_at_the_maximum():
    delays = [backoff(POLICY, LAST_QUICK + n, most) for n in range(6)]
    assert delays == pytest.approx([1, 4, 16, 64, 100, 100], rel=1e-3)
    assert max(delays) <= POLICY.maximum


def test_quick_attempts_do_not_lengthen_the_first_delay():
    assert backoff(POLICY, 1, most) == pytest.approx(1, rel=1e-3)
    assert backoff(POLICY, LAST_QUICK, most) == pytest.approx(1, rel=1e-3)


def test_backoff_is_jittered_by_up_to_half():
    assert backoff(POLICY, LAST_QUICK + 1, least) == 2.0


def test_backoff_survives_any_number_of_attempts():
    policy = RetryPolicy(attempts=10**6, factor=10.0)
    assert backoff(policy, 10**5) <= policy.maximum


def test_outages_are_looked_at_again_within_seconds():
    delays = [outage_delay(n, most) for n in (0, 1, 2, 100, 10**6)]
    assert delays == pytest.approx([0.1, 0.2, 0.4, 5, 5], rel=1e-3)
    assert outage_delay(0, least) > 0


def test_errors_are_one_line():
    assert describe(ValueError("boom")) == "ValueError: boom"
    assert describe(ValueError()) == "ValueError"
    assert describe(ValueError("a\n  b\x00c")) == "ValueError: a b c"
    assert len(describe(ValueError("x" * 5000))) == 1000
