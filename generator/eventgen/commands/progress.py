"""What takes longer than a second is named while it lasts, on a terminal; nothing of it stays."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from eventgen.commands import show

_PATIENCE = 1.0  # seconds since the command began
_PERIOD = 0.1
_CLEAR = "\r\x1b[K"


@dataclass(slots=True)
class _Clock:
    began: float


_clock = _Clock(time.monotonic())


def begin() -> None:
    """Another piece of work begins, in a command that does several."""
    _clock.began = time.monotonic()


@contextmanager
def phase(doing: str) -> Iterator[None]:
    """Name what is done inside when it is not over soon. With --verbose, say how long it took.

    Nothing else may be printed inside.
    """
    started = time.monotonic()
    over = threading.Event()
    drawing = threading.Thread(target=_draw, args=(doing, started, over), daemon=True)
    if _is_wanted():
        drawing.start()
    try:
        yield
    finally:
        over.set()
        if drawing.ident is not None:
            drawing.join()
    show.detail(f"{doing}: {time.monotonic() - started:.2f} s")


def _is_wanted() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and not show.is_quiet()


def _draw(doing: str, started: float, over: threading.Event) -> None:
    if over.wait(max(0.0, _clock.began + _PATIENCE - time.monotonic())):
        return
    while not over.wait(_PERIOD):
        line = f"{doing} ... {time.monotonic() - started:.0f} s"
        width = shutil.get_terminal_size().columns - 1  # a line that wraps could not be cleared
        print(f"{_CLEAR}{line[:width]}", end="", file=sys.stderr, flush=True)
    print(_CLEAR, end="", file=sys.stderr, flush=True)
