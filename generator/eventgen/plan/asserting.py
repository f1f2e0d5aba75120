"""The keywords of JSON Schema (2020-12) that decide whether a value is valid."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from eventgen.spec.keywords import LISTS, MAPS, SINGLE

_SINGLES = SINGLE - {"contentSchema"} | {"items"}
_MAPS = MAPS | {"properties"}
OF_TYPES: Mapping[str, frozenset[str]] = {
    "array": frozenset(
        (
            "contains", "items", "maxContains", "maxItems", "minContains", "minItems",
            "prefixItems", "unevaluatedItems", "uniqueItems",
        )
    ),
    "number": frozenset(
        ("exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "multipleOf")
    ),
    "integer": frozenset(
        ("exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "multipleOf")
    ),
    "object": frozenset(
        (
            "additionalProperties", "dependentRequired", "dependentSchemas", "maxProperties",
            "minProperties", "patternProperties", "properties", "propertyNames", "required",
            "unevaluatedProperties",
        )
    ),
    "string": frozenset(("contentEncoding", "format", "maxLength", "minLength", "pattern")),
}  # fmt: skip
KEYWORDS = frozenset().union(
    ("$ref", "allOf", "anyOf", "const", "else", "enum", "if", "not", "oneOf", "then", "type"),
    *OF_TYPES.values(),
)
COMBINING = frozenset(("allOf", "anyOf", "oneOf"))
_STEPS = {
    **dict.fromkeys(("contains", "items", "prefixItems", "unevaluatedItems"), "[]"),
    **dict.fromkeys(("additionalProperties", "patternProperties", "unevaluatedProperties"), ".*"),
}
# Formats that become a type of their own. That a value is spelt as they want is asserted too.
TYPED_FORMATS = frozenset(
    (
        "byte", "date", "date-time", "decimal", "ipv4", "ipv6", "local-time", "local-timestamp",
        "time", "uuid",
    )
)  # fmt: skip
# Formats that are asserted. Others say something to people only.
FORMATS = TYPED_FORMATS | frozenset(
    (
        "duration", "email", "hostname", "idn-email", "idn-hostname", "iri", "iri-reference",
        "json-pointer", "regex", "relative-json-pointer", "uri", "uri-reference", "uri-template",
    )
)  # fmt: skip
# Those of them that are no formats of JSON Schema, as patterns.
_SPELT = {
    "byte": "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
    "decimal": r"^[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,4})?$",
}


@dataclass(frozen=True, slots=True)
class Child:
    """A schema directly inside another.

    `step` leads from a value to the one that it is about; it is empty where that is the same value,
    as in an `allOf`.
    """

    keyword: str
    step: str
    schema: Any


def asserted(schema: Any) -> Any:
    """The schema without what asserts nothing: descriptions, examples, defaults, extensions.

    What becomes a Decimal or bytes has to be one, though to JSON Schema `decimal` is any word and
    `contentEncoding` a remark: a pattern says it. Values that the author listed are right whatever
    their format.
    """
    if not isinstance(schema, dict):
        return schema
    remarks = {"contentEncoding", *(("format",) if {"const", "enum"} & schema.keys() else ())}
    kept = {key: schema[key] for key in schema if key in KEYWORDS - remarks}
    if schema.get("contentEncoding") == "base64" and kinds(schema) == ("string",):
        kept["format"] = "byte"
    spelt = _SPELT.get(kept.get("format", ""))
    if spelt is not None and {"string"} <= {*kinds(schema)} <= {"string", "null"}:
        if "pattern" in kept:
            kept["allOf"] = [*kept.get("allOf", ()), {"pattern": kept["pattern"]}]
        kept["pattern"] = spelt
    return mapped(kept, asserted)


def mapped(schema: dict[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    """The schema with every schema directly inside it replaced by what `change` makes of it."""
    return {key: _mapped(key, value, change) for key, value in schema.items()}


def _mapped(key: str, value: Any, change: Callable[[Any], Any]) -> Any:
    if key in _SINGLES:
        return change(value)
    if key in LISTS:
        return [change(one) for one in value]
    if key in _MAPS:
        return {name: change(one) for name, one in value.items()}
    return value


def children(schema: dict[str, Any]) -> Iterator[Child]:
    """The schemas directly inside a schema.

    What `true` or `false` mean to a keyword of one schema is the keyword's own affair.
    """
    for key, value in schema.items():
        step = _STEPS.get(key, "")
        if key in _SINGLES and isinstance(value, dict):
            yield Child(key, step, value)
        elif key in LISTS:
            yield from (Child(key, step, one) for one in value)
        elif key == "properties":
            yield from (Child(key, f".{name}", one) for name, one in value.items())
        elif key in _MAPS:
            yield from (Child(key, step, one) for one in value.values())


def inside(schema: Any) -> Iterator[Any]:
    """A schema and all the schemas inside it; not those it refers to."""
    yield schema
    if isinstance(schema, dict):
        for child in children(schema):
            yield from inside(child.schema)


def closure(names: Iterable[str], documents: Mapping[str, Any]) -> frozenset[str]:
    """The schemas of these names and all that they refer to, directly or not."""
    seen: set[str] = set()
    waiting = [*names]
    while waiting:
        reached = waiting.pop()
        if reached in seen or reached not in documents:
            continue
        seen.add(reached)
        waiting += [
            target(schema["$ref"])
            for schema in inside(documents[reached])
            if isinstance(schema, dict) and "$ref" in schema
        ]
    return frozenset(seen)


def target(reference: str) -> str:
    """The name a `#/$defs/<name>` reference points at."""
    return reference.removeprefix("#/$defs/").replace("~1", "/").replace("~0", "~")


def kinds(schema: Mapping[str, Any]) -> tuple[str, ...]:
    """The names in `type`: none, one or several."""
    named = schema.get("type", ())
    return (named,) if isinstance(named, str) else tuple(named)
