"""speed.py [consume] [publish] [latency]: how fast a generated service is, beside other ways.

    python benchmarks/service/speed.py --rounds 3        # all of it, about ten minutes

On a Kafka and a PostgreSQL of its own, with fsync on. Everything of one part is measured in turns,
so that a busy moment of the machine hits all alike: believe the ratios, not the figures.

`consume`: a backlog of events, each handled with an inbox entry, one insert and an acknowledgement;
against FastStream (its Kafka client with acknowledgement after the handler; and its other client
with a worker for each partition) and against a loop written by hand for this very purpose.
`publish`: events from their transaction through outbox and relay to the broker; beside inserting
them and sending them with the bare client. `latency`: one event at a time, step by step.

FastStream is installed into the cache folder, once. Asserts nothing but that the work was done.
"""

from __future__ import annotations

import argparse

from _consume import consume, peer
from _latency import latency
from _publish import publish
from _service import running_bench

PARTS = ("consume", "publish", "latency")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", help="consume, publish, latency; all by default")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6.0, help="for each, to consume")
    options = parser.parse_args()
    parts = options.parts or PARTS
    if unknown := set(parts) - set(PARTS):
        parser.error(f"there is no part {unknown.pop()}")
    if "consume" in parts:
        peer()
    with running_bench() as bench:
        if "consume" in parts:
            consume(bench, options.rounds, options.seconds)
        if "publish" in parts:
            publish(bench, options.rounds)
        if "latency" in parts:
            latency(bench, 1)


if __name__ == "__main__":
    main()
