"""What the user is told when a command did not end by itself."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback

from eventgen import __version__
from eventgen.commands import show
from eventgen.commands.exits import Exit, Stop


def report(problem: Exception) -> Exit:
    """A sentence and an exit code for whatever a command raised."""
    if isinstance(problem, Stop):
        show.stop(problem)
        return problem.code
    if isinstance(problem, OSError):
        where = f": {problem.filename}" if problem.filename else ""
        show.stop(Stop(Exit.ENVIRONMENT, f"{problem.strerror or problem}{where}"))
        return Exit.ENVIRONMENT
    return _bug(problem)


def interrupted() -> Exit:
    """Ctrl-C, which a terminal shows where the cursor is."""
    show.say("\ninterrupted" if sys.stderr.isatty() else "interrupted")
    return Exit.INTERRUPTED


def pipe_closed() -> Exit:
    """The reader of our output went away, as `head` does: not an error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return Exit.OK


def _bug(problem: Exception) -> Exit:
    text = "".join(traceback.format_exception(problem))
    with tempfile.NamedTemporaryFile(
        "w", prefix="eventgen-bug-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        file.write(f"eventgen {__version__}, Python {sys.version}\n{sys.argv}\n\n{text}")
    show.detail(text)
    last = traceback.format_exception_only(problem)[-1].strip()
    show.stop(
        Stop(
            Exit.BUG,
            f"this is a bug in eventgen, not in your specification: {last}",
            f"please report it with the file {file.name}",
        )
    )
    return Exit.BUG
