"""What commands print, and where: data on stdout, everything else on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TextIO

from eventgen.commands.exits import Stop
from eventgen.diagnostics import Diagnostic, Severity
from eventgen.diagnostics.show import concise, full

FORMATS = {"full": full.show, "concise": concise.show}


def wants_colour(stream: TextIO) -> bool:
    """Colour only on a terminal, and never with NO_COLOR (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def findings(found: Iterable[Diagnostic], stream: TextIO, how: str = "full") -> None:
    """Print findings, then their count."""
    found = tuple(found)
    if not found:
        return
    print(FORMATS[how](found, colour=wants_colour(stream)), file=stream)
    counts = [
        f"{number} {severity.value}{'' if number == 1 else 's'}"
        for severity in Severity
        if (number := sum(1 for one in found if one.severity is severity))
    ]
    if how == "full":
        print(f"\nfound {' and '.join(counts)}", file=sys.stderr)


def stop(problem: Stop) -> None:
    """Print why a command stops."""
    print(f"error: {problem.message}", file=sys.stderr)
    if problem.help:
        print(f" help: {problem.help}", file=sys.stderr)


def say(text: str) -> None:
    """Tell the user something that is not data."""
    print(text, file=sys.stderr)
