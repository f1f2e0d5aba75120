"""Where two JSON Schemas differ: each difference with its places, and what it alone asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from eventgen.compat.structure import SILENT, same
from eventgen.spec.keywords import ANNOTATIONS, KINDS, LISTS, MAPS, SINGLE

_PREFIX = "#/$defs/"
_UNIONS = ("anyOf", "oneOf")
_DEEPEST = 80  # steps into a value; what lies below is judged as a whole
# Keywords that are compared part by part.
_APART = frozenset(
    ("$ref", "properties", "required", "items", "prefixItems", "patternProperties", *_UNIONS)
)
# Keywords that mean something only together with others, and belong to the first of them.
_BELONGS = {"then": "if", "else": "if", "minContains": "contains", "maxContains": "contains"}
# Those that say something about values; others are an author's notes.
_MEANT = (
    frozenset(key for keys, _, _ in KINDS for key in keys)
    | SINGLE
    | LISTS
    | MAPS
    | {"const", "default", "dependentRequired", "enum", "format", "pattern", "type"}
) - SILENT


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in the schemas of a service: the name of one, and the way into it."""

    unit: str
    way: tuple[str, ...] = ()

    def __truediv__(self, part: str) -> Spot:
        return Spot(self.unit, (*self.way, part))

    @property
    def pointer(self) -> str:
        """The way as a JSON Pointer (RFC 6901)."""
        parts = (part.replace("~", "~0").replace("/", "~1") for part in self.way)
        return "".join(f"/{part}" for part in parts)


@dataclass(frozen=True, slots=True)
class At:
    """One side of a comparison: a schema, and where it stands."""

    schema: Any
    spot: Spot


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One step from a value into it. `kind`: property, item, other (of a map) or branch."""

    kind: str
    name: str
    old: Any  # the schemas of the value that the step is taken from
    new: Any


@dataclass(frozen=True, slots=True)
class Ask:
    """What one side says: the value of a keyword, where, and as a schema of its own.

    `mask` asks for this alone, so that a value it refuses is refused for this reason.
    """

    value: Any
    spot: Spot | None  # None where it is said of all properties that are not described
    mask: Any


@dataclass(frozen=True, slots=True)
class Difference:
    """One keyword, property or alternative that differs; None on the side that has it not."""

    keyword: str
    name: str  # of the property, where the keyword lists properties
    route: tuple[Step, ...]
    old: Ask | None
    new: Ask | None
    within: tuple[Any, Any]  # the whole schemas around, old and new

    @property
    def subject(self) -> str:
        """The value that differs, in an author's words: `lines[].sku`; empty for the whole."""
        told = [_TOLD[step.kind](step.name) for step in self.route]
        return "".join(told).lstrip(".")


_TOLD: dict[str, Callable[[str], str]] = {
    "property": lambda name: f".{name}",
    "item": lambda _: "[]",
    "prefix": lambda name: f"[{name}]",
    "other": lambda _: ".*",
    "branch": lambda _: "",
}


def differences(
    old: tuple[str, Mapping[str, Any]], new: tuple[str, Mapping[str, Any]]
) -> tuple[Difference, ...]:
    """Every difference between two schemas, each given by its name among its definitions."""
    walk = _Walk(old[1], new[1])
    left, right = (At({"$ref": f"{_PREFIX}{name}"}, Spot(name)) for name, _ in (old, new))
    return tuple(walk.compare(left, right, ()))


@dataclass(slots=True)
class _View:
    """An object's schema with what it refers to and is combined of, as one."""

    keywords: dict[str, At] = field(default_factory=dict)
    properties: dict[str, At] = field(default_factory=dict)
    required: dict[str, Spot] = field(default_factory=dict)

    def add(self, key: str, value: Any, spot: Spot) -> None:
        if key == "properties":
            for name, one in value.items():
                self.properties.setdefault(name, At(one, spot / name))
        elif key == "required":
            for name in value:
                self.required.setdefault(name, spot)
        elif key not in self.keywords:
            self.keywords[key] = At(value, spot)
        elif self.keywords[key].schema != value and key in _MEANT:
            parts = self.keywords.get("allOf", At((), spot))
            self.keywords["allOf"] = replace(parts, schema=[*parts.schema, {key: value}])

    def get(self, key: str) -> Any:
        found = self.keywords.get(key)
        return None if found is None else found.schema


@dataclass(frozen=True, slots=True)
class _Walk:
    old: Mapping[str, Any]
    new: Mapping[str, Any]
    seen: set[tuple[Spot, Spot]] = field(default_factory=set)

    def compare(self, old: At, new: At, route: tuple[Step, ...]) -> Iterator[Difference]:
        old, new = _resolved(old, self.old), _resolved(new, self.new)
        is_known = (old.spot, new.spot) in self.seen or len(route) > _DEEPEST
        if is_known or self._same(old.schema, new.schema):
            return
        self.seen.add((old.spot, new.spot))
        views = _view(old, self.old), _view(new, self.new)
        here = _Here(old, new, *views, route)
        yield from self._keywords(here)
        yield from self._properties(here)
        yield from self._others(here)
        yield from self._items(here)
        for union in _UNIONS:
            yield from self._alternatives(here, union)

    def _same(self, old: Any, new: Any) -> bool:
        return same(old, new, (self.old, self.new))

    def _keywords(self, here: _Here) -> Iterator[Difference]:
        mine, theirs = here.left.keywords, here.right.keywords
        keys = {_BELONGS.get(key, key): None for key in (*mine, *theirs)}
        for key in keys:
            if key in _APART or key not in _MEANT:
                continue
            together = (key, *(one for one, first in _BELONGS.items() if first == key))
            values = [
                {one: view.keywords[one].schema for one in together if one in view.keywords}
                for view in (here.left, here.right)
            ]
            both_maps = key == "additionalProperties" and all(
                isinstance(one.get(key), dict) for one in values
            )
            if not both_maps and not self._same(*values):
                yield here.difference(key)

    def _properties(self, here: _Here) -> Iterator[Difference]:
        mine, theirs = here.left, here.right
        for name in dict.fromkeys((*mine.properties, *theirs.properties)):
            if name in mine.properties and name in theirs.properties:
                step = here.step("property", name)
                yield from self.compare(mine.properties[name], theirs.properties[name], step)
            else:
                yield here.of_property("properties", name)
        for name in dict.fromkeys((*mine.required, *theirs.required)):
            both = (name in mine.properties) == (name in theirs.properties)
            if both and (name in mine.required) != (name in theirs.required):
                yield here.of_property("required", name)

    def _others(self, here: _Here) -> Iterator[Difference]:
        """Properties that are described all at once."""
        sides = [view.keywords.get("additionalProperties") for view in (here.left, here.right)]
        left, right = sides
        if left and right and isinstance(left.schema, dict) and isinstance(right.schema, dict):
            yield from self.compare(left, right, here.step("other", ""))
        mine, theirs = (view.get("patternProperties") or {} for view in (here.left, here.right))
        shared = mine.keys() & theirs.keys()
        if mine.keys() != theirs.keys() or not all(
            self._same(mine[pattern], theirs[pattern]) for pattern in shared
        ):
            yield here.difference("patternProperties")

    def _items(self, here: _Here) -> Iterator[Difference]:
        left, right = (view.keywords.get("items") for view in (here.left, here.right))
        firsts = [_listed(view.keywords.get("prefixItems")) for view in (here.left, here.right)]
        if left and right and firsts == [[], []]:
            yield from self.compare(left, right, here.step("item", ""))
            return
        for index, (old, new) in enumerate(zip(*firsts, strict=False)):
            yield from self.compare(old, new, here.step("prefix", str(index)))
        if len(firsts[0]) != len(firsts[1]):
            yield here.difference("prefixItems")
        if not self._same(left.schema if left else True, right.schema if right else True):
            yield here.difference("items")

    def _alternatives(self, here: _Here, union: str) -> Iterator[Difference]:
        """Alternatives that have a counterpart are compared; others came or went."""
        mine, theirs = here.left.keywords.get(union), here.right.keywords.get(union)
        if mine is None or theirs is None:
            if mine is not theirs:
                yield here.difference(union)
            return
        old, new = _listed(mine), _listed(theirs)
        for one in tuple(old):
            twin = next((two for two in new if self._same(one.schema, two.schema)), None)
            if twin is not None:
                old.remove(one)
                new.remove(twin)
        for one in tuple(old):
            twin = next((two for two in new if self._kin(one, two)), None)
            if twin is not None:
                old.remove(one)
                new.remove(twin)
                yield from self.compare(one, twin, here.step("branch", ""))
        if old or new:
            yield here.difference(union)

    def _kin(self, old: At, new: At) -> bool:
        """Whether two alternatives are the same one, changed: by their tag, name or kind."""
        tags = [_tags(_view(old, self.old)), _tags(_view(new, self.new))]
        if tags[0] or tags[1]:
            return not tags[0].isdisjoint(tags[1])
        targets = [
            one.schema.get("$ref") if isinstance(one.schema, dict) else None for one in (old, new)
        ]
        if any(targets):
            return targets[0] == targets[1]
        kinds = [_view(old, self.old).get("type"), _view(new, self.new).get("type")]
        return kinds[0] is not None and bool(kinds[0] == kinds[1])


@dataclass(frozen=True, slots=True)
class _Here:
    """Both sides at one place, and the way there."""

    old: At
    new: At
    left: _View
    right: _View
    route: tuple[Step, ...]

    def step(self, kind: str, name: str) -> tuple[Step, ...]:
        return (*self.route, Step(kind, name, self.old.schema, self.new.schema))

    def difference(self, keyword: str) -> Difference:
        old, new = (_ask(view, keyword) for view in (self.left, self.right))
        return Difference(keyword, "", self.route, old, new, (self.old.schema, self.new.schema))

    def of_property(self, keyword: str, name: str) -> Difference:
        old = _ask_property(self.left, keyword, name)
        new = _ask_property(self.right, keyword, name)
        return Difference(keyword, name, self.route, old, new, (self.old.schema, self.new.schema))


def _ask(view: _View, keyword: str) -> Ask | None:
    found = view.keywords.get(keyword)
    if found is None:
        return None
    together = (keyword, *(one for one, first in _BELONGS.items() if first == keyword))
    mask = {key: view.keywords[key].schema for key in together if key in view.keywords}
    if keyword == "additionalProperties":
        mask |= _known(view)
    if keyword == "items" and "prefixItems" in view.keywords:
        mask["prefixItems"] = [True for _ in view.get("prefixItems")]
    return Ask(found.schema, found.spot, mask)


def _ask_property(view: _View, keyword: str, name: str) -> Ask | None:
    """What a side asks of a property that the other side does not know, or does not require.

    Where it is not described, what is said of all others counts.
    """
    needed = {"required": [name]} if name in view.required else {}
    if keyword == "required":
        return Ask(True, view.required[name], needed) if needed else None
    found = view.properties.get(name)
    if found is not None:
        return Ask(found.schema, found.spot, {"properties": {name: found.schema}, **needed})
    others = view.get("additionalProperties")
    patterns = view.get("patternProperties")
    if not isinstance(others, dict) and not patterns:
        return None
    mask = {"additionalProperties": others if isinstance(others, dict) else True, **_known(view)}
    return Ask(None, None, {**mask, **({"patternProperties": patterns} if patterns else {})})


def _known(view: _View) -> dict[str, Any]:
    known: dict[str, Any] = {"properties": dict.fromkeys(view.properties, True)}
    if view.get("patternProperties"):
        known["patternProperties"] = dict.fromkeys(view.get("patternProperties"), True)
    return known


def _resolved(at: At, definitions: Mapping[str, Any]) -> At:
    """What a schema that only refers to another one stands for."""
    seen: set[str] = set()
    while isinstance(at.schema, dict):
        name = str(at.schema.get("$ref", "")).removeprefix(_PREFIX)
        parts = at.schema.get("allOf", ())
        alone = not at.schema.keys() - ANNOTATIONS - {"$ref", "allOf"}
        if name in definitions and name not in seen and alone and not parts:
            seen.add(name)
            at = At(definitions[name], Spot(name))
        elif alone and not name and len(parts) == 1:
            at = At(parts[0], at.spot / "allOf" / "0")
        else:
            break
    return at


def _view(at: At, definitions: Mapping[str, Any]) -> _View:
    view = _View()
    waiting = [at]
    seen: set[str] = set()
    while waiting:
        here = waiting.pop(0)
        if not isinstance(here.schema, dict):
            if here.schema is False:
                view.add("not", {}, here.spot)
            continue
        for key, value in here.schema.items():
            if key == "allOf":
                spot = here.spot / "allOf"
                waiting += [At(one, spot / str(index)) for index, one in enumerate(value)]
            elif key == "$ref":
                name = value.removeprefix(_PREFIX)
                if name in definitions and name not in seen:
                    seen.add(name)
                    waiting.append(At(definitions[name], Spot(name)))
            else:
                view.add(key, value, here.spot / key)
    return view


def _listed(at: At | None) -> list[At]:
    return (
        [] if at is None else [At(one, at.spot / str(index)) for index, one in enumerate(at.schema)]
    )


def _tags(view: _View) -> set[tuple[str, str]]:
    """The properties that have one value only, by which alternatives are told apart."""
    found = set()
    for name, at in view.properties.items():
        match at.schema:
            case {"const": value} | {"enum": [value]}:
                found.add((name, str(value)))
    return found
