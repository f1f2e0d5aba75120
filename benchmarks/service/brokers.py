"""brokers.py [BROKER ...]: a generated service on each broker, beside other ways of doing its work.

    python benchmarks/service/brokers.py            # all of it, in about ten minutes

On a server and a PostgreSQL of its own for each, as `tests/servers` has them: one node, on this
machine. All of one broker is measured in turns: believe the ratios, not the figures.

`consume`: a backlog of events, each handled with an inbox entry, one insert and an acknowledgement.
The handler adds a row to its session, or executes a statement; against FastStream (its subscriber
as it comes, with acknowledgement after the handler) and against a loop written by hand for this
very purpose, with 16 lanes. `publish`: what the relay calls, with the broker's word on every
message; beside the bare client doing the same.

FastStream is installed into the cache folder, once. Asserts nothing but that the work was done.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from _consume import BY_SQL, FAST, LANES, OURS, OURS_BY_SQL, peer, rate
from _service import KAFKA, PARTITIONS, PARTS, Bench, On, Process, running_bench

from tests.servers import nats, rabbitmq, redis, sqs
from tests.servers.sns import ACCOUNT

OTHER = "other"  # where all but the service publish and read
RELAY = "generated service"
RAW = "bare client, with confirms"
# Times as fast as they are; publishing may take half as long again as the bare client takes.
GOALS = {FAST: 4.0, LANES: 1.3, RAW: 1 / 1.5}
ROUNDS = 3

Running = Callable[[], AbstractContextManager[Process]]
Part = tuple[str, ...]  # a program beside, with its arguments


@dataclass(frozen=True)
class Kind:
    """A broker, how many events are published before each measurement, and who else does its work.

    `fast` is empty where there is no FastStream, and `remark` says why.
    """

    on: On
    events: int
    lanes: Part
    fast: Part
    remark: str = ""


def _url(name: str) -> Callable[[Any], Mapping[str, str]]:
    return lambda server: {f"BENCH_{name}_URL": server.url, "URL": server.url}


def _aws(server: Any) -> Mapping[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "BENCH_SQS_REGION": "us-east-1",
        "BENCH_SQS_ACCOUNT_ID": ACCOUNT,
        "BENCH_SQS_SNS_ENDPOINT_URL": server.url,
        "BENCH_SQS_SQS_ENDPOINT_URL": server.url,
        # What a process held that was killed is there again for the next round.
        "BENCH_SQS_VISIBILITY_SECONDS": "10",
        "URL": server.url,
    }


def _kind(name: str, module: Any, events: int) -> Kind:
    return Kind(
        On(name, module, _url(name.upper())),
        events,
        ("by_hand.py", name, "consume"),
        ("faststream_brokers.py", name),
    )


KINDS = (
    Kind(KAFKA, 40_000, ("lanes.py",), ("faststream_service.py",)),
    _kind("rabbitmq", rabbitmq, 10_000),
    _kind("redis", redis, 15_000),
    _kind("nats", nats, 8_000),
    Kind(
        On("sqs", sqs, _aws),
        6_000,
        ("by_hand.py", "sqs", "consume"),
        (),
        "FastStream has no stable broker for SQS. The server is an ElasticMQ behind a stand-in for"
        " SNS.",
    ),
)


def publish(bench: Bench, kind: Kind, first: int) -> dict[str, float]:
    """Publish what is handled next, for the service and for the others; events a second."""
    numbers = (str(first), str(kind.events))

    def rate_of(program: str, *arguments: str) -> float:
        return float(bench.finish(sys.executable, PARTS / program, *arguments, *numbers))

    return {
        RELAY: rate_of("transport.py"),
        RAW: rate_of("by_hand.py", kind.on.broker, "publish"),
    }


def ways(bench: Bench, kind: Kind) -> dict[str, Running]:
    """All that do the work of a broker."""

    def part(python: str | Path, program: str, *arguments: str) -> Running:
        """It reads what the bare client has published, as a group that has seen nothing."""
        command = (python, PARTS / program, *arguments)
        return lambda: bench.running(*command, GROUP=uuid4().hex, TOPIC=OTHER)

    found: dict[str, Running] = {
        OURS: lambda: bench.service("run"),
        OURS_BY_SQL: lambda: bench.service("run", **BY_SQL),
    }
    if kind.fast:
        found[FAST] = part(peer(), *kind.fast)
    found[LANES] = part(sys.executable, *kind.lanes)
    return found


def measure(kind: Kind, seconds: float) -> None:
    """One broker; prints medians, and how much faster the service is."""
    sent: list[dict[str, float]] = []
    handled: list[dict[str, float]] = []
    with running_bench(kind.on) as bench:
        bench.finish(sys.executable, "-m", "bench", "provision")
        if kind.on is KAFKA:
            bench.server.create_topic(OTHER, PARTITIONS)
        doing = ways(bench, kind)
        for _ in range(ROUNDS):
            handled.append({})
            for name, way in doing.items():
                sent.append(publish(bench, kind, len(sent) * kind.events))
                handled[-1][name] = rate(bench, way(), seconds)
    broker = kind.on.broker
    _show(f"{broker}: inbox, insert, acknowledgement", handled)
    _show(f"{broker}: publishing", sent)
    print(f"{kind.remark}\n" if kind.remark else "", flush=True)


def _show(title: str, rounds: Sequence[Mapping[str, float]]) -> None:
    print(f"{title:<42} {'events/s':>9} {'ours is':>8}   goal")
    ours = next(iter(rounds[0]))
    for name in rounds[0]:
        rate_ = statistics.median(found[name] for found in rounds)
        ratio = statistics.median(found[ours] / found[name] for found in rounds)
        goal = f"{GOALS[name]:.2f}x" if name in GOALS else ""
        print(f"{name:<42} {rate_:>9,.0f} {ratio:>7.2f}x   {goal}")


def main() -> None:
    known = [kind.on.broker for kind in KINDS]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("brokers", nargs="*", help=f"{', '.join(known)}; all by default")
    parser.add_argument("--seconds", type=float, default=3.0, help="for each, to consume")
    options = parser.parse_args()
    if unknown := set(options.brokers) - set(known):
        parser.error(f"there is no broker {unknown.pop()}")
    logging.getLogger("aiormq").setLevel(logging.CRITICAL)  # it tells each look at a server
    peer()
    for kind in KINDS:
        if not options.brokers or kind.on.broker in options.brokers:
            measure(kind, options.seconds)


if __name__ == "__main__":
    main()
