"""How long the command line takes, as ratios to `python -c pass` in the same run.

    python benchmarks/generator.py [ROUNDS]

Prints the median of each command, its ratio, and its goal where there is one. Asserts nothing.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from _timing import Case, in_turns, report, seconds


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
        times = in_turns(cases, project, rounds)
        cold = Case("new, cold", new, before=lambda: shutil.rmtree(project))
        cache = {"XDG_CACHE_HOME": str(root / "cache"), "PATH": "/usr/bin:/bin"}
        times[cold.name] = []
        for _ in range(max(1, rounds // 3)):
            shutil.rmtree(root / "cache", ignore_errors=True)
            times[cold.name].append(seconds(cold, root, cache))
        report((*cases, cold), times)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
