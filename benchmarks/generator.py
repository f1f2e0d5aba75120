"""How long the command line takes, as ratios to `python -c pass` in the same run.

    python benchmarks/generator.py [ROUNDS]

Prints the median of each command, its ratio, and its goal where there is one. Asserts nothing.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """A command, what to do before each run of it, and the goal in seconds."""

    name: str
    command: tuple[str, ...]
    goal: float | None = None
    before: Callable[[], None] = lambda: None


def seconds(case: Case, cwd: Path, env: dict[str, str] | None = None) -> float:
    case.before()
    started = time.perf_counter()
    subprocess.run(
        case.command,
        cwd=cwd,
        env=env,
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - started


def main(rounds: int) -> None:
    with tempfile.TemporaryDirectory(prefix="eventgen-bench-") as folder:
        root = Path(folder)
        eventgen = (sys.executable, "-m", "eventgen")
        new = (*eventgen, "new", "service", "orders", "--broker", "kafka")
        subprocess.run(new, cwd=root, check=True, capture_output=True)
        project = root / "orders"
        state = project / ".eventgen" / "state"
        cases = (
            Case("python -c pass", (sys.executable, "-c", "pass")),
            Case("eventgen --help", (*eventgen, "--help"), 0.15),
            Case("generate, nothing to do", (*eventgen, "generate"), 0.3),
            Case("check, 4 messages", (*eventgen, "check"), 0.3),
            Case(
                "generate, all looked at again",
                (*eventgen, "generate"),
                before=lambda: state.unlink(missing_ok=True),
            ),
            Case(
                "new, models from the cache",
                (*new[:-3], "../fresh", *new[-2:]),
                before=lambda: shutil.rmtree(root / "fresh", ignore_errors=True),
            ),
        )
        times: dict[str, list[float]] = {case.name: [] for case in cases}
        for _ in range(rounds):
            for case in cases:
                times[case.name].append(seconds(case, project))
        cold = Case("new, cold", new, before=lambda: shutil.rmtree(project))
        cache = {"XDG_CACHE_HOME": str(root / "cache"), "PATH": "/usr/bin:/bin"}
        times[cold.name] = []
        for _ in range(max(1, rounds // 3)):
            shutil.rmtree(root / "cache", ignore_errors=True)
            times[cold.name].append(seconds(cold, root, cache))
        report((*cases, cold), times)


def report(cases: tuple[Case, ...], times: dict[str, list[float]]) -> None:
    base = statistics.median(times[cases[0].name])
    print(f"{'command':<32} {'median':>8} {'least':>8} {'ratio':>7}   goal")
    for case in cases:
        median = statistics.median(times[case.name])
        goal = f"{case.goal:.2f} s" if case.goal else ""
        least = min(times[case.name])
        print(f"{case.name:<32} {median:>6.3f} s {least:>6.3f} s {median / base:>6.1f}x   {goal}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
