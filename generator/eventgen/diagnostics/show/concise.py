"""One finding on one line: `path:line:column: error[name] message`."""

from __future__ import annotations

from collections.abc import Iterable

from eventgen.diagnostics import Diagnostic
from eventgen.diagnostics.show.words import sentence


def show(findings: Iterable[Diagnostic]) -> str:
    """Every finding on a line of its own. These lines are for programs, so never coloured."""
    return "\n".join(_line(found) for found in findings)


def _line(found: Diagnostic) -> str:
    text = f"{found.severity.value}[{found.name}] {sentence(found.message)}"
    if found.primary is None:
        return text
    span = found.primary.span
    return f"{sentence(span.source.path)}:{span.line}:{span.column}: {text}"
