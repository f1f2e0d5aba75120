"""What is wrong, where, and what to do about it: values that are collected, never raised."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Any

# Where YAML ends a line; `str.splitlines` would also do so at control characters.
_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


class Severity(Enum):
    """How bad a finding is. Only an ERROR stops a generation; a NOTE is not bad at all."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Source:
    """One input file: the path as the user wrote it, and its whole text."""

    path: str
    text: str

    def line(self, number: int) -> str:
        """The text of a line, counted from 1; empty past the end of the file."""
        lines = self.lines
        return lines[number - 1] if 0 < number <= len(lines) else ""

    @property
    def lines(self) -> tuple[str, ...]:
        """All lines, without what ends them."""
        return _lines(self.text)


@lru_cache(maxsize=8)  # a thousand findings in one file ask for a thousand lines
def _lines(text: str) -> tuple[str, ...]:
    return tuple(_LINE_END.split(text))


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open region of a source. Lines and columns count from 1, columns in characters."""

    source: Source
    line: int
    column: int
    end_line: int
    end_column: int

    @property
    def start(self) -> Span:
        """Its first character, to point at something that is missing there."""
        return Span(self.source, self.line, self.column, self.line, self.column + 1)


@dataclass(frozen=True, slots=True)
class Label:
    """A place, and what is to be seen there."""

    span: Span
    text: str = ""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding.

    `name` is kebab-case and reads well after "allow". `message` is one sentence without a full
    stop, with backticks around the user's words. `help` says what to type. A finding about
    something that has no place (a missing file) has `primary=None`. `details` are for programs.
    """

    name: str
    severity: Severity
    message: str
    primary: Label | None = None
    secondary: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Suppression:
    """An author's word that a finding is known, and stays.

    `name` is the finding's, and stands at `place`; it counts for what begins in `region`.
    """

    name: str
    place: Span
    region: Span


def has_errors(findings: tuple[Diagnostic, ...]) -> bool:
    """Whether any of the findings stops a generation."""
    return any(found.severity is Severity.ERROR for found in findings)
