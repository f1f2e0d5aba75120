"""How long `generate` takes to see that 3,000 generated files are as it left them.

    python benchmarks/nothing_to_do.py [ROUNDS]

Prints medians, their ratios to `python -c pass` in the same run, and the goal. Asserts nothing.
The files are made up: to such a run they are bytes to be hashed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from _timing import Case, in_turns, report
from eventgen.commands import project
from eventgen.plan.kinds import Owner
from eventgen.write.apply import load_manifest, write_manifest
from eventgen.write.manifest import Entry, digest

FILES = 3_000
CONTENT = b"value: int = 1  # as long as a module of one event is\n" * 60


def main(rounds: int) -> None:
    eventgen = (sys.executable, "-m", "eventgen")
    with tempfile.TemporaryDirectory(prefix="eventgen-bench-") as folder:
        root = Path(folder, "orders")
        new = (*eventgen, "new", "service", "orders", "--broker", "embedded")
        subprocess.run(new, cwd=folder, check=True, capture_output=True)
        _grow(root)
        cases = (
            Case("python -c pass", (sys.executable, "-c", "pass")),
            Case("generate, nothing to do", (*eventgen, "generate"), 0.4),
            Case("generate --check", (*eventgen, "generate", "--check"), 0.4),
        )
        report(cases, in_turns(cases, root, rounds))


def _grow(root: Path) -> None:
    known = dict(load_manifest(root))
    generated = sum(entry.owner is Owner.TOOL for entry in known.values())
    for number in range(FILES - generated):
        path = f"src/orders/_generated/part_{number % 30}/event_{number}.py"
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_bytes(CONTENT)
        known[path] = Entry(path, (digest(CONTENT),), Owner.TOOL)
    write_manifest(root, known)
    project.save_state(root, (root / "asyncapi.yaml",))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
