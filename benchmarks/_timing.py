"""Times commands as whole processes, in turns, and prints their medians as ratios to the first."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """A command, what to do before each run of it, and the goal in seconds."""

    name: str
    command: tuple[str, ...]
    goal: float | None = None
    before: Callable[[], None] = lambda: None


def seconds(case: Case, cwd: Path, env: Mapping[str, str] | None = None) -> float:
    """One run of a command, from start to exit. Raises when it fails."""
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


def in_turns(cases: Sequence[Case], cwd: Path, rounds: int) -> dict[str, list[float]]:
    """Every command once in each round, so that a busy moment of the machine hits them alike."""
    times: dict[str, list[float]] = {case.name: [] for case in cases}
    for _ in range(rounds):
        for case in cases:
            times[case.name].append(seconds(case, cwd))
    return times


def report(cases: Sequence[Case], times: Mapping[str, Sequence[float]]) -> None:
    """A line for each command: median, least, ratio to the first command, goal."""
    base = statistics.median(times[cases[0].name])
    print(f"{'command':<32} {'median':>8} {'least':>8} {'ratio':>7}   goal")
    for case in cases:
        median = statistics.median(times[case.name])
        goal = f"{case.goal:.2f} s" if case.goal else ""
        least = min(times[case.name])
        print(f"{case.name:<32} {median:>6.3f} s {least:>6.3f} s {median / base:>6.1f}x   {goal}")
