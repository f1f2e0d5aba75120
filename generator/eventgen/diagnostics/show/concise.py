"""One finding on one line: `path:line:column: error[name] message`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventgen.diagnostics.show.words import sentence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from eventgen.diagnostics import Diagnostic


def show(findings: Iterable[Diagnostic], *, colour: bool = False) -> str:  # noqa: ARG001
    """Every finding on a line of its own. These lines are for programs, so never coloured."""
    return "\n".join(_line(found) for found in findings)


def _line(found: Diagnostic) -> str:
    text = f"{found.severity.value}[{found.name}] {sentence(found.message)}"
    if found.primary is None:
        return text
    span = found.primary.span
    return f"{sentence(span.source.path)}:{span.line}:{span.column}: {text}"
