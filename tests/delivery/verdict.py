"""What the counts must say, and ways to end processes."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

from tests.delivery.proof import Counts, Process, Proof


def kept(service: Proof, placed: int) -> None:
    """The promise was kept: every event once, in order, and nothing is left anywhere."""
    counts = service.drained()
    assert counts.placed >= placed, service.logs()
    promised = Counts(counts.placed, counts.placed, 0, 0, 0, 0, 0, 0)
    assert counts == promised, f"{counts}\n{service.logs()}"
    assert service.behind() == 0, service.logs()


def shown(service: Proof, what: Callable[[Counts], int], seconds: float = 60.0) -> None:
    """A negative control: the counts show what the mechanism prevents."""
    counts = service.wait(lambda counts: what(counts) > 0, seconds)
    assert what(counts) > 0, service.logs()


def kill(process: Process) -> None:
    """SIGKILL, and wait until it is gone."""
    process.send_signal(signal.SIGKILL)
    process.wait()


def wait_until(service: Proof, reached: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until it is so; the test fails when it does not become so in time."""
    until = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < until, service.logs()
        time.sleep(0.05)


def says(service: Proof, word: str, name: str) -> bool:
    """Whether the log of a process with this name has the word."""
    return any(word in log.read_text(errors="replace") for log in service.root.glob(f"*{name}.log"))
