"""A backlog of events: inbox, one insert, acknowledgement. The service, and what else there is."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from contextlib import AbstractContextManager
from pathlib import Path
from uuid import uuid4

from _service import PARTS, TOPIC, Bench, Process, produce

EVENTS = 60_000  # in the backlog
PATIENCE = 60.0  # seconds until the first event must be handled

OURS = "generated service, ctx.db.add"
OURS_BY_SQL = "generated service, ctx.db.execute"
BY_SQL = {"HANDLER": "execute"}
FAST = "FastStream"
FAST_WORKERS = "FastStream, 8 workers"
LANES = "16 lanes by hand"
GOALS = {FAST: 6.0, LANES: 1.5}  # times as fast as they are

_VERSION = "0.7.8"
_CLIENTS = "confluent,kafka,nats,rabbit,redis"
_PEER = (f"faststream[{_CLIENTS}]=={_VERSION}", "aiokafka[lz4]", "asyncpg")

_COUNT = """
SELECT count(*) AS events, count(DISTINCT number) AS numbers,
  (SELECT count(*) FROM inbox) AS claimed,
  extract(epoch FROM max(at) - min(at))::float AS seconds
FROM effects
"""


def peer() -> Path:
    """The Python that has FastStream, in an environment of its own; made when it is not there."""
    folder = Path.home() / ".cache" / "eventgen" / "benchmarks" / f"faststream-{_VERSION}"
    python, complete = folder / "bin" / "python", folder / "complete"
    if not complete.exists() or complete.read_text() != "\n".join(_PEER):
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *_PEER], check=True)
        complete.write_text("\n".join(_PEER))
    return python


def start(bench: Bench, name: str) -> AbstractContextManager[Process]:
    """One of them, as a group that has seen nothing."""
    group = uuid4().hex
    if name in (OURS, OURS_BY_SQL):
        handler = BY_SQL if name == OURS_BY_SQL else {}
        return bench.service("run", BENCH_KAFKA_GROUP_ID=group, **handler)
    if name == LANES:
        return bench.running(sys.executable, PARTS / "lanes.py", GROUP=group)
    workers = ["workers"] if name == FAST_WORKERS else []
    return bench.running(peer(), PARTS / "faststream_service.py", *workers, GROUP=group)


def rate(bench: Bench, running: AbstractContextManager[Process], seconds: float) -> float:
    """Events a second, from the first effect to the last one of so many seconds."""
    bench.sql("TRUNCATE effects, inbox")
    bench.sql("CHECKPOINT")
    with running as process:
        late = time.monotonic() + PATIENCE
        while not bench.sql("SELECT 1 FROM effects LIMIT 1"):
            if process.poll() is not None or time.monotonic() > late:
                raise RuntimeError(f"{process.args} handles nothing:\n{bench.log()}")
            time.sleep(0.1)
        time.sleep(seconds)
    [row] = bench.sql(_COUNT)
    if not row["events"] == row["numbers"] == row["claimed"]:
        raise RuntimeError(f"{process.args} did not do the work: {dict(row)}")
    return float(row["events"] / row["seconds"])


def consume(bench: Bench, rounds: int, seconds: float) -> None:
    """Measure all in turns; print medians, and how much faster the service is."""
    produce(bench, TOPIC, EVENTS)
    rates: dict[str, list[float]] = {
        name: [] for name in (OURS, OURS_BY_SQL, FAST, FAST_WORKERS, LANES)
    }
    ratios: dict[str, list[float]] = {name: [] for name in rates}
    for _ in range(rounds):
        for name, found in rates.items():
            found.append(rate(bench, start(bench, name), seconds))
        for name, found in rates.items():
            ratios[name].append(rates[OURS][-1] / found[-1])
    print(f"{'inbox, insert, acknowledgement':<34} {'events/s':>9} {'ours is':>9}   goal")
    for name, found in rates.items():
        goal = f"{GOALS[name]:.1f}x" if name in GOALS else ""
        ratio = statistics.median(ratios[name])
        print(f"{name:<34} {statistics.median(found):>9,.0f} {ratio:>8.1f}x   {goal}")
