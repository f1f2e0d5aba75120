"""Consumers killed at work, under load: the row of the fault matrix with the most at stake."""

from __future__ import annotations

import signal
import time

import pytest

from tests.delivery import rows, switches
from tests.delivery.matrix import Stack, controls, runs
from tests.delivery.proof import Proof
from tests.delivery.verdict import kept, kill, shown, wait_until

pytestmark = pytest.mark.servers

ORDERS = {Stack.KAFKA: 2_000, Stack.SQLITE: 400, Stack.POSTGRES: 600}
CUSTOMERS = 40


def run_with_kills(service: Proof, orders: int, kills: int, work: str = "0.01") -> None:
    """Publish, relay twice, consume twice; kill -9 the consumer at work, several times."""
    service.relay()
    service.relay()
    started = [service.consumer(PROOF_WORK=work) for _ in range(2)]
    consumers = {process.pid: process for process in started}
    publisher = service.publishing(orders, CUSTOMERS)
    for _ in range(kills):
        kill(consumers.pop(at_work(service, list(consumers))))
        successor = service.consumer(PROOF_WORK=work)
        consumers[successor.pid] = successor
    assert publisher.wait(120) == 0, service.logs()


def at_work(service: Proof, pids: list[int], seconds: float = 60) -> int:
    """The first of these processes that is in the middle of it: a good many effects, and fresh."""
    query = (
        "SELECT pid FROM (SELECT pid, id FROM effects ORDER BY id DESC LIMIT 200) latest"
        " GROUP BY pid HAVING count(*) >= 50 ORDER BY max(id) DESC"
    )
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for row in service.sql(query):
            if row["pid"] in pids:
                return int(row["pid"])
        time.sleep(0.02)
    raise AssertionError(service.logs())


@runs(rows.KILLED_CONSUMER)
def test_consumers_killed_at_work_lose_double_and_reorder_nothing(
    service: Proof, stack: Stack
) -> None:
    run_with_kills(service, ORDERS[stack], kills=1)
    kept(service, ORDERS[stack])
    workers = service.sql("SELECT count(DISTINCT pid) AS pids FROM effects")
    assert workers[0]["pids"] >= 2, "two processes shared the work"


@controls(rows.KILLED_CONSUMER)
def test_without_the_inbox_effects_are_doubled(service: Proof, stack: Stack) -> None:
    """Claims are not remembered, so every redelivery is handled again."""
    switches.inbox_off(service.root, stack)
    run_with_kills(service, 1_000, kills=2)
    shown(service, lambda counts: counts.doubles)


@controls(rows.KILLED_CONSUMER)
def test_with_the_acknowledgement_before_the_commit_events_are_lost(
    service: Proof, stack: Stack
) -> None:
    """What was acknowledged on receipt is gone with the process."""
    switches.acknowledge_first(service.root)
    # Slower than the publisher, so that there is something in the lanes to lose.
    run_with_kills(service, 1_000, kills=2, work="0.05")
    service.wait(lambda counts: counts.lost == 0 and not counts.outbox, seconds=15)
    assert service.settle().lost > 0, service.logs()


def killed_behind_a_gap(service: Proof) -> None:
    """Only one slow event is not done when the consumer is killed."""
    service.relay()
    slow = service.consumer(PROOF_SLOW="c0", PROOF_SLOW_SECONDS="600")
    service.publish(CUSTOMERS, CUSTOMERS)
    service.wait(lambda counts: counts.lost == 1, 60)
    # The place it has told the broker stands still: nothing more is done, or ever will be.
    places = [service.behind()]
    wait_until(service, lambda: _stands_still(service, places))
    kill(slow)
    service.consumer()


def _stands_still(service: Proof, places: list[int], looks: int = 8) -> bool:
    time.sleep(0.25)
    places.append(service.behind())
    return len(places) > looks and len(set(places[-looks:])) == 1


@runs(rows.KILLED_CONSUMER)
def test_an_event_that_is_not_done_holds_up_what_was_done_behind_it(
    service: Proof, stack: Stack
) -> None:
    killed_behind_a_gap(service)
    kept(service, CUSTOMERS)


@controls(rows.KILLED_CONSUMER, on=rows.BOTH)
def test_with_commits_past_what_is_not_done_it_is_lost(service: Proof, stack: Stack) -> None:
    switches.commit_past_gaps(service.root)
    killed_behind_a_gap(service)
    service.wait(lambda counts: counts.lost == 0, seconds=12)
    assert service.counts().lost == 1, service.logs()


def killed_after_commit(service: Proof) -> None:
    """Two consumers in a row are killed with what they committed not acknowledged."""
    switches.dies_after_commit(service.root)
    service.relay()
    service.publish(300, CUSTOMERS)
    for _ in range(2):
        assert service.consumer(PROOF_DIES="1").wait(60) == -signal.SIGKILL
    service.consumer()


@runs(rows.AFTER_COMMIT)
def test_consumers_killed_after_the_commit_and_before_the_acknowledgement(
    service: Proof, stack: Stack
) -> None:
    killed_after_commit(service)
    kept(service, 300)


@controls(rows.AFTER_COMMIT)
def test_without_the_inbox_what_was_not_acknowledged_is_done_twice(
    service: Proof, stack: Stack
) -> None:
    switches.inbox_off(service.root, stack)
    killed_after_commit(service)
    shown(service, lambda counts: counts.doubles)
