"""A finding for people: the sentence, the author's own lines with a caret, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from eventgen.diagnostics import Diagnostic, Label, Span
from eventgen.diagnostics.show.words import cell, sentence

WIDEST = 100  # columns of a source line; a longer one is cut around the place that matters
_BEFORE = 40  # columns kept in front of that place
_CODES = {"error": "1;31", "warning": "1;33", "frame": "1;34", "help": "1;36", "bold": "1"}


def show(findings: Iterable[Diagnostic], *, colour: bool = False) -> str:
    """Every finding with its source lines, separated by empty lines."""
    paint = _Paint(colour)
    return "\n\n".join("\n".join(_lines(found, paint)) for found in findings)


@dataclass(frozen=True, slots=True)
class _Paint:
    """Wraps text in colour, or leaves it."""

    colour: bool

    def __call__(self, kind: str, text: str) -> str:
        return f"\x1b[{_CODES[kind]}m{text}\x1b[0m" if self.colour and text else text


def _lines(found: Diagnostic, paint: _Paint) -> Iterator[str]:
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


def _places(found: Diagnostic, primary: Label, width: int, paint: _Paint) -> Iterator[str]:
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
        previous: int | None = None
        for label in sorted(labels, key=lambda one: (one.span.line, one.span.column)):
            if previous is not None and label.span.line > previous + 1:
                yield paint("frame", "...")
            is_primary = label is primary
            kind = found.severity.value if is_primary else "frame"
            yield from _snippet(
                label, width, paint, kind, repeat=previous == label.span.line, primary=is_primary
            )
            previous = label.span.line
    yield f"{pad} {paint('frame', '|')}"


def _snippet(  # noqa: PLR0913 - where, and how it is shown
    label: Label, width: int, paint: _Paint, kind: str, *, repeat: bool, primary: bool
) -> Iterator[str]:
    text, start, length = _cut(label.span)
    bar = paint("frame", "|")
    if not repeat:
        yield f"{paint('frame', f'{label.span.line:>{width}}')} {bar} {text}".rstrip()
    mark = ("^" if primary else "-") * length
    words = f"{mark} {sentence(label.text)}".rstrip()
    yield f"{' ' * width} {bar} {' ' * start}{paint(kind, words)}"


def _cut(span: Span) -> tuple[str, int, int]:
    """The line as it is printed, the column the mark begins in (from 0), and the mark's length.

    A region of several lines is marked to the end of its first.
    """
    line = span.source.line(span.line).rstrip()
    cells = [cell(character) for character in line]
    first = min(span.column - 1, len(cells))
    last = span.end_column - 1 if span.end_line == span.line else len(cells)
    last = max(min(last, len(cells)), first)
    begin, before = _beginning(cells, first)
    shown = [cells[index] for index in range(begin, len(cells))]
    start = len(before) + sum(width for _, width in cells[begin:first])
    end = start + sum(width for _, width in cells[first:last])
    text, used = before, len(before)
    for index, (printed, width) in enumerate(shown):
        if used + width > WIDEST and index < len(shown) - 1:
            text += "…"
            end = min(end, used)
            break
        text += printed
        used += width
    return text, start, max(1, end - start)


def _beginning(cells: list[tuple[str, int]], first: int) -> tuple[int, str]:
    """The first character to print, so that the place that matters is in sight."""
    if sum(width for _, width in cells) <= WIDEST or first <= _BEFORE:
        return 0, ""
    return first - _BEFORE, "…"
