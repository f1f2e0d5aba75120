"""Reads the places where an author says that a finding is known, and why it stays.

In YAML that is a comment, `# eventgen: ignore[unused-channel] -- kept for old consumers`, for its
own line, or for the next one when it stands alone. JSON has no comments: there, and in YAML too,
`x-eventgen: {ignore: {unused-channel: kept for old consumers}}` counts for the whole object.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

import yaml

from eventgen.diagnostics import Diagnostic, Label, Severity, Span, Suppression
from eventgen.spec import syntax
from eventgen.spec.settings import EXTENSION, IGNORE
from eventgen.spec.tree import LOADER

if TYPE_CHECKING:
    from eventgen.spec.refs import Document
    from eventgen.spec.tree import Node

_Place: TypeAlias = tuple[int, int]  # line and column, from 0
_COMMENT = re.compile(r"(?:^|(?<=[ \t]))#[ \t]*eventgen:[ \t]*ignore\b(?P<rest>.*)", re.ASCII)
_REST = re.compile(r"[ \t]*\[(?P<names>[^\]]*)\](?:[ \t]+--[ \t]+(?P<reason>\S.*))?", re.ASCII)
_NAME = re.compile(r"[^\s,]+")
_BESIDE = re.compile(r"\s*(?:#.*)?\Z")  # a line that says nothing


def read(document: Document) -> tuple[tuple[Suppression, ...], tuple[Diagnostic, ...]]:
    """The suppressions of one file; and what is wrong with them. Those are none."""
    found = (*_comments(document), *_extensions(document))
    return (
        tuple(one for one in found if isinstance(one, Suppression)),
        tuple(one for one in found if isinstance(one, Diagnostic)),
    )


def _comments(document: Document) -> Iterator[Suppression | Diagnostic]:
    source = document.source
    if "eventgen:" not in source.text:
        return
    lines = source.lines
    candidates = [
        (number, found) for number, line in enumerate(lines) if (found := _COMMENT.search(line))
    ]
    if not candidates:
        return
    starts, ends = _scalars(document)
    for number, found in candidates:
        before = bisect_right(starts, (number, found.start())) - 1
        if before >= 0 and (number, found.start()) < ends[before]:
            continue
        at = Span(source, number + 1, found.start() + 1, number + 1, found.end() + 1)
        target = number
        if not lines[number][: found.start()].strip():
            target = next(
                (
                    after
                    for after in range(number + 1, len(lines))
                    if not _BESIDE.match(lines[after])
                ),
                number,
            )
        region = Span(source, target + 1, 1, target + 2, 1)
        yield from _comment(found, at, region)


def _comment(found: re.Match[str], at: Span, region: Span) -> Iterator[Suppression | Diagnostic]:
    rest = _REST.match(found["rest"])
    names = [] if rest is None else list(_NAME.finditer(rest["names"]))
    if rest is None or not names:
        yield Diagnostic(
            "suppression-without-name",
            Severity.WARNING,
            "this suppression does not say which findings it is about, and counts for nothing",
            Label(at),
            help="write `# eventgen: ignore[name-of-the-finding] -- why`",
        )
        return
    if rest["reason"] is None:
        listed = ", ".join(name[0] for name in names)
        yield _unreasoned(at, f"write `# eventgen: ignore[{listed}] -- ` and why")
        return
    begin = at.column + (found.start("rest") - found.start()) + rest.start("names")
    for name in names:
        place = Span(at.source, at.line, begin + name.start(), at.line, begin + name.end())
        yield Suppression(name[0], place, region)


def _scalars(document: Document) -> tuple[list[_Place], list[_Place]]:
    """Where texts that may hold a `#` begin and end: quoted ones, and blocks."""
    text, shifts = syntax.join_surrogates(document.source.text)
    starts: list[_Place] = []
    ends: list[_Place] = []
    for event in yaml.parse(text, Loader=LOADER):
        if isinstance(event, yaml.ScalarEvent) and event.style:
            start, end = (
                (mark.line, syntax.column(shifts, mark.line, mark.column) - 1)
                for mark in (event.start_mark, event.end_mark)
                if mark is not None
            )
            # A comment may stand behind the `|` that begins a block.
            starts.append(start if event.style in "\"'" else (start[0] + 1, 0))
            ends.append(end)
    return starts, ends


def _extensions(document: Document) -> Iterator[Suppression | Diagnostic]:
    """Of every object in the file that has some, whatever it is."""
    if EXTENSION not in document.source.text:
        return
    waiting: list[tuple[Node, Span]] = [(document.root, document.root.span)]
    seen: set[int] = set()
    while waiting:
        node, begin = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node.value, list):
            waiting += [(item, item.span) for item in node.value]
        elif isinstance(node.value, dict):
            waiting += [(value, node.place(key)) for key, value in node.value.items()]
            own = node.value.get(EXTENSION)
            wishes = None if own is None else own.get(IGNORE)
            if own is not None and wishes is not None:
                end = node.span
                region = Span(end.source, begin.line, begin.column, end.end_line, end.end_column)
                yield from _extension(own, wishes, region)


def _extension(own: Node, wishes: Node, region: Span) -> Iterator[Suppression | Diagnostic]:
    if not isinstance(wishes.value, dict):
        remedy = f"write `{IGNORE}: {{name-of-the-finding: why}}`"
        yield _unreasoned(own.place(IGNORE), remedy)
        return
    for name, reason in wishes.value.items():
        place = wishes.place(name)
        if isinstance(reason.value, str) and reason.value.strip():
            yield Suppression(name, place, region)
        else:
            yield _unreasoned(place, f"write `{name}: ` and why")


def _unreasoned(at: Span, remedy: str) -> Diagnostic:
    return Diagnostic(
        "suppression-without-reason",
        Severity.WARNING,
        "this suppression does not say why, and counts for nothing",
        Label(at),
        help=remedy,
    )
