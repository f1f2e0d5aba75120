"""A finding for people: the sentence, the author's own lines with a caret, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from eventgen.diagnostics import Diagnostic, Label, Span
from eventgen.diagnostics.show.words import cell, sentence

WIDEST = 100  # columns of a source line; a longer one is cut around the place that matters
_BEFORE = 40  # columns kept in front of that place
_MOST = 400  # characters of a source line; those that take no column would never fill it
_CODES = {
    "error": "1;31",
    "warning": "1;33",
    "note": "1;32",
    "frame": "1;34",
    "help": "1;36",
    "bold": "1",
}


def show(findings: Iterable[Diagnostic], *, colour: bool = False) -> str:
    """Every finding with its source lines, separated by empty lines."""
    paint = Paint(colour)
    return "\n\n".join("\n".join(_lines(found, paint)) for found in findings)


@dataclass(frozen=True, slots=True)
class Paint:
    """Wraps text in colour, or leaves it."""

    colour: bool

    def __call__(self, kind: str, text: str) -> str:
        return f"\x1b[{_CODES[kind]}m{text}\x1b[0m" if self.colour and text else text


def _lines(found: Diagnostic, paint: Paint) -> Iterator[str]:
    kind = found.severity.value
    yield paint(kind, f"{kind}[{found.name}]") + paint("bold", f": {sentence(found.message)}")
    labels = [*([found.primary] if found.primary else []), *found.secondary]
    width = len(str(max((label.span.line for label in labels), default=0)))
    pad = " " * width
    if found.primary is not None:
        yield from _places(found, found.primary, width, paint)
    for note in found.notes:
        yield f"{pad} {paint('frame', '=')} note: {sentence(note)}"
    if found.help is not None:
        yield f"{pad} {paint('frame', '=')} {paint('help', 'help')}: {sentence(found.help)}"


def _places(found: Diagnostic, primary: Label, width: int, paint: Paint) -> Iterator[str]:
    """The labels, file by file: the primary one's first."""
    pad = " " * width
    files: dict[int, list[Label]] = {}
    for label in (primary, *found.secondary):
        files.setdefault(id(label.span.source), []).append(label)
    for number, labels in enumerate(files.values()):
        first = labels[0].span
        arrow = paint("frame", ":::" if number else "-->")
        yield f"{pad}{arrow} {sentence(first.source.path)}:{first.line}:{first.column}"
        yield f"{pad} {paint('frame', '|')}"
        previous: tuple[int, str] | None = None
        for label in sorted(labels, key=lambda one: (one.span.line, one.span.column)):
            text, start, length = _cut(label.span)
            line = label.span.line
            if previous is not None and line > previous[0] + 1:
                yield paint("frame", "...")
            if previous != (line, text):  # several places in a line are marked below it
                yield f"{paint('frame', f'{line:>{width}}')} {paint('frame', '|')} {text}".rstrip()
            kind = found.severity.value if label is primary else "frame"
            words = f"{('^' if label is primary else '-') * length} {sentence(label.text)}".rstrip()
            yield f"{pad} {paint('frame', '|')} {' ' * start}{paint(kind, words)}"
            previous = line, text
    yield f"{pad} {paint('frame', '|')}"


def _cut(span: Span) -> tuple[str, int, int]:
    """The line as it is printed, the column the mark begins in (from 0), and the mark's length.

    A region of several lines is marked to the end of its first. Of a line that is too long only
    what is around the region is looked at: a whole document may stand in one.
    """
    line = span.source.line(span.line).rstrip()
    first = min(span.column - 1, len(line))
    last = span.end_column - 1 if span.end_line == span.line else len(line)
    last = max(min(last, len(line)), first)
    begin = 0 if _fits(line) else _beginning(line, first)
    text = "…" if begin else ""
    start = end = used = len(text)
    for index in range(begin, len(line)):
        printed, width = cell(line[index])
        too_wide = used + width > WIDEST and index < len(line) - 1
        if too_wide or index - begin > _MOST:
            text += "…"
            break
        text += printed
        used += width
        if index < first:
            start = used
        if index < last:
            end = used
    return text, start, max(1, end - start)


def _fits(line: str) -> bool:
    return len(line) <= _MOST and sum(cell(character)[1] for character in line) <= WIDEST


def _beginning(line: str, first: int) -> int:
    """The first character to print, so that the one that matters is in sight."""
    used = 0
    for index in range(first - 1, max(first - _MOST, -1), -1):
        used += cell(line[index])[1]
        if used > _BEFORE:
            return index + 1
    return max(first - _MOST + 1, 0)
