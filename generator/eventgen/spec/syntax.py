"""What YAML's parser cannot read, in the user's terms; and the one thing of JSON it cannot read."""

from __future__ import annotations

import bisect
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from eventgen.diagnostics import Diagnostic, Label, Severity, Source, Span

if TYPE_CHECKING:
    import yaml

# For each line (from 0) that was shortened: the columns (from 0, in the shortened line) after
# which the original is two characters longer, again for each entry.
Shifts: TypeAlias = Mapping[int, tuple[int, ...]]

DEEPEST = 100  # levels; each level of a schema takes two

_PAIR = re.compile(r"(\\\\)|\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89abAB]")
_UNPRINTABLE = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]",
)


def join_surrogates(text: str) -> tuple[str, Shifts]:
    r"""Write JSON's `\ud83d\ude00` as YAML's `\U0001f600`; YAML has no surrogates.

    Only a document that begins as JSON does is touched: elsewhere a backslash may stand in a
    scalar without being an escape.
    """
    if not text.lstrip().startswith(("{", "[")) or not _ESCAPED_SURROGATE.search(text):
        return text, {}
    shifts: dict[int, tuple[int, ...]] = {}
    lines = text.split("\n")
    for number, line in enumerate(lines):
        parts: list[str] = []
        columns: list[int] = []
        done = length = 0
        for found in _PAIR.finditer(line):
            if found[1]:
                continue
            high, low = int(found[2], 16), int(found[3], 16)
            code = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)
            parts += [line[done : found.start()], f"\\U{code:08x}"]
            length += len(parts[-2]) + len(parts[-1])
            done = found.end()
            columns.append(length)
        if columns:
            lines[number] = "".join(parts) + line[done:]
            shifts[number] = tuple(columns)
    return "\n".join(lines), shifts


def column(shifts: Shifts, line: int, position: int) -> int:
    """The column (from 1) in the user's text of a parser's position (line and column from 0)."""
    columns = shifts.get(line, ())
    return position + 1 + 2 * bisect.bisect_right(columns, position)


def too_deep(span: Span) -> Diagnostic:
    """What is said of a value that is nested more than `DEEPEST` levels deep."""
    return Diagnostic(
        "nesting-too-deep",
        Severity.ERROR,
        f"this value is nested more than {DEEPEST} levels deep",
        Label(span),
        help="give the inner part a name of its own and refer to it with `$ref`",
    )


def explain(source: Source, error: yaml.YAMLError) -> Diagnostic:
    """A parser's complaint as a finding, with the remedy where the cause is a common one."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        return _unprintable(source)
    # A complaint about the end of the text belongs to the last line that has something on it.
    last = source.text.rstrip().count("\n") + 1
    line = min(mark.line + 1, max(last, 1))
    text = source.line(line)
    start = mark.column + 1 if line == mark.line + 1 else len(text)
    span = Span(source, line, max(start, 1), line, max(start, 1) + 1)
    if "\t" in text[: len(text) - len(text.lstrip())] and not source.text.lstrip().startswith("{"):
        tab = text.index("\t") + 1
        return Diagnostic(
            "tab-indentation",
            Severity.ERROR,
            "this line is indented with a tab, and YAML is indented with spaces",
            Label(Span(source, line, tab, line, tab + 1), "a tab"),
            help="replace the tab with spaces",
        )
    if "nesting depth" in str(getattr(error, "problem", "")):  # libyaml's own limit, since 0.2.6
        return too_deep(span)
    return Diagnostic(
        "yaml-syntax",
        Severity.ERROR,
        f"this is not YAML: {getattr(error, 'problem', None) or 'it cannot be read'}",
        Label(span),
        _context(source, error),
        help=_remedy(text, span, str(getattr(error, "problem", ""))),
    )


def _context(source: Source, error: Any) -> tuple[Label, ...]:
    mark = getattr(error, "context_mark", None)
    if mark is None:
        return ()
    at = Span(source, mark.line + 1, mark.column + 1, mark.line + 1, mark.column + 2)
    return (Label(at, str(error.context)),)


# What the parser complains of -> what to do, for the causes that the complaint itself tells.
_REMEDIES = (
    (
        "mapping values are not allowed",
        'put quotes around text that holds `: `, and one space after each key\'s ":"',
    ),
    ("incompatible YAML", "write `%YAML 1.2`, or remove the line"),
    ("Unicode character escape", "write the character itself"),
)


def _remedy(text: str, span: Span, problem: str) -> str:
    for words, remedy in _REMEDIES:
        if words in problem:
            return remedy
    character = text[span.column - 1 : span.column]
    if "cannot start any token" in problem and character in ("@", "`"):
        return "put quotes around text that begins with this character"
    if character == "%" and not text[: span.column - 1].strip():
        return 'put quotes around text that begins with "%"'
    if "{{" in text:
        return "put quotes around `{{ ... }}`"
    return "look here, and at the line before, for a bracket, quote or colon that is missing"


def _unprintable(source: Source) -> Diagnostic:
    found = _UNPRINTABLE.search(source.text)
    if found is None:
        return Diagnostic("yaml-syntax", Severity.ERROR, f"`{source.path}` is not YAML")
    before = source.text[: found.start()]
    line = before.count("\n") + 1
    at = found.start() - (before.rfind("\n") + 1) + 1
    return Diagnostic(
        "control-character",
        Severity.ERROR,
        f"the character U+{ord(found[0]):04X} may not stand in a YAML file",
        Label(Span(source, line, at, line, at + 1)),
        help="remove it, or write it as an escape in double quotes",
    )
