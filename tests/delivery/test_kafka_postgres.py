"""The promise on a real Kafka and a real PostgreSQL, with kill -9; and what breaks without it."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.delivery.proof import Proof, mutate, proof

pytestmark = pytest.mark.servers

ORDERS = 2_000
CUSTOMERS = 40

INBOX_OFF = (
    (
        "INSERT INTO inbox (consumer, event_id) SELECT $1, id FROM unnest($2::uuid[]) AS id\n"
        "ON CONFLICT DO NOTHING RETURNING event_id"
    ),
    "SELECT id AS event_id FROM unnest($2::uuid[]) AS id WHERE $1::text IS NOT NULL",
)
ACK_FIRST = (
    "work = self._handling.read(message)\n",
    'work = self._handling.read(message)\n            self._done([message], "early")\n',
)


@pytest.fixture
def service(tmp_path: Path, kafka: object, postgres: object) -> Iterator[Proof]:
    with proof(tmp_path, kafka.bootstrap, postgres.url, postgres.dsn) as made:
        yield made


def run_with_kills(service: Proof, kills: int, work: str = "0.01") -> None:
    """Publish, relay twice, consume twice; kill -9 the consumer at work, several times."""
    service.start("relay")
    service.start("relay")
    started = [service.consumer(PROOF_WORK=work) for _ in range(2)]
    consumers = {process.pid: process for process in started}
    publisher = threading.Thread(target=service.publish, args=(ORDERS, CUSTOMERS))
    publisher.start()
    for _ in range(kills):
        victim = consumers.pop(at_work(service, list(consumers)))
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        successor = service.consumer(PROOF_WORK=work)
        consumers[successor.pid] = successor
    publisher.join()


def at_work(service: Proof, pids: list[int], seconds: float = 60) -> int:
    """The first of these processes that is in the middle of it: a good many effects, and fresh."""
    query = (
        "SELECT pid FROM (SELECT pid, id FROM effects ORDER BY id DESC LIMIT 200) latest"
        " WHERE pid = ANY($1) GROUP BY pid HAVING count(*) >= 50 ORDER BY max(id) DESC LIMIT 1"
    )
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if rows := service.sql(query, pids):
            return int(rows[0]["pid"])
        time.sleep(0.02)
    raise AssertionError(service.logs())


def test_nothing_lost_nothing_twice_nothing_out_of_order(service: Proof) -> None:
    run_with_kills(service, kills=1)
    counts = service.wait(
        lambda counts: counts.effects >= ORDERS and not counts.outbox, seconds=120
    )
    counts = service.settle()
    assert (counts.placed, counts.lost, counts.doubles, counts.inversions) == (ORDERS, 0, 0, 0), (
        service.logs()
    )
    assert (counts.ghosts, counts.outbox, counts.parked) == (0, 0, 0)
    workers = service.sql("SELECT count(DISTINCT pid) AS pids FROM effects")
    assert workers[0]["pids"] >= 2, "two processes shared the work"


def test_without_the_inbox_effects_are_doubled(service: Proof) -> None:
    """Negative control: claims are not remembered, so every redelivery is handled again."""
    mutate(service.root, "postgres.py", *INBOX_OFF)
    run_with_kills(service, kills=2)
    service.wait(lambda counts: counts.lost == 0 and not counts.outbox, seconds=120)
    assert service.settle().doubles > 0, service.logs()


def test_with_the_acknowledgement_before_the_commit_events_are_lost(service: Proof) -> None:
    """Negative control: what was acknowledged on receipt is gone with the process."""
    mutate(service.root, "consumer.py", *ACK_FIRST)
    # Slower than the publisher, so that there is something in the lanes to lose.
    run_with_kills(service, kills=2, work="0.05")
    service.wait(lambda counts: counts.lost == 0 and not counts.outbox, seconds=15)
    assert service.settle().lost > 0, service.logs()


def test_poison_is_retried_then_kept_and_nobody_else_waits(service: Proof) -> None:
    service.start("relay")
    service.consumer()
    service.publish(200, 10, poison="c3")
    # c3's second order is poison; its 18 later ones wait behind it, as order per key demands.
    counts = service.wait(lambda counts: counts.effects >= 200 - 19, seconds=30)
    assert counts.effects == 200 - 19, service.logs()
    dead = service.wait_for_dead_letters(1, seconds=30)
    (letter,) = dead
    assert (letter["reason"], letter["attempts"]) == ("max-attempts", 5)
    assert letter["error"] == "ValueError: order 2 of c3 is poison"
    assert json.loads(letter["body"]) == {"customer": "c3", "number": 2, "poison": True}
    assert letter["headers"]["ce_type"] == "order.placed"

    listing = service.do("-m", "proof", "dlq", "ls")
    assert "order.placed" in listing
    assert "ValueError: order 2 of c3 is poison" in listing

    service.do("-m", "proof", "dlq", "discard", "--yes", str(letter["seq"]))
    counts = service.wait(lambda counts: counts.effects >= 199, seconds=30)
    assert (counts.effects, counts.lost, counts.doubles) == (199, 1, 0), service.logs()
    assert (counts.inversions, counts.parked) == (0, 0)
