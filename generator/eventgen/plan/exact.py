"""What a schema says and the Python types made of it do not: where, and by which keyword.

An event whose schema says such a thing is held to the schema itself on the wire, beside its model.
What is not known to be expressed exactly counts as not expressed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any, TypeAlias

from eventgen.plan import asserting
from eventgen.plan.asserting import kinds, target

Documents: TypeAlias = Mapping[str, Any]  # name of the schema -> the schema

_OF_NUMBERS = frozenset(
    ("exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "multipleOf")
)
_OF_TYPES: Mapping[str, frozenset[str]] = {
    "array": frozenset(("items", "maxItems", "minItems")),
    "boolean": frozenset(),
    "integer": _OF_NUMBERS,
    "null": frozenset(),
    "number": _OF_NUMBERS - {"multipleOf"},
    "object": frozenset(("additionalProperties", "properties", "required")),
    "string": frozenset(("maxLength", "minLength", "pattern")),
}
_PLAIN_OBJECT = frozenset(("properties", "required", "type"))
# Of texts, numbers and lists. The engine gives a field limits, and nothing inside a type.
_LIMITS = _OF_NUMBERS | {"maxItems", "maxLength", "minItems", "minLength", "pattern"}
_LARGEST = 2**53  # beyond it not every whole number is a float
# Patterns that mean the same to every engine: no classes like `\d`, which may be of Unicode or of
# ASCII, no look-around, no sets of sets.
_PLAIN_PATTERN = re.compile(
    r"""(?:
        (?:
            \\[^\w\s] | \[\^?(?:\\[^\w\s]|(?!--)[^\\\[\]&~])+\]
            | \(\?: | \((?!\?) | \) | [^\\\[\](){}*+?]
        )
        (?: [*+?] | \{\d+(?:,\d*)?\} )?+ \??+
    )*+""",
    re.VERBOSE | re.ASCII,
)


def inexact(name: str, documents: Documents) -> bool:
    """Whether the schema of this name, or one it refers to, says what its types do not."""
    return any(
        any(_told(documents[reached], documents, inner=False))
        for reached in sorted(asserting.closure([name], documents))
    )


def _told(schema: Any, documents: Documents, *, inner: bool) -> Iterator[str]:
    yield from reasons(schema, documents, inner=inner)
    if isinstance(schema, dict):
        for child in asserting.children(schema):
            yield from _told(child.schema, documents, inner=is_inner(schema, child, inner=inner))


def reasons(schema: Any, documents: Documents, *, inner: bool) -> tuple[str, ...]:
    """The keywords (or the formats) of one schema that its type does not express.

    `inner`: the value has no field of its own, it stands in a list, a map or a union. What is said
    in the schemas inside this one is told of them.
    """
    if schema is False:
        return ("false",)
    if not isinstance(schema, dict):
        return ()
    said = {key: value for key, value in schema.items() if key in asserting.KEYWORDS}
    shape = next((key for key in _SHAPES if key in said), "untyped")
    found = list(_SHAPES.get(shape, _untyped)(said, documents))
    if inner:
        found += sorted(_LIMITS & _resolved(said, documents).keys())
    return tuple(dict.fromkeys(found))


def is_inner(schema: dict[str, Any], child: asserting.Child, *, inner: bool) -> bool:
    """Whether the value of a schema inside another has no field of its own, see `reasons`."""
    if child.keyword in {"anyOf", "oneOf"}:
        branches = schema[child.keyword]
        several = sum(not (isinstance(one, dict) and kinds(one) == ("null",)) for one in branches)
        return inner or several > 1
    return child.keyword != "properties" and (inner or child.keyword != "allOf")


def _referring(said: dict[str, Any], _documents: Documents) -> Iterator[str]:
    yield from sorted(said.keys() - {"$ref"})


def _constant(said: dict[str, Any], _documents: Documents) -> Iterator[str]:
    if not isinstance(said["const"], str):
        yield "const"
    yield from sorted(said.keys() - {"const", "type"})
    if kinds(said) not in ((), ("string",)):
        yield "type"


def _members(said: dict[str, Any], _documents: Documents) -> Iterator[str]:
    texts = [member for member in said["enum"] if isinstance(member, str)]
    others = [member for member in said["enum"] if not isinstance(member, str)]
    if not texts or others not in ([], [None]) or not {*kinds(said)} <= {"string", "null"}:
        yield "enum"
    yield from sorted(said.keys() - {"enum", "type"})


def _composed(said: dict[str, Any], documents: Documents) -> Iterator[str]:
    """Objects put together are one class, unless they speak of the same property."""
    parts = [{key: value for key, value in said.items() if key != "allOf"}, *said["allOf"]]
    properties = [_properties(part, documents, frozenset()) for part in parts if part]
    if len(properties) == 1 and said.keys() == {"allOf"}:
        return
    known = [found for found in properties if found is not None]
    shared = any(one & other for one, other in combinations(known, 2))
    if len(known) < len(properties) or shared:
        yield "allOf"


def _properties(part: Any, documents: Documents, around: frozenset[str]) -> frozenset[str] | None:
    """The names of the properties of a plain, open object; None when it is anything else."""
    if not isinstance(part, dict):
        return None
    said = {key: value for key, value in part.items() if key in asserting.KEYWORDS}
    if said.keys() == {"$ref"}:
        name = target(said["$ref"])
        if name in around or name not in documents:
            return None
        return _properties(documents[name], documents, around | {name})
    own = frozenset(said.get("properties", ()))
    if not said.keys() <= _PLAIN_OBJECT | {"allOf"} or not own.issuperset(said.get("required", ())):
        return None
    if "allOf" not in said:
        return own if kinds(said) == ("object",) else None
    found = [_properties(inner, documents, around) for inner in said["allOf"]]
    known = [names for names in found if names is not None]
    return own.union(*known) if len(known) == len(found) else None


def _any_of(said: dict[str, Any], _documents: Documents) -> Iterator[str]:
    yield from sorted(said.keys() - {"anyOf"})


def _one_of(said: dict[str, Any], documents: Documents) -> Iterator[str]:
    yield from sorted(said.keys() - {"oneOf"})
    branches = [_resolved(branch, documents) for branch in said["oneOf"]]
    if not all(_apart(one, other) for one, other in combinations(branches, 2)):
        yield "oneOf"


def _resolved(schema: Any, documents: Documents) -> dict[str, Any]:
    seen: set[str] = set()
    while isinstance(schema, dict) and "$ref" in schema:
        name = target(schema["$ref"])
        if name in seen:
            return {}
        seen.add(name)
        schema = documents.get(name)
    return schema if isinstance(schema, dict) else {}


def _apart(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether no value can be of both: of other types, or told apart by a constant."""
    types = [{"number" if kind == "integer" else kind for kind in kinds(s)} for s in (one, other)]
    if all(types) and not types[0] & types[1]:
        return True
    marks, others = _marks(one), _marks(other)
    return any(marks[name] != others[name] for name in marks.keys() & others.keys())


def _marks(schema: dict[str, Any]) -> dict[str, str]:
    """The constant texts that an object must have, by property."""
    found = {}
    for name in schema.get("required", ()) if kinds(schema) == ("object",) else ():
        known = schema.get("properties", {}).get(name)
        members = _constants(known) if isinstance(known, dict) else []
        if len(members) == 1 and isinstance(members[0], str):
            found[name] = members[0]
    return found


def _constants(schema: dict[str, Any]) -> list[Any]:
    return [schema["const"]] if "const" in schema else list(schema.get("enum", ()))


def _typed(said: dict[str, Any], _documents: Documents) -> Iterator[str]:
    types = kinds(said)
    said = {key: value for key, value in said.items() if _concerns(key, types)}
    several = [kind for kind in types if kind != "null"]
    if len(several) != 1:
        yield from sorted(said.keys() - {"type"})
        if {"integer", "number"} <= {*types}:
            yield "type"
        return
    (kind,) = several or ("null",)
    yield from sorted(said.keys() - {"type", "format"} - _OF_TYPES.get(kind, frozenset()))
    yield from _DETAILS.get(kind, lambda _: iter(()))(said)


def _concerns(key: str, types: tuple[str, ...]) -> bool:
    """Whether a keyword means something for a value of these types."""
    owners = [kind for kind, keys in asserting.OF_TYPES.items() if key in keys]
    return not owners or any(kind in types for kind in owners)


def _untyped(said: dict[str, Any], _documents: Documents) -> Iterator[str]:
    yield from sorted(said)


def _text(said: dict[str, Any]) -> Iterator[str]:
    if said.get("format") in asserting.FORMATS:
        yield said["format"]
    if "pattern" in said and not _PLAIN_PATTERN.fullmatch(said["pattern"]):
        yield "pattern"


def _number(said: dict[str, Any]) -> Iterator[str]:
    for key in sorted(_OF_NUMBERS & said.keys()):
        if abs(said[key]) > _LARGEST:
            yield key


def _integer(said: dict[str, Any]) -> Iterator[str]:
    for key in sorted(_OF_NUMBERS & said.keys()):
        if said[key] != int(said[key]):
            yield key


def _array(said: dict[str, Any]) -> Iterator[str]:
    if said.get("items") is False:
        yield "items"


def _object(said: dict[str, Any]) -> Iterator[str]:
    properties = said.get("properties", {})
    if not properties.keys() >= {*said.get("required", ())}:
        yield "required"
    extras = said.get("additionalProperties", True)
    if extras is False and not properties:
        yield "additionalProperties"
    if isinstance(extras, dict) and extras and properties:
        yield "additionalProperties"


_DETAILS = {
    "array": _array,
    "integer": _integer,
    "number": _number,
    "object": _object,
    "string": _text,
}
# What decides what is made of a schema, the first that it has.
_SHAPES = {
    "$ref": _referring,
    "const": _constant,
    "enum": _members,
    "allOf": _composed,
    "oneOf": _one_of,
    "anyOf": _any_of,
    "type": _typed,
}
