"""Changes -> findings: errors for those that break whom must not be broken."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Any

from eventgen.compat.change import Break, Change, Party
from eventgen.diagnostics import Diagnostic, Label, Severity


class Mode(Enum):
    """Whom a change must not break."""

    BACKWARD = "backward"  # the new version reads what was written by the old one
    FORWARD = "forward"  # the old version reads what is written by the new one
    FULL = "full"

    @property
    def parties(self) -> frozenset[Party]:
        """Those who are protected."""
        return _PROTECTED[self]


_PROTECTED = {
    Mode.BACKWARD: frozenset((Party.PRODUCERS,)),
    Mode.FORWARD: frozenset((Party.CONSUMERS,)),
    Mode.FULL: frozenset(Party),
}
_REFUSED = {
    Party.PRODUCERS: "the new version refuses what they write",
    Party.CONSUMERS: "those of the old version refuse what is written now",
}


def findings(changes: Iterable[Change], mode: Mode) -> tuple[Diagnostic, ...]:
    """One finding for each change; one that several events share by a schema is told of once."""
    groups: dict[Any, list[Change]] = defaultdict(list)
    for change in changes:
        places = (change.old, change.new)
        shared = change.event if places == (None, None) else ""
        groups[change.name, *places, change.details.get("pointer"), shared, *_who(change)].append(
            change
        )
    return tuple(_finding(group, mode) for group in groups.values())


def _who(change: Change) -> tuple[Party, ...]:
    return tuple(sorted(change.breaks, key=lambda party: party.value))


def _finding(group: list[Change], mode: Mode) -> Diagnostic:
    change = group[0]
    labels = [
        Label(span, text)
        for span, text in ((change.new, "now"), (change.old, "before"))
        if span is not None
    ]
    protected = mode.parties & change.breaks.keys()
    severity = Severity.WARNING if change.warns else Severity.NOTE
    return Diagnostic(
        change.name,
        Severity.ERROR if protected else severity,
        change.message,
        labels[0] if labels else None,
        tuple(labels[1:]),
        (*_notes(change), *_others(group)),
        change.help,
        details={
            "event": change.event,
            **change.details,
            "breaks": {party.value: _told(one) for party, one in change.breaks.items()},
        },
    )


def _notes(change: Change) -> Iterator[str]:
    for party in Party:
        if party not in change.breaks:
            continue
        one = change.breaks[party]
        if one.examples:
            why = one.reason or _REFUSED[party]
            yield f"breaks {party.value}: {why}, such as {json.dumps(one.examples[0])}"
        elif one.proven:
            yield f"breaks {party.value}: {one.reason}"
        else:
            yield (
                f"may break {party.value}: that every value is allowed as before"
                " could not be proven"
            )


def _others(group: list[Change]) -> Iterator[str]:
    events = list(dict.fromkeys(f"`{one.event}`" for one in group[1:] if one.event))
    if events:
        yield f"the same schema is used by {', '.join(events)}"


def _told(one: Break) -> dict[str, Any]:
    told: dict[str, Any] = {"proven": one.proven}
    if one.examples:
        told["example"] = one.examples[0]
    if one.reason:
        told["reason"] = one.reason
    return told
