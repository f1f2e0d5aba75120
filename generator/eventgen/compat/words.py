"""What is said of a difference between two schemas."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eventgen.compat.change import Break, Change, Party
from eventgen.spec.keywords import KINDS_OF_TYPES

if TYPE_CHECKING:
    from eventgen.compat.walk import Ask, Difference, Spot
    from eventgen.diagnostics import Span

_LONGEST = 60  # characters of a value that is quoted
_MOST = 5  # values that are listed
_SIDES = {
    frozenset((Party.PRODUCERS,)): "values-narrowed",
    frozenset((Party.CONSUMERS,)): "values-widened",
}
_UNIONS = {
    "values-narrowed": "does not have all of its alternatives any more",
    "values-widened": "has a new alternative",
    "values-changed": "has other alternatives",
}


@dataclass(frozen=True, slots=True)
class About:
    """What the schemas are of, `order.placed` or its headers, and where their parts stand."""

    subject: str
    event: str
    version: str
    old: Callable[[Spot], Span]
    new: Callable[[Spot], Span]

    def of(self, path: str) -> str:
        """A value in it."""
        return f"`{path}` of {self.subject}" if path else self.subject


def explain(found: Difference, breaks: Mapping[Party, Break], about: About) -> Change:
    """The change that a difference is."""
    name, message = _sentence(found, breaks, about)
    old, new = _stated(found.old), _stated(found.new)
    spot = new or old
    return Change(
        name,
        message,
        None if old is None else about.old(old),
        None if new is None else about.new(new),
        breaks,
        warns=name == "default-changed",
        help=remedy(name, about.event, about.version) if breaks else None,
        event=about.event,
        details={
            "path": _joined(found.subject, found.name),
            "pointer": "" if spot is None else spot.pointer,
            "before": None if found.old is None else found.old.value,
            "after": None if found.new is None else found.new.value,
        },
    )


def remedy(name: str, event: str, version: str) -> str:
    """What to do about a break: undo it, or make it another major version."""
    major = version.partition(".")[0]
    following = f"version {int(major) + 1}.0.0" if major.isdecimal() else "another major version"
    beside = f"publish {following} of `{event}`, and keep version {version} beside it"
    return f"{_UNDO.get(name, 'undo this')}, or {beside}"


_UNDO = {
    "property-required": "make it optional",
    "property-optional": "leave it required",
    "property-removed": "keep it",
    "type-changed": "add a property of another name instead",
    "values-narrowed": "allow what was allowed before",
    "values-widened": "allow no more than before",
}


def _sentence(found: Difference, breaks: Mapping[Party, Break], about: About) -> tuple[str, str]:
    """The name of the finding, and what it says."""
    subject = about.of(found.subject)
    match found.keyword:
        case "properties" | "required":
            return _of_property(found, subject)
        case "default":
            return "default-changed", f"the default of {subject} {_versions(found.old, found.new)}"
    name = _SIDES.get(frozenset(breaks), "values-changed")
    match found.keyword:
        case "type" if found.old is not None and found.new is not None:
            if _are_apart(found.old.value, found.new.value):
                name = "type-changed"
            kinds = [_kinds(one.value) for one in (found.new, found.old)]
            return name, f"{subject} is {kinds[0]}, and was {kinds[1]}"
        case "enum" | "const" if found.old is not None and found.new is not None:
            return name, f"{subject} {_members(found.old.value, found.new.value, found.keyword)}"
        case "anyOf" | "oneOf":
            return name, f"{subject} {_UNIONS[name]}"
    return name, f"`{found.keyword}` of {subject} {_versions(found.old, found.new)}"


def _stated(ask: Ask | None) -> Spot | None:
    return None if ask is None else ask.spot


def _of_property(found: Difference, subject: str) -> tuple[str, str]:
    was = _stated(found.old) is not None
    needed = found.new is not None and "required" in found.new.mask
    if found.keyword == "required":
        if needed:
            return "property-required", f"{subject} requires `{found.name}`, which was optional"
        return "property-optional", f"`{found.name}` of {subject} is optional, and was required"
    if was:
        return "property-removed", f"{subject} has no property `{found.name}` any more"
    if needed:
        return "property-required", f"{subject} requires the new property `{found.name}`"
    return "property-added", f"{subject} has the new property `{found.name}`"


def _versions(old: Ask | None, new: Ask | None) -> str:
    if old is None:
        return f"is new: {shown(new.value)}" if new and _is_short(new.value) else "is new"
    if new is None:
        return "is gone"
    if _is_short(old.value) and _is_short(new.value):
        return f"is {shown(new.value)}, and was {shown(old.value)}"
    return "is not what it was"


def _members(old: Any, new: Any, keyword: str) -> str:
    before, after = ([one] if keyword == "const" else one for one in (old, new))
    gone = [one for one in before if one not in after]
    added = [one for one in after if one not in before]
    parts = [f"may not be {_listed(gone)} any more"] if gone else []
    parts += [f"may also be {_listed(added)}"] if added else []
    return ", and ".join(parts) or "lists its values in another order"


def _listed(values: list[Any]) -> str:
    first = [shown(one) for one in values[:_MOST]]
    more = len(values) - len(first)
    return ", ".join(first) + (f" and {more} more" if more else "")


def _kinds(types: Any) -> str:
    return " or ".join(KINDS_OF_TYPES[one] for one in _types(types))


def _types(types: Any) -> list[str]:
    return [types] if isinstance(types, str) else list(types)


def _are_apart(old: Any, new: Any) -> bool:
    before, after = set(_types(old)), set(_types(new))
    return not before & after and not (before | after) <= {"integer", "number"}


def _is_short(value: Any) -> bool:
    return not isinstance(value, (dict, list)) and len(_text(value)) <= _LONGEST


def shown(value: Any) -> str:
    """A value as it is written, and not too long."""
    text = _text(value)
    return f"`{text}`" if len(text) <= _LONGEST else f"`{text[:_LONGEST]}...`"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _joined(subject: str, name: str) -> str:
    return ".".join(one for one in (subject, name) if one)
