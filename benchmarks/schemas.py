"""How long models of 1,000 messages take to make, and an event of 300 bytes to read and to write.

    python benchmarks/schemas.py [ROUNDS]

Beside `datamodel-codegen` on the same document, and beside `json` on the same event, in the same
run. Prints medians, ratios, and goals where there are some. Asserts nothing.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import timeit
from collections.abc import Callable
from pathlib import Path

from _timing import Case, in_turns, report
from check import document

COUNT = 5000  # events read or written in one measurement
GOAL = 100  # thousand of them a second, on one core

# Two events: one that its model describes in full, and one whose schema is checked as well.
_SPEC = """\
eventgen: 1
service: bench
publishes:
  order.counted:
    version: 1.0.0
    data:
      order: string
      customer: string
      status: {$enum: [placed, paid, shipped, cancelled]}
      total: {amount: integer, currency: string}
      lines: [{sku: string, quantity: integer, gift: boolean}]
      note: string?
  order.placed:
    version: 1.0.0
    data:
      order: uuid
      customer: uuid
      status: {$enum: [placed, paid, shipped, cancelled]}
      total: {amount: decimal, currency: string}
      lines: [{sku: string, quantity: integer, gift: boolean}]
      placed_at: date-time
"""
_LINES = [{"sku": f"TEA-{number}", "quantity": number, "gift": False} for number in (1, 2)]
EVENTS = {
    "EVENT_ORDER_COUNTED": {
        "order": "2026-000123456",
        "customer": "customer-8812390-of-the-north",
        "status": "placed",
        "total": {"amount": 129900, "currency": "EUR"},
        "lines": _LINES,
        "note": "Leave the parcel with the neighbour on the left, please; the bell is broken.",
    },
    "EVENT_ORDER_PLACED": {
        "order": "12345678-1234-4234-9234-123456789abc",
        "customer": "87654321-4321-4321-8321-cba987654321",
        "status": "placed",
        "total": {"amount": "1299.00", "currency": "EUR"},
        "lines": _LINES,
        "placed_at": "2026-01-02T03:04:05.678Z",
    },
}


def generation(root: Path, rounds: int) -> None:
    """Times of `generate` on 1,000 messages, and of the peer."""
    (root / "large.yaml").write_text(document(50, 20))
    eventgen = (sys.executable, "-m", "eventgen")
    new = (*eventgen, "new", "service", "large", "--spec", "large.yaml", "--broker", "embedded")
    subprocess.run(new, cwd=root, check=True, capture_output=True)
    project, cache = root / "large", Path(os.environ["XDG_CACHE_HOME"])
    state = project / ".eventgen" / "state"

    def forget() -> None:
        state.unlink(missing_ok=True)
        shutil.rmtree(cache, ignore_errors=True)

    peer = ("datamodel_code_generator", "--input", "../large.yaml", "--output", "peer.py")
    kind = ("--input-file-type", "asyncapi", "--output-model-type", "pydantic_v2.BaseModel")
    cases = (
        Case("python -c pass", (sys.executable, "-c", "pass")),
        Case("datamodel-codegen", (sys.executable, "-m", *peer, *kind)),
        Case("generate, cold", (*eventgen, "generate"), 15.0, before=forget),
        Case(
            "generate, models from the cache",
            (*eventgen, "generate"),
            before=lambda: state.unlink(missing_ok=True),
        ),
        Case("generate, nothing to do", (*eventgen, "generate"), 1.0),
    )
    report(cases, in_turns(cases, project, rounds))


def wire(root: Path, rounds: int) -> None:
    """Events a second through the codec of a service, least of several measurements."""
    (root / "bench.yaml").write_text(_SPEC)
    new = ("new", "service", "bench", "--spec", "bench.yaml", "--broker", "embedded")
    command = (sys.executable, "-m", "eventgen", *new)
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    sys.path.insert(0, str(root / "bench" / "src"))
    topology = importlib.import_module("bench._generated.topology")
    codec = importlib.import_module("bench._runtime.codec")
    for name, value in EVENTS.items():
        event = getattr(topology, name)
        body = json.dumps(value, separators=(",", ":")).encode()
        model = codec.decode(event, body)
        kind = "with its schema too" if event.check else "by its model alone"
        print(f"\n{len(body)} bytes, checked {kind}; goal {GOAL}k/s")
        base = _thousands(lambda body=body: json.loads(body), rounds)
        print(f"{'json.loads':<32} {base:>8.0f}k/s")
        for word, task in (
            ("decode", lambda event=event, body=body: codec.decode(event, body)),
            ("encode", lambda event=event, model=model: codec.encode(event, model)),
        ):
            speed = _thousands(task, rounds)
            print(f"{word:<32} {speed:>8.0f}k/s {speed / base:>6.2f}x")


def _thousands(task: Callable[[], object], rounds: int) -> float:
    return COUNT / min(timeit.repeat(task, number=COUNT, repeat=5 * rounds)) / 1000


def main(rounds: int) -> None:
    with tempfile.TemporaryDirectory(prefix="eventgen-bench-") as folder:
        root = Path(folder)
        os.environ["XDG_CACHE_HOME"] = str(root / "cache")
        wire(root, rounds)
        print()
        generation(root, rounds)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
