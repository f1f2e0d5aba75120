"""Rows of the fault matrix in which a server dies, freezes or refuses."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.delivery import rows, switches
from tests.delivery.backends import SERVERS
from tests.delivery.matrix import Stack, controls, runs
from tests.delivery.proof import Proof, proof
from tests.delivery.verdict import kept, says, shown, wait_until
from tests.servers.base import docker
from tests.servers.postgres import Postgres

pytestmark = pytest.mark.servers

ORDERS = 800
CUSTOMERS = 40


@pytest.fixture
def own_broker(stack: Stack, request: pytest.FixtureRequest) -> Any:
    """The server of a broker, of this test alone."""
    return request.getfixturevalue(f"own_{SERVERS[stack][0]}")


@pytest.fixture
def on_own_broker(
    tmp_path: Path, own_broker: Any, postgres: Postgres, stack: Stack
) -> Iterator[Proof]:
    backend = SERVERS[stack][1](own_broker)
    with proof(tmp_path, backend, postgres.url, postgres.dsn) as service:
        # The client gives a message up after this time.
        service.env["PROOF_KAFKA_DELIVERY_TIMEOUT_MS"] = "3000"
        if stack is Stack.RABBITMQ:
            # A quorum queue of some versions survives a SIGKILL only after a graceful stop.
            own_broker.stop()
            own_broker.restart()
        yield service


@pytest.fixture
def on_own_postgres(
    tmp_path: Path, own_postgres: Postgres, stack: Stack, request: pytest.FixtureRequest
) -> Iterator[Proof]:
    server, made_of = SERVERS[stack]
    backend = made_of(request.getfixturevalue(server))
    with proof(tmp_path, backend, own_postgres.url, own_postgres.dsn) as service:
        yield service


# brokers ------------------------------------------------------------------------------------------


def killed_under_load(service: Proof, broker: Any) -> None:
    for _ in range(2):
        service.relay()
        service.consumer()
    publisher = service.publishing(ORDERS, CUSTOMERS, PROOF_HOLD="0.03")
    service.wait(lambda counts: counts.effects > 50, 60)
    broker.kill()
    broker.restart()
    assert publisher.wait(120) == 0, service.logs()
    kept(service, ORDERS)


@runs(rows.KILLED_BROKER)
def test_a_broker_killed_under_load(on_own_broker: Proof, own_broker: Any) -> None:
    killed_under_load(on_own_broker, own_broker)


@runs(rows.BROKER_AWAY, on=(Stack.SQS,))
def test_an_address_that_dies_under_load(on_own_broker: Proof, own_broker: Any) -> None:
    """What is in front of the queues is killed with what it was asked, and not yet answered."""
    killed_under_load(on_own_broker, own_broker)


def publish_without_broker(service: Proof, broker: Any) -> None:
    """The broker is killed; what is published then, two orders of each customer, has to wait."""
    service.relay(PROOF_LOG_LEVEL="debug")
    service.consumer()
    service.publish(CUSTOMERS, CUSTOMERS)
    service.wait(lambda counts: not counts.lost, 60)
    broker.kill()
    service.publish(2 * CUSTOMERS, CUSTOMERS)


@runs(rows.BROKER_AWAY)
def test_events_wait_in_the_outbox_while_the_broker_is_away(
    on_own_broker: Proof, own_broker: Any
) -> None:
    service = on_own_broker
    publish_without_broker(service, own_broker)
    wait_until(service, lambda: says(service, "relay.later", "relay"))
    (outbox,) = service.sql("SELECT count(*) AS n, max(attempts) AS attempts FROM outbox")
    assert outbox == {"n": 2 * CUSTOMERS, "attempts": 0}
    own_broker.restart()
    kept(service, 3 * CUSTOMERS)


@controls(rows.BROKER_AWAY, on=rows.SERVERS)
def test_without_the_brokers_word_events_are_lost_while_the_broker_is_away(
    on_own_broker: Proof, own_broker: Any
) -> None:
    service = on_own_broker
    switches.sent_whatever_was_said(service.root)
    publish_without_broker(service, own_broker)
    service.wait(lambda counts: not counts.outbox, 60)
    own_broker.restart()
    service.wait(lambda counts: not counts.lost, 15)
    assert service.counts().lost > 0, service.logs()


@runs(rows.LOST_DATA)
def test_what_a_broker_has_lost_is_published_again(on_own_broker: Proof, own_broker: Any) -> None:
    """Each customer's first order is handled; the second was confirmed, and is lost."""
    service = on_own_broker
    service.env["PROOF_OUTBOX_RETENTION_DAYS"] = "1"
    service.relay()
    consumer = service.consumer()
    service.publish(CUSTOMERS, CUSTOMERS)
    service.drained()
    consumer.send_signal(signal.SIGTERM)
    assert consumer.wait(30) == 0, service.logs()
    service.publish(CUSTOMERS, CUSTOMERS)
    service.wait(lambda counts: not counts.outbox, 60)
    own_broker.lose_everything()
    service.backend.create(service)
    service.consumer()
    assert service.settle().lost == CUSTOMERS, service.logs()
    service.do("-m", "proof", "outbox", "republish", "--since", "2026-01-01", "--yes")
    kept(service, 2 * CUSTOMERS)


def send(server: Any, what: signal.Signals) -> None:
    """A signal to every process of a server."""
    if server.container:
        docker("pause" if what is signal.SIGSTOP else "unpause", server.container)
        return
    # Of SNS/SQS there are two, each in a folder of its own.
    folder = Path(server.folder)
    for file in (*folder.glob("pid"), *folder.glob("*/pid")):
        pid = int(file.read_text())
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for process in (pid, *map(int, children)):
            with suppress(ProcessLookupError):  # PostgreSQL's processes come and go
                os.kill(process, what)


@runs(rows.FROZEN_SERVERS)
def test_a_broker_that_neither_answers_nor_hangs_up(on_own_broker: Proof, own_broker: Any) -> None:
    service = on_own_broker
    for _ in range(2):
        service.relay(PROOF_LOG_LEVEL="debug")
        service.consumer()
    publisher = service.publishing(ORDERS, CUSTOMERS, PROOF_HOLD="0.03")
    service.wait(lambda counts: counts.effects > 50, 60)
    send(own_broker, signal.SIGSTOP)
    try:
        wait_until(service, lambda: says(service, "relay.later", "relay"))
    finally:
        send(own_broker, signal.SIGCONT)
    assert publisher.wait(120) == 0, service.logs()
    kept(service, ORDERS)


# databases --------------------------------------------------------------------------------------


def terminate(service: Proof) -> None:
    """End every other connection to the database."""
    service.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


def under_load(service: Proof) -> None:
    """Two relays, two consumers, publishers in the background; the work has begun."""
    for _ in range(2):
        service.relay()
        service.consumer()
    service.publishing(ORDERS, CUSTOMERS, PROOF_HOLD="0.03")
    service.wait(lambda counts: counts.effects > 50, 60)


@runs(rows.DATABASE_AWAY)
def test_a_database_that_goes_away(stack: Stack, request: pytest.FixtureRequest) -> None:
    if stack is Stack.SQLITE:
        service = request.getfixturevalue("service")
        under_load(service)
        keep_locked(service)
    else:
        service = request.getfixturevalue("on_own_postgres")
        server = request.getfixturevalue("own_postgres")
        under_load(service)
        server.kill()
        server.restart()
        for _ in range(5):
            seen = service.counts().effects
            service.wait(lambda counts, seen=seen: counts.effects > seen, 10)
            terminate(service)
    assert service.running[-1].wait(120) == 0, service.logs()
    kept(service, ORDERS)


def keep_locked(service: Proof) -> None:
    """Hold the lock of the file until somebody has waited in vain, in either kind of process."""
    with closing(service.open_file()) as file:
        file.execute("BEGIN IMMEDIATE")
        for name in ("relay", "run"):
            wait_until(service, lambda name=name: says(service, "database.away", name))


@controls(rows.DATABASE_AWAY)
def test_with_claims_apart_from_the_effects_events_are_lost(service: Proof, stack: Stack) -> None:
    switches.claim_apart(service.root)
    under_load(service)
    for _ in range(5):
        seen = service.counts().effects
        service.wait(lambda counts, seen=seen: counts.effects > seen, 10)
        terminate(service)
    assert service.running[-1].wait(120) == 0, service.logs()
    service.wait(lambda counts: not counts.outbox, 60)
    service.wait(lambda counts: not counts.lost, 10)
    assert service.counts().lost > 0, service.logs()


@runs(rows.FROZEN_SERVERS, on=(Stack.KAFKA, Stack.REDIS))
def test_postgres_that_neither_answers_nor_hangs_up(
    on_own_postgres: Proof, own_postgres: Postgres
) -> None:
    """When it goes on, every lease has ended by its clock, and is anybody's."""
    service = on_own_postgres
    switches.short_leases(service.root)
    under_load(service)
    send(own_postgres, signal.SIGSTOP)
    time.sleep(4)
    send(own_postgres, signal.SIGCONT)
    assert service.running[-1].wait(120) == 0, service.logs()
    kept(service, ORDERS)


NO_ROOM = """
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER no_room BEFORE INSERT ON inbox EXECUTE FUNCTION no_room();
"""


def without_room(service: Proof) -> None:
    """The database takes no claims; one order of each customer waits for that."""
    service.run_script(NO_ROOM)
    service.relay()
    service.consumer()
    service.publish(CUSTOMERS, CUSTOMERS)


@runs(rows.NO_ROOM)
def test_a_database_without_room_is_waited_for(service: Proof, stack: Stack) -> None:
    without_room(service)
    wait_until(service, lambda: says(service, "database.away", "run"))
    time.sleep(2)  # longer than all the quick attempts take
    counts = service.counts()
    assert (counts.lost, counts.parked) == (CUSTOMERS, 0), service.logs()
    service.sql("DROP TRIGGER no_room ON inbox")
    kept(service, CUSTOMERS)


@controls(rows.NO_ROOM)
def test_when_a_full_disk_is_the_handlers_error_events_are_parked(
    service: Proof, stack: Stack
) -> None:
    switches.full_disk_is_the_handlers_error(service.root)
    without_room(service)
    shown(service, lambda counts: counts.parked)


# what the broker refuses ------------------------------------------------------------------------

# The length of a text that is more than a relay may send, and the limit that lets it.
TOO_LARGE = dict.fromkeys(SERVERS, (1_200_000, 3_000_000)) | {Stack.SQS: (400_000, 1_048_576)}


def refused(service: Proof, stack: Stack) -> None:
    """The second order of c3 is larger than the relay may send; then it may."""
    service.relay()
    service.consumer(PROOF_CURED="1")
    service.publish(200, 10, "c3", PROOF_NOTE=str(TOO_LARGE[stack][0]))
    poison = "SELECT count(*) AS n FROM outbox WHERE status = 'poison'"
    wait_until(service, lambda: service.sql(poison)[0]["n"] == 1)
    service.wait(lambda counts: counts.effects >= 200 - 19, 60)


def send_again(service: Proof, stack: Stack) -> None:
    """The limit is raised."""
    service.running[0].send_signal(signal.SIGTERM)
    assert service.running[0].wait(30) == 0
    service.do("-m", "proof", "outbox", "retry")
    service.relay(**{f"PROOF_{stack.name}_MESSAGE_MAX_BYTES": str(TOO_LARGE[stack][1])})


@runs(rows.POISON_ROW)
def test_an_event_the_broker_refuses_holds_up_its_key_alone(service: Proof, stack: Stack) -> None:
    refused(service, stack)
    counts = service.counts()
    assert (counts.effects, counts.outbox) == (200 - 19, 19), service.logs()
    send_again(service, stack)
    kept(service, 200)


@controls(rows.POISON_ROW, on=rows.SERVERS)
def test_without_waiting_behind_a_refused_event_later_ones_overtake(
    service: Proof, stack: Stack
) -> None:
    switches.poison_blocks_nobody(service.root)
    refused(service, stack)
    send_again(service, stack)
    shown(service, lambda counts: counts.inversions)
