"""What commands print, and where: data on stdout, everything else on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import TextIO

from eventgen import __version__
from eventgen.commands.exits import Stop
from eventgen.diagnostics import Diagnostic, Severity
from eventgen.diagnostics.show import concise, full, github


class Volume(IntEnum):
    """How much a command tells besides what it was asked for."""

    QUIET = 0  # findings and errors
    NORMAL = 1
    VERBOSE = 2


@dataclass(slots=True)
class _Console:
    volume: Volume = Volume.NORMAL


_console = _Console()


def set_volume(volume: Volume) -> None:
    """Tell as much as `--quiet` or `--verbose` asks for, from now on."""
    _console.volume = volume


def is_quiet() -> bool:
    """Whether only findings and errors are wanted."""
    return _console.volume is Volume.QUIET


def is_verbose() -> bool:
    """Whether everything is wanted."""
    return _console.volume is Volume.VERBOSE


def _json(found: tuple[Diagnostic, ...], _colour: bool) -> str:
    from eventgen.diagnostics.show import as_json  # noqa: PLC0415 - `--help` does without

    return as_json.show(found)


def _sarif(found: tuple[Diagnostic, ...], _colour: bool) -> str:
    from eventgen.catalogue import explained  # noqa: PLC0415 - only this format needs it
    from eventgen.diagnostics.show import sarif  # noqa: PLC0415 - `--help` does without

    return sarif.show(found, explained(), __version__, _in_repository)


def _in_repository(path: str) -> str:
    """A path as a code host knows it, also when the command runs in a folder of the repository."""
    root = os.environ.get("GITHUB_WORKSPACE")
    inside = os.path.relpath(path, root) if root else path
    return path if inside.startswith(os.pardir) else inside


# What each `--format` makes of findings, given whether it may use colour.
FORMATS: dict[str, Callable[[tuple[Diagnostic, ...], bool], str]] = {
    "full": lambda found, colour: full.show(found, colour=colour),
    "concise": lambda found, _: concise.show(found),
    "json": _json,
    "github": lambda found, _: github.show(found, _in_repository),
    "sarif": _sarif,
}


def wants_colour(stream: TextIO) -> bool:
    """Colour only on a terminal, and never with NO_COLOR (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def findings(found: Iterable[Diagnostic], stream: TextIO, how: str = "full") -> None:
    """Print findings, then their count. A format that is one whole document is never left out."""
    found = tuple(found)
    shown = FORMATS[how](found, wants_colour(stream))
    if shown:
        print(shown, file=stream)
    if found and how == "full":
        say(f"\nfound {_count(found)}")


def _count(found: Iterable[Diagnostic]) -> str:
    severities = [one.severity for one in found]
    counts = [
        f"{number} {severity.value}{'' if number == 1 else 's'}"
        for severity in Severity
        if (number := severities.count(severity))
    ]
    return " and ".join(counts)


def stop(problem: Stop) -> None:
    """Print why a command stops."""
    paint = full.Paint(wants_colour(sys.stderr))
    complain(f"{paint('error', 'error')}: {problem.message}")
    if problem.help:
        complain(f" {paint('help', 'help')}: {problem.help}")


def complain(text: str) -> None:
    """Say what has to be said, --quiet or not."""
    print(text, file=sys.stderr)


def say(text: str) -> None:
    """Tell the user something that is not data."""
    if not is_quiet():
        complain(text)


def detail(text: str) -> None:
    """The same for what only --verbose asks for."""
    if is_verbose():
        complain(text)
