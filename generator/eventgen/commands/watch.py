"""`eventgen generate --watch`: again whenever the specification or the configuration is saved."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from eventgen.commands import crash, project, show
from eventgen.commands.exits import Exit

_PERIOD = 0.3  # seconds between two looks
_SETTLED = 0.1  # an editor may write a file in several steps

Stamps = Mapping[str, tuple[int, int] | None]


def run(root: Path, once: Callable[[], Exit]) -> Exit:
    """Generate, and again after each save, until Ctrl-C. A broken specification is reported."""
    show.say("watching the specification; Ctrl-C ends it")
    seen: Stamps = {}
    while True:
        now = _stamps(root)
        if now != seen:
            now = _settled(root, now)
            _attempt(once)
            # What it consists of may have changed. A file saved meanwhile counts as not seen yet.
            seen = {name: now.get(name, stamp) for name, stamp in _stamps(root).items()}
        time.sleep(_PERIOD)


def _attempt(once: Callable[[], Exit]) -> None:
    try:
        once()
    except Exception as problem:  # noqa: BLE001  - whatever it is, the next save may mend it
        crash.report(problem)


def _settled(root: Path, now: Stamps) -> Stamps:
    while True:
        time.sleep(_SETTLED)
        later = _stamps(root)
        if later == now:
            return now
        now = later


def _stamps(root: Path) -> Stamps:
    state = project.load_state(root)
    names = (project.CONFIG, *(state.inputs if state else ()))
    return {name: _stamp(root / name) for name in names}


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
