"""A payload for every event, for its test, its documentation and the first run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

from eventgen.model import Schema
from eventgen.plan.sample_merge import limit, merged, without
from eventgen.plan.sample_text import text
from eventgen.plan.sample_valid import is_valid

_Document: TypeAlias = Mapping[str, Any]
_DEEP = 4  # levels down to which optional objects are filled in: a sample is to be read
_FEW = 3  # branches of a union that are tried
_MANY = 64  # items an array is given at most, whatever it asks for
_MONEY = ("amount", "balance", "cost", "fee", "price", "rate", "total", "value", "weight")
_BOUNDS = frozenset(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"))
_MOMENT = 1769851800  # 2026-01-31T09:30:00Z, in seconds


class _NoSampleError(Exception):
    """A schema that contains itself, or that nothing matches."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in a payload a value is for."""

    documents: Mapping[str, _Document | bool]
    name: str = ""  # of the property, or the nearest one around
    inside: tuple[str, ...] = ()  # the schemas around, by name: they must not come again
    depth: int = 0
    number: int = 0  # of the item in its array


def sample(schema: Schema, schemas: Mapping[str, Schema], given: tuple[Any, ...]) -> Any:
    """A payload that the schema allows, always the same one.

    It is the first of the `given` ones, the document's own examples, that is right. Otherwise it is
    made up: with all properties, except where a schema comes back to itself, or that deep inside
    that nobody would read it. A schema that nothing matches gets an empty object.
    """
    documents = {name: known.document for name, known in schemas.items()}
    right = [value for value in given if is_valid(value, schema.document, documents)]
    if right:
        return right[0]
    try:
        return _value(schema.document, _Place(documents, inside=(schema.name,)))
    except (_NoSampleError, RecursionError):
        return {}


def _value(schema: Any, place: _Place) -> Any:
    """A value for one place. Raises _NoSampleError when there is none."""
    last: Any = _NoSampleError
    for variant, around in _variants(schema, place):
        try:
            value = _plain(variant, around)
        except _NoSampleError:
            continue
        for candidate in (value, _told_apart(value, schema, place)):
            if is_valid(candidate, schema, place.documents):
                return candidate
        last = value if last is _NoSampleError else last
    if last is _NoSampleError:
        raise _NoSampleError
    return last  # as near as we come


def _told_apart(value: Any, schema: Any, place: _Place) -> Any:
    """An object that all but one branch of a `oneOf` refuse, where several would take it.

    Of `oneOf: [{properties: {a: ...}}, {properties: {b: ...}}]`, both take `{a: 1}`: a `b` that is
    none is needed too. Their author meant `anyOf`, and validators do not know.
    """
    branches = schema.get("oneOf", ()) if isinstance(schema, Mapping) else ()
    taking = [one for one in branches if is_valid(value, one, place.documents)]
    if not isinstance(value, dict) or len(taking) < 2:
        return value
    made = dict(value)
    for branch in taking[1:]:
        for variant, _ in _variants(branch, place):
            described = variant.get("properties", {})
            wrong = {
                name: odd
                for name in described.keys() - made.keys()
                for odd in (None, 0, "")
                if not is_valid(odd, described[name], place.documents)
            }
            made |= dict(sorted(wrong.items())[:1])
    return made


def _variants(schema: Any, place: _Place) -> Iterator[tuple[_Document, _Place]]:
    """The schema without references and unions, once for each of the first branches of a union."""
    if schema is False:
        return
    if not isinstance(schema, Mapping):
        yield {}, place
        return
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        if name not in place.inside and name in place.documents:
            around = _Place(
                place.documents, place.name, (*place.inside, name), place.depth, place.number
            )
            siblings = without(schema, "$ref")
            yield from _variants(merged(place.documents[name], siblings), around)
        return
    for key in ("allOf", "oneOf", "anyOf"):
        if schema.get(key):
            yield from _of_parts(schema, key, place)
            return
    if "if" in schema:
        rest = without(schema, "if", "then", "else")
        yield from _variants(merged(merged(rest, schema["if"]), schema.get("then", True)), place)
        yield from _variants(merged(rest, schema.get("else", True)), place)
        return
    yield schema, place


def _of_parts(schema: _Document, key: str, place: _Place) -> Iterator[tuple[_Document, _Place]]:
    rest = without(schema, key)
    if key == "allOf":
        yield from _all_of(rest, list(schema[key]), place)
        return
    branches = sorted(schema[key], key=_is_null)
    for branch in branches[: max(_FEW, 1)]:
        others = {name for other in branches if other is not branch for name in _needed(other)}
        alone = _left_out(rest, others - _needed(branch)) if key == "oneOf" else rest
        for variant, around in _variants(branch, place):
            yield from _variants(merged(alone, variant), around)
        if key == "oneOf" and alone is not rest:
            for variant, around in _variants(branch, place):
                yield from _variants(merged(rest, variant), around)


def _all_of(rest: _Document, parts: list[Any], place: _Place) -> Iterator[tuple[_Document, _Place]]:
    if not parts:
        yield from _variants(rest, place)
        return
    for variant, around in _variants(parts[0], place):
        yield from _all_of(merged(rest, variant), parts[1:], around)


def _is_null(schema: Any) -> bool:
    return isinstance(schema, Mapping) and schema.get("type") == "null"


def _needed(schema: Any) -> set[str]:
    """The properties a branch asks for beyond those it describes: `{required: [a]}`."""
    if not isinstance(schema, Mapping):
        return set()
    return set(schema.get("required", ())) - set(schema.get("properties", ()))


def _left_out(schema: _Document, names: set[str]) -> _Document:
    """The schema without optional properties of these names."""
    dropped = (names - set(schema.get("required", ()))) & set(schema.get("properties", ()))
    if not dropped:
        return schema
    kept = {name: value for name, value in schema["properties"].items() if name not in dropped}
    return {**schema, "properties": kept}


def _plain(schema: _Document, place: _Place) -> Any:
    """A value for a schema without references and unions."""
    if "const" in schema:
        return schema["const"]
    for candidate in _offered(schema, place.number):
        if is_valid(candidate, schema, place.documents):
            # `9000000.00` is a whole number to JSON Schema, but not to everybody who reads JSON.
            whole = isinstance(candidate, float) and _type(schema) == "integer"
            return int(candidate) if whole else candidate
    match _type(schema):
        case "object":
            value: Any = _object(schema, place)
        case "array":
            value = _array(schema, place)
        case "integer" | "number" as kind:
            value = _number(schema, place, whole=kind == "integer")
        case "boolean":
            value = place.number % 2 == 0
        case "null":
            value = None
        case _ if schema.get("format") == "decimal" and schema.keys() & _BOUNDS:
            value = str(_number(schema, place, whole=False))
        case _:
            value = text(schema, place.name, place.number)
    return value


def _offered(schema: _Document, number: int) -> list[Any]:
    """What the author wrote down: members of an enum, examples, a default; null comes last."""
    members = list(schema.get("enum", ()))
    turned = members[number % len(members) :] + members if members else []
    examples = schema.get("examples")
    shown = [*(examples if isinstance(examples, list) else ()), schema.get("example")]
    usual = schema.get("default")
    empty = usual in ("", 0, [], {}) and usual is not False  # which shows nobody anything
    offered = [*([] if number else shown), None if empty else usual, *turned]
    return [value for value in offered if value is not None] + [v for v in members if v is None]


def _type(schema: _Document) -> str | None:
    named = schema.get("type")
    if isinstance(named, list):
        named = next((kind for kind in named if kind != "null"), "null")
    if named is not None:
        return str(named)
    if schema.keys() & {"properties", "required", "additionalProperties", "patternProperties"}:
        return "object"
    if schema.keys() & {"items", "prefixItems", "minItems"}:
        return "array"
    if schema.keys() & _BOUNDS:
        return "number"
    return None


def _object(schema: _Document, place: _Place) -> dict[str, Any]:
    needed = [name for name in schema.get("required", ()) if isinstance(name, str)]
    described = schema.get("properties", {})
    made: dict[str, Any] = {}
    choices: set[Any] = set()  # of which one member was filled in
    for name, inner in described.items():
        choice = inner.get("x-oneof") if isinstance(inner, Mapping) else None
        if inner is False or choice in choices or (name not in needed and place.depth >= _DEEP):
            continue
        if choice is not None:
            choices.add(choice)
        try:
            value = _value(inner, _below(place, name))
        except _NoSampleError:
            if name in needed:
                raise
            continue
        if name in needed or is_valid(value, inner, place.documents):
            made[name] = value
    for name in needed:
        if name not in made:
            made[name] = _value(_extra(schema, name), _below(place, name))
    least = int(limit(schema, "minProperties", 0))
    if not described or len(made) < least:
        made |= _extras(schema, place, max(least - len(made), 1))
    return made


def _extra(schema: _Document, name: str) -> Any:
    """What a property of this name may be that is not described by itself."""
    described = schema.get("properties", {})
    return described.get(name, schema.get("additionalProperties", True))


def _extras(schema: _Document, place: _Place, count: int) -> dict[str, Any]:
    """Entries of a map: where the schema says what they are, or how many there must be."""
    inner = schema.get("additionalProperties", True)
    names: Any = schema.get("propertyNames", True)
    for pattern, value in schema.get("patternProperties", {}).items():
        inner, names = value, {"pattern": pattern}
    if inner is False or (not isinstance(inner, Mapping) and "minProperties" not in schema):
        return {}
    made: dict[str, Any] = {}
    for number in range(min(count, _MANY)):
        key = _plain(
            {"type": "string", **(names if isinstance(names, Mapping) else {})},
            _Place(place.documents, "key", number=number),
        )
        try:
            made[str(key)] = _value(inner, _below(place, place.name))
        except _NoSampleError:
            break
    return made


def _array(schema: _Document, place: _Place) -> list[Any]:
    first = list(schema.get("prefixItems", ()))
    least = int(limit(schema, "minItems", 0))
    most = int(limit(schema, "maxItems", _MANY))
    rest = schema.get("items", True)
    wanted = len(first) if first else int(rest is not True)
    count = min(max(wanted, least), most, _MANY)
    made: list[Any] = []
    for number in range(count):
        inner = first[number] if number < len(first) else rest
        try:
            made.append(_value(inner, _below(place, _singular(place.name), number)))
        except _NoSampleError:
            if number < least:
                raise
            break
    return made


def _number(schema: _Document, place: _Place, *, whole: bool) -> int | float:
    """A number within the bounds, exactly: in decimal, as 0.1 times 3 is 0.3 to the author."""
    step = Decimal(str(limit(schema, "multipleOf", 1 if whole else 0.01)))
    if whole and step % 1:
        step *= step.as_integer_ratio()[1]
    low, high = _bounds(schema, step)
    value = _usual_number(place.name, whole=whole) + place.number
    if value > high:
        value = high - place.number * step
    if value < low:
        value = low + place.number * step
    value = math.floor(value / step) * step
    if value < low:
        value += step
    return int(value) if value == int(value) else float(value)


def _bounds(schema: _Document, step: Decimal) -> tuple[Decimal, Decimal]:
    """The lowest and the highest value allowed; infinite where nothing bounds it."""
    lows = (limit(schema, "minimum", -math.inf), limit(schema, "exclusiveMinimum", -math.inf))
    highs = (limit(schema, "maximum", math.inf), limit(schema, "exclusiveMaximum", math.inf))
    low = max(Decimal(str(lows[0])), Decimal(str(lows[1])) + step)
    high = min(Decimal(str(highs[0])), Decimal(str(highs[1])) - step)
    return low, high


def _usual_number(name: str, *, whole: bool) -> Decimal:
    lower = name.lower()
    if lower.endswith(("timestamp", "_at", "time")) or name.endswith("At"):
        return Decimal(_MOMENT)
    if not whole and lower.endswith(_MONEY):
        return Decimal("19.99")
    return Decimal(1) if whole else Decimal("1.5")


def _below(place: _Place, name: str, number: int = 0) -> _Place:
    return _Place(place.documents, name, place.inside, place.depth + 1, number)


def _singular(name: str) -> str:
    return name[:-1] if name.endswith("s") and not name.endswith("ss") else name
