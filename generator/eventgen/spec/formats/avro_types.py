"""The types of Avro: what they are as JSON Schema, and when JSON tells those of a union apart.

Source: the Avro 1.12 specification.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

# A schema that is a mapping, and all those that have a name, by their full names.
Schema: TypeAlias = Mapping[str, Any]
Named: TypeAlias = Mapping[str, Schema]

PRIMITIVES = frozenset(
    ("null", "boolean", "int", "long", "float", "double", "bytes", "string"),
)
NAMED = ("enum", "error", "fixed", "record")
BYTES = {"type": "string", "contentEncoding": "base64"}
_UUID = {"type": "string", "format": "uuid"}
_TIME = {"type": "string", "format": "local-time"}
_MOMENT = {"type": "string", "format": "date-time"}
_LOCAL = {"type": "string", "format": "local-timestamp"}
_DECIMAL = {"type": "string", "format": "decimal"}
_INTEGER = {"type": "integer"}
_DURATION_PARTS = ("months", "days", "milliseconds")
_DURATION = {
    "type": "object",
    "properties": dict.fromkeys(_DURATION_PARTS, _INTEGER),
    "required": [*_DURATION_PARTS],
    "additionalProperties": False,
}
TYPES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "null": {"type": "null"},
        "boolean": {"type": "boolean"},
        "int": _INTEGER,
        "long": _INTEGER,
        "float": {"type": "number"},
        "double": {"type": "number"},
        "bytes": BYTES,
        "string": {"type": "string"},
    }
)
# By the type and the logical type. Nanoseconds stay numbers: Python's moments have microseconds.
LOGICAL: Mapping[tuple[str, str], Mapping[str, Any]] = MappingProxyType(
    {
        ("bytes", "decimal"): _DECIMAL,
        ("fixed", "decimal"): _DECIMAL,
        ("fixed", "duration"): _DURATION,
        ("fixed", "uuid"): _UUID,
        ("int", "date"): {"type": "string", "format": "date"},
        ("int", "time-millis"): _TIME,
        ("long", "local-timestamp-micros"): _LOCAL,
        ("long", "local-timestamp-millis"): _LOCAL,
        ("long", "local-timestamp-nanos"): _INTEGER,
        ("long", "time-micros"): _TIME,
        ("long", "timestamp-micros"): _MOMENT,
        ("long", "timestamp-millis"): _MOMENT,
        ("long", "timestamp-nanos"): _INTEGER,
        ("string", "uuid"): _UUID,
    }
)


def full_name(schema: Schema) -> str:
    """The name and the namespace of a record, an enum or a fixed."""
    space = schema.get("namespace")
    return f"{space}.{schema['name']}" if space else str(schema["name"])


def types_of(schema: Any) -> dict[str, Schema]:
    """Every record, enum and fixed that a schema defines, by its full name."""
    return {full_name(one): one for one in _parts(schema) if one["type"] in NAMED}


_INNER = {"array": "items", "error": "fields", "map": "values", "record": "fields"}


def _parts(schema: Any) -> Iterator[Schema]:
    waiting = [schema]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            yield one
            inner = _INNER.get(one["type"])
            parts = [] if inner is None else one[inner]
            waiting += [part["type"] for part in parts] if inner == "fields" else [parts]


def tag(branch: Any) -> str:
    """What a branch of a union is called in JSON (Avro 1.12, JSON Encoding)."""
    if isinstance(branch, str):
        return branch
    return full_name(branch) if branch["type"] in NAMED else str(branch["type"])


def is_tagged(branches: list[Any], named: Named) -> bool:
    """Whether JSON does not tell the branches of a union apart: `["string", "bytes"]`.

    Then a value names its branch, as in Avro's own JSON: `{"bytes": "AAE="}`. The runtime of a
    service decides in the same way.
    """
    kinds = [_kind(named.get(one, one) if isinstance(one, str) else one) for one in branches]
    same_numbers = [one for one in ("integer", "number") if kinds.count(one) > 1]
    return len({*kinds}) + len(same_numbers) < len(kinds) or (
        "object" in kinds and any(isinstance(kind, frozenset) for kind in kinds)
    )


_KINDS = {
    "array": "array",
    "boolean": "boolean",
    "double": "number",
    "float": "number",
    "int": "integer",
    "long": "integer",
    "map": "object",
    "null": "null",
}


def _kind(branch: Any) -> str | frozenset[str]:
    """What JSON has for the values of a branch. A record is told by the names of its fields."""
    schema: Schema = {"type": branch} if isinstance(branch, str) else branch
    kind, logical = str(schema["type"]), schema.get("logicalType")
    if kind in ("record", "error"):
        return frozenset(part["name"] for part in schema["fields"])
    if logical == "duration":
        return frozenset(_DURATION_PARTS)
    if logical is not None and LOGICAL.get((kind, logical)) != _INTEGER:
        return "string"
    return _KINDS.get(kind, "string")
