"""Rows of the fault matrix between outbox and broker: relays that die, stop, compete and fail."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from tests.delivery import rows, switches
from tests.delivery.matrix import Stack, controls, runs
from tests.delivery.proof import Process, Proof
from tests.delivery.verdict import kept, kill, shown, wait_until

pytestmark = pytest.mark.servers

ORDERS = 300
CUSTOMERS = 20


def killed_between_publish_and_mark(service: Proof) -> None:
    """Three relays in a row are killed with all they sent not yet marked."""
    switches.short_leases(service.root)
    switches.dies_between_publish_and_mark(service.root)
    service.consumer()
    service.publish(ORDERS, CUSTOMERS)
    for _ in range(3):
        assert service.relay(PROOF_DIES="1").wait(60) == -signal.SIGKILL
    service.relay()


@runs(rows.BETWEEN_PUBLISH_AND_MARK)
def test_relays_killed_between_publishing_and_marking(service: Proof, stack: Stack) -> None:
    killed_between_publish_and_mark(service)
    kept(service, ORDERS)
    assert service.messages() > ORDERS


@controls(rows.BETWEEN_PUBLISH_AND_MARK, on=rows.BOTH)
def test_without_the_inbox_what_a_relay_repeats_is_done_twice(service: Proof, stack: Stack) -> None:
    switches.inbox_off(service.root, stack)
    killed_between_publish_and_mark(service)
    shown(service, lambda counts: counts.doubles)


def owned(service: Proof) -> list[int]:
    """How many lanes each relay holds."""
    lanes = "SELECT count(*) AS n FROM outbox_lane WHERE owner IS NOT NULL GROUP BY owner"
    return [row["n"] for row in service.sql(lanes)]


def killed_with_leases(service: Proof) -> None:
    """One of two relays is killed while each holds half of the lanes."""
    switches.short_leases(service.root)
    service.consumer()
    first, _ = service.relay(), service.relay()
    wait_until(service, lambda: owned(service) == [32, 32])
    kill(first)
    service.publish(ORDERS, CUSTOMERS)


@runs(rows.KILLED_WITH_LEASES)
def test_the_lanes_of_a_killed_relay_are_taken_over(service: Proof, stack: Stack) -> None:
    killed_with_leases(service)
    kept(service, ORDERS)
    wait_until(service, lambda: owned(service) == [64])


@controls(rows.KILLED_WITH_LEASES, on=rows.BOTH)
def test_without_the_end_of_leases_the_lanes_of_a_killed_relay_stand_still(
    service: Proof, stack: Stack
) -> None:
    switches.no_takeover(service.root, stack)
    killed_with_leases(service)
    service.wait(lambda counts: not counts.lost, 8)
    assert service.counts().outbox > 0
    assert service.counts().lost > 0


def four_relays(service: Proof) -> None:
    """Four relays, while a consumer handles and events are published; a broker that dawdles."""
    switches.slow_broker(service.root)
    service.consumer(PROOF_WORK="0")
    for _ in range(4):
        service.relay()
    service.publish(2 * ORDERS, CUSTOMERS // 4)


@runs(rows.MANY_RELAYS)
def test_four_relays_at_once(service: Proof, stack: Stack) -> None:
    four_relays(service)
    kept(service, 2 * ORDERS)


@controls(rows.MANY_RELAYS, on=rows.BOTH)
def test_relays_that_share_rows_instead_of_lanes_change_the_order(
    service: Proof, stack: Stack
) -> None:
    switches.rows_instead_of_lanes(service.root, stack)
    four_relays(service)
    shown(service, lambda counts: counts.inversions)


def zombie(service: Proof) -> None:
    """A relay stops after its first wave, and goes on when another has sent everything."""
    switches.short_leases(service.root)
    switches.stops_between_waves(service.root)
    service.publish(ORDERS, CUSTOMERS)
    stopped = service.relay(PROOF_DIES="1")
    wait_until(service, lambda: is_stopped(stopped))
    service.consumer()
    service.relay()
    service.wait(lambda counts: not counts.outbox, 60)
    stopped.send_signal(signal.SIGCONT)
    stopped.send_signal(signal.SIGTERM)
    assert stopped.wait(60) == 0


@runs(rows.ZOMBIE_RELAY)
def test_a_relay_that_stood_still_beyond_its_lease(service: Proof, stack: Stack) -> None:
    zombie(service)
    kept(service, ORDERS)
    assert ORDERS < service.messages() <= ORDERS + CUSTOMERS


@controls(rows.ZOMBIE_RELAY)
def test_without_fencing_a_relay_that_stood_still_repeats_what_others_sent(
    service: Proof, stack: Stack
) -> None:
    switches.no_fencing(service.root)
    zombie(service)
    assert service.messages() > ORDERS + CUSTOMERS


def refused_at_first(service: Proof) -> None:
    """Every third message fails when it is sent the first time."""
    switches.every_third_fails_first(service.root)
    service.publish(ORDERS, CUSTOMERS)
    service.consumer()
    service.relay()


@runs(rows.FIRST_FAILS)
def test_an_event_that_fails_holds_up_the_later_ones_of_its_key(
    service: Proof, stack: Stack
) -> None:
    refused_at_first(service)
    kept(service, ORDERS)


@controls(rows.FIRST_FAILS)
def test_without_waves_later_events_overtake_one_that_fails(service: Proof, stack: Stack) -> None:
    switches.no_waves(service.root)
    refused_at_first(service)
    shown(service, lambda counts: counts.inversions)


@runs(rows.DUPLICATES)
def test_messages_that_come_twice(service: Proof, stack: Stack) -> None:
    switches.every_fifth_twice(service.root)
    service.consumer()
    service.relay()
    service.publish(ORDERS, CUSTOMERS)
    kept(service, ORDERS)
    assert service.messages() > ORDERS


@controls(rows.DUPLICATES)
def test_without_the_inbox_messages_that_come_twice_are_done_twice(
    service: Proof, stack: Stack
) -> None:
    switches.every_fifth_twice(service.root)
    switches.inbox_off(service.root, stack)
    service.consumer()
    service.relay()
    service.publish(ORDERS, CUSTOMERS)
    shown(service, lambda counts: counts.doubles)


def wait_for(service: Proof, reached: object, seconds: float = 60.0) -> None:
    """Wait until it is so."""
    assert callable(reached)
    until = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < until, service.logs()
        time.sleep(0.05)


def is_stopped(process: Process) -> bool:
    """Whether the process stands still."""
    stat = Path(f"/proc/{process.pid}/stat").read_text()
    return stat.rpartition(")")[2].split()[0] == "T"


def commits_and_effects(service: Proof) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """Of each customer, the order of commits and the order of effects."""
    commits = json.loads(service.do("race.py", "8"))
    service.relay()
    service.consumer()
    service.wait(lambda counts: counts.effects >= 16, 60)
    effects: dict[str, list[int]] = {}
    for row in service.sql("SELECT customer, number FROM effects ORDER BY id"):
        effects.setdefault(row["customer"], []).append(row["number"])
    return commits, effects


@runs(rows.ONE_KEY_TWO_WRITERS)
def test_two_writers_of_one_key(service: Proof, stack: Stack) -> None:
    commits, effects = commits_and_effects(service)
    assert effects == commits, service.logs()


@controls(rows.ONE_KEY_TWO_WRITERS)
def test_without_locks_on_keys_the_order_of_commits_is_lost(service: Proof, stack: Stack) -> None:
    switches.no_key_locks(service.root)
    commits, effects = commits_and_effects(service)
    assert len(effects) == len(commits) == 8
    assert effects != commits
