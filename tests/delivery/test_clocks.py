"""A process whose clock is wrong or jumps does no harm: nothing but new events is told the time."""

from __future__ import annotations

import re
from pathlib import Path

TEMPLATES = Path(__file__).parents[2] / "templates"
CLOCK = re.compile(r"\btime\.time(?:_ns)?\(|\bdatetime\.(?:now|utcnow|today)\(|\bdate\.today\(")

# What may ask the clock, and for what.
ASK = {
    "runtime/envelope.py": "the id of a new event",
    "runtime/outbox.py": "the time of a new event",
    "runtime/testing.py": "events made for tests of handlers",
}


def test_only_new_events_are_told_the_time_by_a_process() -> None:
    """Leases, delays and retention are the database's, and waits the monotonic clock's."""
    sources = [*TEMPLATES.glob("runtime/*.py"), *TEMPLATES.glob("brokers/kafka/*.py")]
    asking = {
        source.relative_to(TEMPLATES).as_posix()
        for source in sources
        if CLOCK.search(source.read_text(encoding="utf-8"))
    }
    assert asking == set(ASK)
