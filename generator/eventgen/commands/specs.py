"""Arguments of a command that takes specifications -> the files they name."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from eventgen.commands.exits import Exit, Stop

ENDINGS = (".yaml", ".yml", ".json")
_BEGINNING = 16 * 1024  # bytes of a file that are looked at
# A key of the whole document: at the beginning of a line of YAML, anywhere in JSON.
_IN_YAML = re.compile(
    rb"""^["']?(?:asyncapi["']?[ ]*:|eventgen["']?[ ]*:[ ]*["']?[0-9])""", re.MULTILINE
)
_IN_JSON = re.compile(rb"""[{,]\s*"(?:asyncapi"\s*:\s*"|eventgen"\s*:\s*"?[0-9])""")
_NOT_SEARCHED = frozenset(("node_modules", "venv", "__pycache__"))  # and whatever begins with a dot


def named(arguments: Iterable[str]) -> tuple[Path, ...]:
    """The specifications that files, folders and patterns stand for, each once, in that order.

    A file is taken as it is, also one that is not there: reading it says what is wrong. A folder is
    searched for specifications; one without any, and a pattern that nothing matches, is an error,
    because a check of nothing would look like a success.
    """
    found: dict[str, Path] = {}
    for argument in arguments:
        for path in _files(argument):
            found.setdefault(os.path.realpath(path), path)
    return tuple(found.values())


def shown(path: Path) -> Path:
    """A path as the user would write it here."""
    return Path(os.path.relpath(path))


def _files(argument: str) -> tuple[Path, ...]:
    path = Path(argument)
    if os.path.isdir(argument):  # noqa: PTH112 - Path.is_dir raises for an overlong name
        files = tuple(_below(path))
        if not files:
            raise Stop(
                Exit.USAGE,
                f"there is no specification in `{argument}`",
                "a specification is YAML or JSON that begins with `asyncapi:` or `eventgen: 1`",
            )
        return files
    if not glob.has_magic(argument) or os.path.exists(argument):  # noqa: PTH110 - as above
        return (path,)
    matches = sorted(map(Path, glob.glob(argument, recursive=True)))  # noqa: PTH207 - Path.glob takes no absolute pattern
    files = tuple(
        file for match in matches for file in (_below(match) if match.is_dir() else (match,))
    )
    if not files:
        raise Stop(Exit.USAGE, f"no file matches `{argument}`", "check the pattern")
    return files


def _below(folder: Path) -> Iterator[Path]:
    """The specifications in a folder and the folders in it, sorted."""
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if name not in _NOT_SEARCHED and not name.startswith(".")
        )
        for name in sorted(names):
            path = Path(here, name)
            if path.suffix.lower() in ENDINGS and path.is_file() and _is_specification(path):
                yield path


def _is_specification(path: Path) -> bool:
    """Whether a file begins as a specification does. One that cannot be read is not ours."""
    try:
        with path.open("rb") as file:
            beginning = file.read(_BEGINNING).removeprefix(b"\xef\xbb\xbf")
    except OSError:
        return False
    is_json = beginning.lstrip().startswith(b"{")
    return bool((_IN_JSON if is_json else _IN_YAML).search(beginning))
