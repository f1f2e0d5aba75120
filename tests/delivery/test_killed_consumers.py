"""Rows of the fault matrix in which a consumer is killed or stands still, while others go on."""

from __future__ import annotations

import signal
import time
from zlib import crc32

import pytest
from confluent_kafka import ConsumerGroupState
from confluent_kafka.admin import AdminClient

from tests.delivery import rows, switches
from tests.delivery.matrix import Stack, controls, runs
from tests.delivery.proof import Process, Proof
from tests.delivery.verdict import kept, kill, shown, wait_until

pytestmark = pytest.mark.servers

ORDERS = {
    Stack.KAFKA: 2_000,
    Stack.RABBITMQ: 500,
    Stack.REDIS: 600,
    Stack.SQS: 500,
    Stack.NATS: 600,
    Stack.SQLITE: 400,
    Stack.POSTGRES: 600,
}
# Where what is done behind another event is known, and two may be at work on one database.
TRACKING = [Stack.KAFKA, Stack.REDIS, Stack.NATS, Stack.POSTGRES]
CUSTOMERS = 40
_LANES = [crc32(f"c{number}".encode()) % 16 for number in range(CUSTOMERS)]
NEIGHBOURS = _LANES.count(_LANES[0])  # customers in the lane of c0, itself included


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


@controls(rows.KILLED_CONSUMER, on=rows.SERVERS)
def test_without_the_inbox_effects_are_doubled(service: Proof, stack: Stack) -> None:
    """Claims are not remembered, so every redelivery is handled again."""
    switches.inbox_off(service.root, stack)
    run_with_kills(service, 1_000, kills=2)
    shown(service, lambda counts: counts.doubles)


@controls(rows.KILLED_CONSUMER, on=rows.SERVERS)
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
    """Only the events in the lane of a slow one are not done when the consumer is killed."""
    service.relay()
    slow = service.consumer(PROOF_SLOW="c0", PROOF_SLOW_SECONDS="600")
    service.publish(CUSTOMERS, CUSTOMERS)
    service.wait(lambda counts: counts.placed == CUSTOMERS and counts.lost <= NEIGHBOURS, 60)
    assert 0 < service.counts().lost <= NEIGHBOURS, service.logs()
    # The place it has told the broker stands still: nothing more is done, or ever will be.
    places = [service.behind()]
    wait_until(service, lambda: _stands_still(service, places))
    kill(slow)
    service.consumer()


def _stands_still(service: Proof, places: list[int], looks: int = 8) -> bool:
    time.sleep(0.25)
    places.append(service.behind())
    return len(places) > looks and len(set(places[-looks:])) == 1


@runs(rows.KILLED_CONSUMER, on=TRACKING)
def test_an_event_that_is_not_done_holds_up_what_was_done_behind_it(
    service: Proof, stack: Stack
) -> None:
    """Not on SQLite: one transaction at a time, so nothing is ever done behind another event."""
    killed_behind_a_gap(service)
    kept(service, CUSTOMERS)


@controls(rows.KILLED_CONSUMER, on=TRACKING)
def test_with_commits_past_what_is_not_done_it_is_lost(service: Proof, stack: Stack) -> None:
    switches.commit_past_gaps(service.root)
    killed_behind_a_gap(service)
    service.wait(lambda counts: counts.lost == 0, seconds=12)
    assert service.counts().lost > 0, service.logs()


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


def stood_still(service: Proof) -> None:
    """A consumer stops in the middle of handlers, and goes on when another has done some work."""
    service.relay()
    still = service.consumer(PROOF_WORK="0.05")
    publisher = service.publishing(800, CUSTOMERS, PROOF_HOLD="0.04")
    service.wait(lambda counts: counts.effects > 50, 60)
    still.send_signal(signal.SIGSTOP)
    other = service.consumer()
    effects = "SELECT count(*) AS n FROM effects WHERE pid = $1"
    wait_until(service, lambda: service.sql(effects, other.pid)[0]["n"] > 50)
    still.send_signal(signal.SIGCONT)
    assert publisher.wait(120) == 0, service.logs()


@runs(rows.REBALANCES, on=[*rows.SERVERS, Stack.POSTGRES])
def test_a_consumer_that_stood_still_while_another_took_its_place(
    service: Proof, stack: Stack
) -> None:
    """Not on SQLite: who stands still in a transaction keeps everybody else from writing."""
    stood_still(service)
    kept(service, 800)


CLAIMS = """
SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE relation = 'inbox'::regclass AND mode = 'RowExclusiveLock'
  AND datname = current_database() AND state = 'idle in transaction'
"""


def stands_still_before_its_commit(service: Proof) -> Process:
    """The first consumer has every partition, and claims that it does not commit: then another."""
    switches.waits_before_commit(service.root)
    service.relay()
    still = service.consumer(PROOF_WORK="0.05")
    publisher = service.publishing(400, CUSTOMERS, PROOF_HOLD="0.04")
    service.wait(lambda counts: counts.effects > 20, 60)
    wait_until(service, lambda: has_stopped_with_claims(service, still))
    assert publisher.wait(120) == 0, service.logs()
    return service.consumer()


def has_stopped_with_claims(service: Proof, consumer: Process) -> bool:
    """Stop it; let it go on when it has just none."""
    consumer.send_signal(signal.SIGSTOP)
    time.sleep(0.05)  # a commit that the server has not read yet
    stopped = bool(service.sql(CLAIMS))
    if not stopped:
        consumer.send_signal(signal.SIGCONT)
    return stopped


@runs(rows.REBALANCES, on=[Stack.REDIS, Stack.POSTGRES])
def test_a_consumer_that_stands_still_before_its_commit_keeps_nobody(
    service: Proof, stack: Stack
) -> None:
    """Where one may have all partitions: nobody waits for it to go on, and it never does."""
    stands_still_before_its_commit(service)
    kept(service, 400)


@controls(rows.REBALANCES, on=[Stack.POSTGRES])
def test_with_patience_a_consumer_that_stands_still_keeps_its_events(
    service: Proof, stack: Stack
) -> None:
    switches.waits_for_whoever_stands_still(service.root)
    stands_still_before_its_commit(service)
    service.wait(lambda counts: not counts.lost, seconds=20)
    assert service.counts().lost > 0, service.logs()


@controls(rows.REBALANCES)
def test_without_the_inbox_a_consumer_that_stood_still_does_things_twice(
    service: Proof, stack: Stack
) -> None:
    switches.inbox_off(service.root, stack)
    stood_still(service)
    shown(service, lambda counts: counts.doubles)


# slower than the group waits ----------------------------------------------------------------------


def one_slow_event(service: Proof) -> None:
    """The order of c0 takes longer than the group waits for a poll; another consumer is there.

    It is still at work when the other one hears of that, which is at a heartbeat up to 3 s later.
    """
    limits = {"PROOF_KAFKA_MAX_POLL_INTERVAL_MS": "6000", "PROOF_KAFKA_SESSION_TIMEOUT_MS": "6000"}
    service.relay()
    for _ in range(2):
        service.consumer(PROOF_SLOW="c0", PROOF_SLOW_SECONDS="15", **limits)
    # A consumer that joins takes partitions from the one that is at work in them.
    wait_until(service, lambda: members(service) == 2)
    service.publish(CUSTOMERS, CUSTOMERS)


def members(service: Proof) -> int:
    """How many consumers have a share of the topic; 0 while they are dealt out."""
    admin = AdminClient({"bootstrap.servers": service.env["PROOF_KAFKA_BOOTSTRAP_SERVERS"]})
    group = service.env["PROOF_KAFKA_GROUP_ID"]
    found = admin.describe_consumer_groups([group])[group].result(30)
    return len(found.members) if found.state is ConsumerGroupState.STABLE else 0


@runs(rows.SLOW_HANDLER)
def test_a_handler_slower_than_the_group_waits_is_called_once(service: Proof, stack: Stack) -> None:
    one_slow_event(service)
    kept(service, CUSTOMERS)
    assert service.calls() == CUSTOMERS, service.logs()


@controls(rows.SLOW_HANDLER)
def test_without_polls_while_it_is_busy_handlers_are_called_again(
    service: Proof, stack: Stack
) -> None:
    switches.no_polls_while_busy(service.root)
    one_slow_event(service)
    wait_until(service, lambda: service.calls() > CUSTOMERS)
