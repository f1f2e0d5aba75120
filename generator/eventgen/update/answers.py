"""What a project remembers of the template it was made from: copier's answers file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eventgen.diagnostics import Diagnostic
from eventgen.spec import source, tree

FILE = ".copier-answers.yml"


class NoAnswersError(Exception):
    """The answers file is not there, or cannot be read."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """The answers, and the template that they were given to."""

    home: str  # where copier finds the template
    version: str  # without the `v` of its tag
    answers: dict[str, Any]


def read(root: Path) -> Remembered:
    """What the project in `root` was made from. Raises NoAnswersError."""
    loaded = source.load(root / FILE, FILE)
    if isinstance(loaded, Diagnostic):
        raise NoAnswersError(loaded.message)
    answers = tree.plain(tree.parse(loaded)[0])
    if not isinstance(answers, dict) or not {"_src_path", "_commit"} <= answers.keys():
        raise NoAnswersError(f"{FILE} does not say which template the project was made from")
    version = str(answers["_commit"]).removeprefix("v")
    return Remembered(str(answers["_src_path"]), version, answers)
