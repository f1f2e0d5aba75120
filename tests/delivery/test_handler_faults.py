"""Rows of the fault matrix in and around handlers: poison, passing errors, signals, rebalances."""

from __future__ import annotations

import json
import signal

import pytest

from tests.delivery import rows, switches
from tests.delivery.matrix import Stack, controls, runs
from tests.delivery.proof import Counts, Proof
from tests.delivery.verdict import kept, kill, says, shown, wait_until

pytestmark = pytest.mark.servers

ORDERS = 200
CUSTOMERS = 10


def poisoned(service: Proof) -> dict[str, object]:
    """The second order of c3 fails, five times; the dead letter."""
    service.relay()
    broken = service.consumer()
    service.publish(ORDERS, CUSTOMERS, poison="c3")
    (letter,) = service.wait_for_dead_letters(1, seconds=60)
    service.wait(lambda counts: counts.effects >= ORDERS - 19, seconds=60)
    broken.send_signal(signal.SIGTERM)
    assert broken.wait(30) == 0
    return letter


@runs(rows.POISON)
def test_poison_is_kept_nobody_else_waits_and_a_replay_restores_the_order(
    service: Proof, stack: Stack
) -> None:
    letter = poisoned(service)
    # c3's 18 later ones wait behind it, as order per key demands.
    assert service.counts().effects == ORDERS - 19, service.logs()
    assert (letter["reason"], letter["attempts"]) == ("max-attempts", 5)
    assert letter["error"] == "ValueError: order 2 of c3 is poison"
    assert json.loads(letter["body"]) == {
        "customer": "c3",
        "number": 2,
        "poison": True,
        "note": "",
    }
    assert letter["headers"]["ce_type"] == "order.placed"
    listing = service.do("-m", "proof", "dlq", "ls")
    assert "ValueError: order 2 of c3 is poison" in listing

    service.do("-m", "proof", "dlq", "replay", str(letter["seq"]))
    service.consumer(PROOF_CURED="1")
    kept(service, ORDERS)


@runs(rows.POISON)
def test_poison_that_is_discarded_lets_the_others_go_on(service: Proof, stack: Stack) -> None:
    letter = poisoned(service)
    service.do("-m", "proof", "dlq", "discard", "--yes", str(letter["seq"]))
    service.consumer()
    counts = service.wait(lambda counts: counts.effects >= ORDERS - 1, seconds=30)
    assert counts == Counts(ORDERS, ORDERS - 1, 1, 0, 0, 0, 0, 0), service.logs()


@controls(rows.POISON, on=rows.BOTH)
def test_without_waiting_behind_parked_events_later_ones_overtake(
    service: Proof, stack: Stack
) -> None:
    switches.no_waiting_behind_parked(service.root, stack)
    letter = poisoned(service)
    service.do("-m", "proof", "dlq", "replay", str(letter["seq"]))
    service.consumer(PROOF_CURED="1")
    shown(service, lambda counts: counts.inversions)


def failing_by_chance(service: Proof) -> None:
    """One attempt in ten fails."""
    service.relay()
    service.consumer(PROOF_FAIL="0.1")
    service.publish(ORDERS, CUSTOMERS)


@runs(rows.PASSING_ERRORS)
def test_errors_that_pass(service: Proof, stack: Stack) -> None:
    failing_by_chance(service)
    kept(service, ORDERS)
    assert service.calls() > ORDERS


@controls(rows.PASSING_ERRORS)
def test_without_later_attempts_what_fails_is_lost(service: Proof, stack: Stack) -> None:
    switches.given_up_for_later(service.root)
    failing_by_chance(service)
    service.wait(lambda counts: not counts.lost, 15)
    assert service.counts().lost > 0


@runs(rows.REBALANCES)
def test_consumers_that_come_and_go(service: Proof, stack: Stack) -> None:
    service.relay()
    publisher = service.publishing(800, 40, PROOF_HOLD="0.04")
    staying = service.consumer()
    for ending in (signal.SIGTERM, signal.SIGKILL) * 2:
        going, staying = staying, service.consumer()
        seen = service.counts().effects
        service.wait(lambda counts, seen=seen: counts.effects > seen + 20, 10)
        going.send_signal(ending)
    assert publisher.wait(120) == 0, service.logs()
    kept(service, 800)


def told_to_stop(service: Proof) -> list[int]:
    """Under load one consumer after the other is told to stop; their exit codes."""
    service.relay()
    publisher = service.publishing(400, 40, PROOF_HOLD="0.04")
    codes = []
    for _ in range(3):
        going = service.consumer(PROOF_WORK="0.05")
        seen = service.counts().effects
        service.wait(lambda counts, seen=seen: counts.effects > seen + 20, 30)
        going.send_signal(signal.SIGTERM)
        codes.append(going.wait(30))
    service.consumer()
    # With SQLite all of them wait for one lock, and nobody in turn: it took 45 to 105 s.
    assert publisher.wait(240) == 0, service.logs()
    return codes


@runs(rows.SIGNALS)
def test_a_service_told_to_stop_finishes_what_it_has_begun(service: Proof, stack: Stack) -> None:
    assert told_to_stop(service) == [0, 0, 0]
    kept(service, 400)
    assert service.calls() == 400


@controls(rows.SIGNALS)
def test_without_the_drain_handlers_are_called_again(service: Proof, stack: Stack) -> None:
    switches.no_drain(service.root)
    told_to_stop(service)
    kept(service, 400)  # the inbox sees to it
    assert service.calls() > 400


@runs(rows.IMPATIENT_SIGNALS)
def test_a_second_signal_ends_it_at_once_and_nothing_is_lost(service: Proof, stack: Stack) -> None:
    service.relay()
    service.publish(ORDERS, CUSTOMERS)
    hanging = service.consumer(PROOF_WORK="600")
    wait_until(service, lambda: service.calls() > 0)
    hanging.send_signal(signal.SIGTERM)
    wait_until(service, lambda: says(service, "service.draining", "run"))
    hanging.send_signal(signal.SIGTERM)
    assert hanging.wait(10) == 128 + signal.SIGTERM

    interrupted = service.consumer()
    service.wait(lambda counts: counts.effects > 0, 30)
    interrupted.send_signal(signal.SIGINT)
    assert interrupted.wait(30) == 0
    service.consumer()
    kept(service, ORDERS)


def killed_publishers(service: Proof) -> None:
    """Three publishers are killed with transactions open, the fourth is not."""
    service.relay()
    service.consumer()
    for _ in range(3):
        seen = service.counts().placed
        publisher = service.publishing(400, 40, PROOF_HOLD="0.03")
        service.wait(lambda counts, seen=seen: counts.placed > seen + 20, 30)
        kill(publisher)
    service.publish(40, 40)


@runs(rows.KILLED_PUBLISHER)
def test_publishers_killed_in_the_middle_of_transactions(service: Proof, stack: Stack) -> None:
    killed_publishers(service)
    kept(service, 100)


@controls(rows.KILLED_PUBLISHER)
def test_with_the_outbox_written_after_the_commit_events_are_lost(
    service: Proof, stack: Stack
) -> None:
    switches.outbox_after_commit(service.root)
    killed_publishers(service)
    service.wait(lambda counts: not counts.lost, 10)
    assert service.counts().lost > 0


@runs(rows.ROLLBACK)
def test_what_is_rolled_back_is_not_published(service: Proof, stack: Stack) -> None:
    service.relay()
    service.consumer()
    service.publish(ORDERS, CUSTOMERS, PROOF_TAKEN_BACK="5")
    kept(service, ORDERS)
    assert service.messages() == ORDERS


@controls(rows.ROLLBACK)
def test_an_outbox_apart_from_the_transaction_publishes_what_was_rolled_back(
    service: Proof, stack: Stack
) -> None:
    switches.outbox_without_commit(service.root)
    service.relay()
    service.consumer()
    service.publish(ORDERS, CUSTOMERS, PROOF_TAKEN_BACK="5")
    shown(service, lambda counts: counts.ghosts)
