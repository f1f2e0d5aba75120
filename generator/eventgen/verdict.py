"""What becomes of findings: which are suppressed or not asked for, and how bad the others are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from eventgen.diagnostics import Diagnostic, Label, Severity, Suppression
from eventgen.model.config import Selection
from eventgen.spec.nearest import did_you_mean

LIST = "`eventgen explain` lists them all"
_FIXED = "this cannot be ignored: the specification cannot be read while it is there"


def judge(
    fixed: Sequence[Diagnostic],
    free: Sequence[Diagnostic],
    suppressions: Sequence[Suppression],
    selection: Selection,
) -> tuple[Diagnostic, ...]:
    """The findings that are left, each as bad as it was chosen to be.

    `fixed` are the errors without which there is no service to speak of. They stay as they are,
    and say so when somebody wished otherwise.
    """
    kept = [_noted(one) if _is_disputed(one, suppressions, selection) else one for one in fixed]
    kept += [
        replace(one, severity=selection.severity.get(one.name, one.severity))
        for one in free
        if selection.wants(one.name) and not _is_suppressed(one, suppressions)
    ]
    return tuple(kept)


def by_language(found: Iterable[Diagnostic], invalidating: Collection[str]) -> list[Diagnostic]:
    """Findings as bad as the language of the specification has them: some make it invalid."""
    return [
        replace(one, severity=Severity.ERROR) if one.name in invalidating else one for one in found
    ]


def idle(
    suppressions: Sequence[Suppression], found: Sequence[Diagnostic], searched: Collection[str]
) -> Iterator[Diagnostic]:
    """Suppressions that suppress none of `found`, though findings of their name were searched."""
    for one in suppressions:
        if one.name in searched and not any(_covers(one, finding) for finding in found):
            yield Diagnostic(
                "unused-suppression",
                Severity.WARNING,
                f"there is no `{one.name}` to suppress here",
                Label(one.place),
                help="remove it",
            )


def unknown(suppressions: Sequence[Suppression], known: Collection[str]) -> Iterator[Diagnostic]:
    """Suppressions whose name is not that of a finding."""
    for one in suppressions:
        if one.name not in known:
            yield Diagnostic(
                "suppression-of-unknown-name",
                Severity.WARNING,
                f"no finding is called `{one.name}`",
                Label(one.place),
                help=did_you_mean(one.name, known) or LIST,
            )


def _is_disputed(
    found: Diagnostic, suppressions: Sequence[Suppression], selection: Selection
) -> bool:
    """Whether somebody asked for a fixed error to be left out, or to be less than an error."""
    return (
        found.name in selection.ignore
        or selection.severity.get(found.name, found.severity) is not found.severity
        or _is_suppressed(found, suppressions)
    )


def _is_suppressed(found: Diagnostic, suppressions: Sequence[Suppression]) -> bool:
    return any(_covers(one, found) for one in suppressions)


def _covers(suppression: Suppression, found: Diagnostic) -> bool:
    if suppression.name != found.name or found.primary is None:
        return False
    region, place = suppression.region, found.primary.span
    begin, end = (region.line, region.column), (region.end_line, region.end_column)
    return region.source is place.source and begin <= (place.line, place.column) < end


def _noted(found: Diagnostic) -> Diagnostic:
    return replace(found, notes=(*found.notes, _FIXED))
