"""How long an event takes through an idle service, step by step."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from typing import Any

from _service import PARTS, Bench

EVENTS = 100
GOAL = 20.0  # milliseconds from the outbox to the commit of the handler, at the median
STEPS = {
    "committed": "its transaction is committed",
    "seen": "the relay sees it",
    "confirmed": "the broker has confirmed it",
    "received": "the consumer has it",
    "handled": "the handler's transaction is committed",
}


def _start(bench: Bench, role: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(PARTS / "latency.py"), role, str(EVENTS)],
        cwd=bench.project,
        env=bench.env | {"BENCH_KAFKA_GROUP_ID": bench.group_at_the_end()},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def steps(bench: Bench, *, apart: bool) -> dict[str, list[float]]:
    """Milliseconds from the begin of an event's transaction to each step."""
    service = _start(bench, "apart" if apart else "together")
    assert service.stdout is not None
    service.stdout.readline()  # it is ready
    published = ""
    if apart:
        published, _ = _start(bench, "publish").communicate()
    out, _ = service.communicate("done\n")
    *lines, times = (published + out).splitlines()
    began = dict(json.loads(line) for line in lines if line.startswith("["))
    at: dict[str, dict[str, Any]] = json.loads(times)
    return {
        step: [(at[id_][step] - start) * 1000 for id_, start in began.items() if step in at[id_]]
        for step in STEPS
    }


def latency(bench: Bench, rounds: int) -> None:
    """Print the medians of each step, since the event's transaction began."""
    bench.sql("UPDATE outbox_lane SET lease_until = '-infinity'")  # of killed relays, and ...
    bench.sql("DELETE FROM outbox_relay")  # ... nobody keeps a share of the lanes for them
    for apart in (False, True):
        taken: dict[str, list[float]] = {step: [] for step in STEPS}
        for _ in range(rounds):
            for step, several in steps(bench, apart=apart).items():
                taken[step] += several
        where = "another process publishes" if apart else "one process publishes and relays"
        print(f"\n{'idle, ' + where:<44} {'median':>8} {'95 %':>8}")
        for step, several in taken.items():
            if several:
                _, *_, high = statistics.quantiles(several, n=20)
                goal = f"   goal {GOAL:g} ms" if step == "handled" else ""
                print(
                    f"{STEPS[step]:<44} {statistics.median(several):>5.1f} ms {high:>5.1f} ms{goal}"
                )
