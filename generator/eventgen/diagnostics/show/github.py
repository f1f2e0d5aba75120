"""Findings as workflow commands of GitHub Actions, which show them at their line in a pull request.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from eventgen.diagnostics import Diagnostic, Severity, Span
from eventgen.diagnostics.show.words import sentence

_IN_MESSAGE = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
_IN_PROPERTY = _IN_MESSAGE | str.maketrans({":": "%3A", ",": "%2C"})


def show(findings: Iterable[Diagnostic], locate: Callable[[str], str] = str) -> str:
    """A command a line; nothing at all when nothing was found.

    `locate` makes of a file's path the one by which the repository knows it.
    """
    return "\n".join(_command(found, locate) for found in findings)


def _command(found: Diagnostic, locate: Callable[[str], str]) -> str:
    properties = {"title": f"eventgen {found.name}"}
    if found.primary is not None:
        span = found.primary.span
        properties = {"file": sentence(locate(span.source.path)), **_region(span), **properties}
    written = ",".join(
        f"{key}={value.translate(_IN_PROPERTY)}" for key, value in properties.items()
    )
    text = "\n".join(map(sentence, _lines(found)))
    return f"::{_COMMANDS[found.severity]} {written}::{text.translate(_IN_MESSAGE)}"


def _region(span: Span) -> dict[str, str]:
    region = {"line": str(span.line), "endLine": str(span.end_line)}
    if span.line == span.end_line:  # columns are for regions of one line
        region |= {"col": str(span.column), "endColumn": str(span.end_column)}
    return region


def _lines(found: Diagnostic) -> Iterator[str]:
    label = "" if found.primary is None or not found.primary.text else f": {found.primary.text}"
    yield found.message + label
    for other in found.secondary:
        yield f"{other.span.source.path}:{other.span.line}: {other.text}"
    for note in found.notes:
        yield f"note: {note}"
    if found.help is not None:
        yield f"help: {found.help}"
