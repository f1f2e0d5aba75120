"""soak.py [--seconds N] [--seed S] [--control]: everything fails at random, nothing may be lost.

A generated service on a Kafka and a PostgreSQL of its own: publishers, two relays, two consumers,
one call of the handler in ten fails. Meanwhile processes are killed, consumers come and go, Kafka
is killed and restarted, PostgreSQL loses its connections and is killed and restarted. In the end
the database is asked for events lost, doubled or out of order. The seed alone decides what fails
when; it is printed.

With `--control` the inbox of the service is switched off, and the database must tell.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "generator")]

from tests.delivery import backends, switches  # noqa: E402  - found just now
from tests.delivery.matrix import Stack  # noqa: E402
from tests.delivery.proof import Counts, Proof, proof  # noqa: E402
from tests.servers import kafka as kafka_server  # noqa: E402
from tests.servers import postgres as postgres_server  # noqa: E402
from tests.servers.base import own_server  # noqa: E402

CUSTOMERS = 40
PUBLISHERS = CONSUMERS = RELAYS = 2
ORDERS = 300  # that a publisher commits before the next one comes
DRAIN_SECONDS = 180.0

HANDLER = '''\
"""Writes one row for each order it handles, when it works."""

from __future__ import annotations

import asyncio
import os
import random

from sqlalchemy import text

from .._generated.events import OrderPlaced
from .._generated.publishers import Context


async def on_order_placed(event: OrderPlaced, ctx: Context) -> None:
    """Fail once in ten times, half of them after the work."""
    await asyncio.sleep(0.002)
    luck = random.random()
    if luck < 0.05:
        raise ValueError("bad luck")
    await ctx.db.execute(
        text("INSERT INTO effects (customer, number, pid) VALUES (:customer, :number, :pid)"),
        {"customer": event.customer, "number": event.number, "pid": os.getpid()},
    )
    if luck > 0.95:
        raise ValueError("bad luck, late")
'''


@dataclass(frozen=True)
class Fault:
    """What happens, `at` so many seconds; `which` chooses among the processes it may happen to."""

    at: float
    what: str
    which: int
    seconds: float  # how long a server stays away


def schedule(seed: int, seconds: float) -> tuple[Fault, ...]:
    """What will happen: of each kind something first, then anything, until the time is up."""
    chance = random.Random(seed)
    kinds: list[str] = []
    faults: list[Fault] = []
    at = chance.uniform(1, 3)
    while at < seconds:
        if not kinds:
            kinds = sorted(FAULTS)
            chance.shuffle(kinds)
        away = round(chance.uniform(0.5, 4), 2)
        faults.append(Fault(round(at, 2), kinds.pop(), chance.randrange(100), away))
        at += chance.uniform(1, 6)
    return tuple(faults)


@dataclass
class Soak:
    """The processes of a service under test, and the servers below them."""

    service: Proof
    kafka: Any
    postgres: Any
    consumers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    relays: list[subprocess.Popen[bytes]] = field(default_factory=list)
    publishers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def supervise(self, *, publishing: bool) -> None:
        """Whatever ended is started again, as an orchestrator would."""
        for processes, many, start in (
            (self.consumers, CONSUMERS, self.service.consumer),
            (self.relays, RELAYS, lambda: self.service.start("relay")),
            (self.publishers, PUBLISHERS if publishing else 0, self._publish),
        ):
            processes[:] = [process for process in processes if process.poll() is None]
            processes += [start() for _ in range(many - len(processes))]

    def _publish(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "publish.py", str(ORDERS), str(CUSTOMERS), "-"],
            cwd=self.service.root,
            env=self.service.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # it ends when the database does
        )
        self.service.running.append(process)
        return process

    def kill_one_of(self, processes: list[subprocess.Popen[bytes]], fault: Fault) -> None:
        if processes:
            victim = processes.pop(fault.which % len(processes))
            victim.send_signal(signal.SIGKILL)
            victim.wait()

    def stop_one_of(self, processes: list[subprocess.Popen[bytes]], fault: Fault) -> None:
        """By SIGTERM: it drains and leaves; nobody waits for it."""
        if processes:
            processes.pop(fault.which % len(processes)).terminate()

    def restart(self, server: Any, fault: Fault) -> None:
        server.kill()
        time.sleep(fault.seconds)
        server.restart()

    def terminate_backends(self) -> None:
        self.service.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


FAULTS: dict[str, Callable[[Soak, Fault], None]] = {
    "a consumer is killed": lambda s, f: s.kill_one_of(s.consumers, f),
    "a relay is killed": lambda s, f: s.kill_one_of(s.relays, f),
    "a publisher is killed": lambda s, f: s.kill_one_of(s.publishers, f),
    "a consumer joins": lambda s, _: s.consumers.append(s.service.consumer()),
    "a consumer leaves": lambda s, f: s.stop_one_of(s.consumers, f),
    "Kafka is killed": lambda s, f: s.restart(s.kafka, f),
    "PostgreSQL is killed": lambda s, f: s.restart(s.postgres, f),
    "PostgreSQL loses its connections": lambda s, _: s.terminate_backends(),
}


def run(soak: Soak, seed: int, seconds: float, say: Callable[[str], None]) -> Counts:
    """Let everything fail for so long, then let it drain; what the database says in the end."""
    faults = schedule(seed, seconds)
    say(f"seed {seed}, {seconds:g} s")
    for fault in faults:
        say(f"  {fault.at:7.2f} s  {fault.what} ({fault.which}, {fault.seconds:g} s)")
    soak.service.sql(
        "INSERT INTO source SELECT 'c' || n, 0 FROM generate_series(0, $1 - 1) n", CUSTOMERS
    )
    began = time.monotonic()
    for fault in faults:
        while time.monotonic() - began < fault.at:
            soak.supervise(publishing=True)
            time.sleep(0.2)
        soak.supervise(publishing=True)
        FAULTS[fault.what](soak, fault)
    return _drain(soak)


def _drain(soak: Soak) -> Counts:
    """Until nothing waits any more. What was given up for too many failures is replayed."""
    until = time.monotonic() + DRAIN_SECONDS
    counts = soak.service.counts()
    while time.monotonic() < until:
        soak.supervise(publishing=False)
        if soak.service.sql("SELECT 1 FROM parked WHERE status = 'dead' LIMIT 1"):
            soak.service.do("-m", "proof", "dlq", "replay", "--all")
        counts = soak.service.wait(lambda c: not (c.lost or c.outbox or c.parked), 2.0)
        if not (soak.publishers or counts.lost or counts.outbox or counts.parked):
            return soak.service.settle()
    return counts


def verdict(counts: Counts) -> list[str]:
    """What is wrong; nothing when the promise was kept."""
    wrong = {
        "lost": counts.lost,
        "doubled": counts.doubles,
        "never committed": counts.ghosts,
        "out of order": counts.inversions,
        "still in the outbox": counts.outbox,
        "still parked": counts.parked,
    }
    return [f"{number} {what}" for what, number in wrong.items() if number]


@contextmanager
def service(folder: Path, kafka: Any, postgres: Any) -> Iterator[Soak]:
    """The service on these servers, with the handler that fails."""
    with proof(folder, backends.kafka(kafka), postgres.url, postgres.dsn) as made:
        (made.root / "src/proof/handlers/on_order_placed.py").write_text(HANDLER)
        yield Soak(made, kafka, postgres)


def main() -> int:
    """0 when nothing was lost, doubled or out of order; with `--control`, when something was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--control", action="store_true", help="with the inbox switched off")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="eventgen-soak-"))
    folder.chmod(0o711)  # PostgreSQL runs as another user when this runs as root
    try:
        with (
            own_server(kafka_server, folder / "kafka") as kafka,
            own_server(postgres_server, folder / "postgres") as postgres,
            service(folder, kafka, postgres) as soak,
        ):
            if options.control:
                switches.inbox_off(soak.service.root, Stack.KAFKA)
            counts = run(soak, options.seed, options.seconds, print)
            # What is lost and was acknowledged is gone; the rest was only not handled in time.
            print(counts, soak.service.behind(), "not acknowledged")
            wrong = verdict(counts)
            print(", ".join(wrong) or "nothing lost, doubled, out of order")
            if wrong and not options.control:
                print(soak.service.logs())
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return int(bool(wrong) != options.control)


if __name__ == "__main__":
    sys.exit(main())
