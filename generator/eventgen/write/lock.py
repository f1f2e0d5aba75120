"""One eventgen at a time writes into a project. The system lets go when a process dies."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eventgen.write.paths import resolve

_LOCK = ".eventgen/lock"


class BusyError(OSError):
    """Another process is writing into the project."""


@contextmanager
def held(root: Path) -> Iterator[None]:
    """Hold the project's lock. Raises BusyError at once when somebody else does."""
    path = resolve(root, _LOCK)
    path.parent.mkdir(exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644)
    try:
        try:
            _lock(handle)
        except OSError as error:
            raise BusyError("another eventgen is writing into this project") from error
        yield
    finally:
        os.close(handle)


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
