"""A JSON Schema -> the rows of a table that people read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from eventgen.plan.asserting import target as named
from eventgen.plan.page import Row

_DEEPEST = 6
_REFERENCES = 2  # levels of other types that are shown inside of one
_LIMITS = {
    "const": "always {}", "minimum": "at least {}", "maximum": "at most {}",
    "exclusiveMinimum": "more than {}", "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}", "minLength": "{} characters or more",
    "maxLength": "{} characters or less", "pattern": "matches {}", "minItems": "{} items or more",
    "maxItems": "{} items or less", "minProperties": "{} properties or more",
    "maxProperties": "{} properties or less", "default": "{} when it is absent",
    "contentEncoding": "encoded as {}", "contentMediaType": "holds {}",
}  # fmt: skip
_FLAGS = {
    ("uniqueItems", True): "no item twice",
    ("additionalProperties", False): "no other properties",
    ("deprecated", True): "deprecated",
    ("readOnly", True): "only read",
    ("writeOnly", True): "only written",
}
_INEXACT = ("not", "if", "dependentRequired", "dependentSchemas", "contains", "propertyNames")


@dataclass(frozen=True, slots=True)
class _Place:
    documents: Mapping[str, Any]
    depth: int = 0
    inside: tuple[str, ...] = ()  # the types around, by name

    def below(self, name: str) -> _Place:
        inside = (*self.inside, name) if name else self.inside
        return replace(self, depth=self.depth + 1, inside=inside)


def rows(name: str, documents: Mapping[str, Any]) -> tuple[Row, ...]:
    """The rows of a named schema; a value that is no object has one row."""
    place = _Place(documents, inside=(name,))
    inner = tuple(_children(documents[name], place))
    return inner or (_row("value", documents[name], "", place),)


def anchor(name: str) -> str:
    """Where the page shows a type."""
    return f"type-{name}"


def plain_rows(schema: Any, documents: Mapping[str, Any]) -> tuple[Row, ...]:
    """The rows of a schema that has no name."""
    return tuple(_children(schema, _Place(documents)))


def _resolved(schema: Any, place: _Place) -> tuple[Any, str]:
    """What a schema refers to, with its own words on top, and the name of that."""
    if not isinstance(schema, Mapping) or "$ref" not in schema:
        return schema, ""
    name = named(str(schema["$ref"]))
    target = place.documents.get(name, True)
    own = {key: value for key, value in schema.items() if key != "$ref"}
    return ({**target, **own} if isinstance(target, Mapping) else target), name


def _row(name: str, schema: Any, need: str, place: _Place) -> Row:
    found, target = _resolved(schema, place)
    item, of = _item(found, place)
    told = found if isinstance(found, Mapping) else {}
    limits = (*_limits(told), *(f"each: {one}" for one in _limits(item)))
    words = str(told.get("description") or told.get("title") or "")
    link = target or of
    return Row(
        place.depth, name, need, _kind(schema, place), anchor(link) if link else "", limits, words
    )


def _property(name: str, schema: Any, need: str, place: _Place) -> Iterator[Row]:
    yield _row(name, schema, need, place)
    found, target = _resolved(schema, place)
    item, of = _item(found, place)
    of = target or of
    known = len(place.inside) > _REFERENCES or of in place.inside
    if place.depth < _DEEPEST and not (of and known):
        yield from _children(item or found, place.below(of))


def _children(schema: Any, place: _Place) -> Iterator[Row]:
    found, name = _resolved(schema, place)
    if not isinstance(found, Mapping) or (name and name in place.inside[:-1]):
        return
    required = frozenset(map(str, found.get("required", ())))
    for part in found.get("allOf", ()):
        inner, of = _resolved(part, place)
        if of not in place.inside:
            around = replace(place, inside=(*place.inside, of)) if of else place
            yield from _children(inner, around)
    for key, value in found.get("properties", {}).items():
        yield from _property(key, value, "required" if key in required else "", place)
    for pattern, value in found.get("patternProperties", {}).items():
        yield from _property(f"names like {pattern}", value, "", place)
    if isinstance(found.get("additionalProperties"), Mapping):
        yield from _property("any other name", found["additionalProperties"], "", place)
    for number, value in enumerate(found.get("prefixItems", ())):
        yield from _property(f"item {number + 1}", value, "", place)
    yield from _branches(found, place)


def _branches(found: Mapping[str, Any], place: _Place) -> Iterator[Row]:
    """What a union may be, where its type in words does not say all."""
    for keyword, word in (("oneOf", "exactly one of"), ("anyOf", "one or more of")):
        branches = found.get(keyword, ())
        if any(_is_nested(branch, place) for branch in branches):
            for number, branch in enumerate(branches):
                yield from _property(f"{word} · {number + 1}", branch, "", place)


def _is_nested(schema: Any, place: _Place) -> bool:
    found, _ = _resolved(schema, place)
    keywords = ("properties", "required", "allOf", "oneOf", "anyOf", "items")
    return isinstance(found, Mapping) and any(key in found for key in keywords)


def _item(schema: Any, place: _Place) -> tuple[Mapping[str, Any], str]:
    """What a list holds, and the name of its type; nothing for what is no list."""
    if not isinstance(schema, Mapping) or "items" not in schema:
        return {}, ""
    item, name = _resolved(schema["items"], place)
    return (item if isinstance(item, Mapping) else {}), name


def _kind(schema: Any, place: _Place) -> str:
    """The type in words."""
    found, name = _resolved(schema, place)
    if not isinstance(found, Mapping):
        return "nothing" if found is False else "anything"
    types = found.get("type", ())
    names = [types] if isinstance(types, str) else list(map(str, types))
    if "items" in found and names in ([], ["array"]):
        held = _kind(found["items"], place) if place.depth < _DEEPEST else "more"
        return f"list of {held}"
    if name:
        return name
    if "format" in found:
        return f"{' or '.join(names) or 'anything'} ({found['format']})"
    if not names:
        return _untyped(found, place)
    return " or ".join(names)


def _untyped(found: Mapping[str, Any], place: _Place) -> str:
    branches = found.get("oneOf") or found.get("anyOf")
    if branches and place.depth < _DEEPEST:
        kinds = dict.fromkeys(_kind(one, place.below("")) for one in branches)
        return " or ".join(kinds)
    return "object" if {"properties", "allOf", "required"} & found.keys() else "anything"


def _limits(schema: Mapping[str, Any]) -> Iterator[str]:
    if "enum" in schema:
        yield "one of " + ", ".join(map(_said, schema["enum"]))
    for keyword, phrase in _LIMITS.items():
        if keyword in schema:
            yield phrase.format(_said(schema[keyword]))
    for (keyword, value), phrase in _FLAGS.items():
        if schema.get(keyword) is value:
            yield phrase
    odd = [keyword for keyword in _INEXACT if keyword in schema]
    if odd:
        yield f"more in the schema: {', '.join(odd)}"


def _said(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
