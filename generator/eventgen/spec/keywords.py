"""The keywords of JSON Schema: what their values are, and what authors write by mistake."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

SINGLE = frozenset(
    (
        "additionalProperties", "contains", "contentSchema", "else", "if", "not",
        "propertyNames", "then", "unevaluatedItems", "unevaluatedProperties",
    )
)  # fmt: skip
LISTS = frozenset(("allOf", "anyOf", "oneOf", "prefixItems"))
MAPS = frozenset(("patternProperties", "dependentSchemas"))
# Values that are data; null may be among them.
DATA = frozenset(("const", "default", "enum", "example", "examples"))
ANNOTATIONS = frozenset(
    (
        "$comment", "default", "deprecated", "description", "example", "examples",
        "externalDocs", "nullable", "readOnly", "title", "writeOnly", "xml",
    )
)  # fmt: skip
# Identifiers, which would change what references mean; definitions, which are read where they are
# referred to; and keywords by which a schema could name Python code.
DROPPED = frozenset(
    (
        "$anchor", "$defs", "$dynamicAnchor", "$dynamicRef", "$id", "$recursiveAnchor",
        "$schema", "$vocabulary", "customBasePath", "customTypePath", "definitions",
        "x-eventgen",
    )
)  # fmt: skip
# What a value of each type is called in a sentence.
KINDS_OF_TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "nothing",
    "number": "a number",
    "object": "a mapping",
    "string": "text",
}
TYPES = tuple(KINDS_OF_TYPES)
MEANT = {
    "bool": "boolean",
    "date": "string` with `format: date",
    "date-time": "string` with `format: date-time",
    "datetime": "string` with `format: date-time",
    "decimal": "number",
    "dict": "object",
    "double": "number",
    "enum": "string` with `enum: [...]",
    "float": "number",
    "int": "integer",
    "list": "array",
    "long": "integer",
    "map": "object",
    "str": "string",
    "text": "string",
    "timestamp": "string` with `format: date-time",
    "uuid": "string` with `format: uuid",
}
FORMATS = frozenset(
    (
        "binary", "byte", "date", "date-time", "decimal", "double", "duration", "email",
        "float", "hostname", "idn-email", "idn-hostname", "int16", "int32", "int64", "int8",
        "ipv4", "ipv6", "iri", "iri-reference", "json-pointer", "password", "regex",
        "relative-json-pointer", "time", "uint16", "uint32", "uint64", "uint8", "uri",
        "uri-reference", "uri-template", "uuid",
    )
)  # fmt: skip


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return _is_number(value) and value >= 0 and value == int(value)


# What the value of a keyword is. `exclusive...` is true or false in draft 04.
KINDS: tuple[tuple[frozenset[str], str, Callable[[Any], bool]], ...] = (
    (frozenset(("maximum", "minimum")), "a number", _is_number),
    (
        frozenset(("exclusiveMaximum", "exclusiveMinimum")),
        "a number",
        lambda value: isinstance(value, (int, float)),
    ),
    (frozenset(("multipleOf",)), "a number above 0", lambda value: _is_number(value) and value > 0),
    (
        frozenset(
            (
                "maxContains", "maxItems", "maxLength", "maxProperties",
                "minContains", "minItems", "minLength", "minProperties",
            )
        ),
        "a whole number, 0 or more",
        _is_count,
    ),
    (frozenset(("uniqueItems",)), "true or false", lambda value: isinstance(value, bool)),
    (
        frozenset(("contentEncoding", "contentMediaType", "description", "title")),
        "text",
        lambda value: isinstance(value, str),
    ),
)  # fmt: skip


_HOLDERS = MAPS | {"properties"}


def subschemas(document: Any) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """A schema and all the schemas inside it, each with the way to it; not those it refers to."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), document)]
    while waiting:
        way, here = waiting.pop()
        if not isinstance(here, dict):
            continue
        yield way, here
        waiting += [((*way, key), here[key]) for key in (SINGLE | {"items"}) & here.keys()]
        for key in _HOLDERS & here.keys():
            waiting += [((*way, key, name), inner) for name, inner in here[key].items()]
        for key in LISTS & here.keys():
            waiting += [((*way, key, str(index)), one) for index, one in enumerate(here[key])]


def property_at(way: Sequence[str]) -> str:
    """The property that the schema at the end of this way is of: `total.amount`; empty for none."""
    parts = iter(way)
    return ".".join(next(parts) for part in parts if part in _HOLDERS)
