"""Whether a made-up value is allowed: the common keywords, for choosing between candidates.

What authors wrote is checked with a full validator when a specification is read. Here a small one
is enough to see which branch of a union a sample fits, and whether an example can be used.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from eventgen.plan.sample_merge import limit

_DEEPEST = 40
_DATE, _TIME = r"\d{4}-[01]\d-[0-3]\d", r"[0-2]\d:[0-5]\d:[0-6]\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)"
# Formats whose values become something else than text in Python; roughly is enough.
_FORMATS: Mapping[str, str] = MappingProxyType(
    {
        "byte": r"[A-Za-z0-9+/\s]*={0,2}\Z",
        "date": rf"{_DATE}\Z",
        "date-time": rf"{_DATE}[Tt]{_TIME}\Z",
        "decimal": r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?\Z",
        "duration": r"P(?=.)(\d+[YMWD])*(T(\d+(\.\d+)?[HMS])+)?\Z",
        "ipv4": r"\d{1,3}(\.\d{1,3}){3}\Z",
        "time": rf"{_TIME}\Z",
        "uuid": r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z",
    }
)
_TYPES: Mapping[str, tuple[type, ...]] = {
    "array": (list,),
    "boolean": (bool,),
    "null": (type(None),),
    "number": (int, float),
    "object": (dict,),
    "string": (str,),
}


def is_valid(value: Any, schema: Any, documents: Mapping[str, Any], depth: int = 0) -> bool:
    """Whether the schema allows the value; an unknown keyword allows everything."""
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return schema is not False
    return (
        _right_type(value, schema)
        and _right_value(value, schema)
        and _right_size(value, schema)
        and _right_parts(value, schema, documents, depth)
        and _right_combination(value, schema, documents, depth)
    )


def _right_type(value: Any, schema: Mapping[str, Any]) -> bool:
    named = schema.get("type")
    if named is None:
        return True
    return any(_is(value, kind) for kind in ([named] if isinstance(named, str) else named))


def _is(value: Any, kind: str) -> bool:
    if kind == "integer":
        whole = isinstance(value, float) and value.is_integer()
        return (isinstance(value, int) and not isinstance(value, bool)) or whole
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _TYPES.get(kind, (object,)))


def _right_value(value: Any, schema: Mapping[str, Any]) -> bool:
    if "const" in schema and not _same(value, schema["const"]):
        return False
    return "enum" not in schema or any(_same(value, member) for member in schema["enum"])


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


def _right_size(value: Any, schema: Mapping[str, Any]) -> bool:
    if isinstance(value, bool) or value is None:
        return True
    if isinstance(value, int | float):
        return _right_number(value, schema)
    sizes = {str: "Length", list: "Items", dict: "Properties"}
    suffix = next((name for kind, name in sizes.items() if isinstance(value, kind)), "")
    least, most = (limit(schema, f"{side}{suffix}", len(value)) for side in ("min", "max"))
    if not least <= len(value) <= most:
        return False
    if isinstance(value, str):
        return _right_text(value, schema)
    if isinstance(value, list) and schema.get("uniqueItems") is True:
        return len({json.dumps(item, sort_keys=True) for item in value}) == len(value)
    return True


def _right_text(value: str, schema: Mapping[str, Any]) -> bool:
    form = str(schema.get("format"))
    if not _found(schema.get("pattern", ""), value):
        return False
    if re.match(_FORMATS.get(form, ""), value) is None:
        return False
    if form != "decimal":
        return True
    # As the model has it: a text that is a decimal number keeps to the limits of numbers.
    return math.isfinite(float(value)) and _right_number(float(value), schema)


def _right_number(value: float, schema: Mapping[str, Any]) -> bool:
    return (
        limit(schema, "minimum", value) <= value <= limit(schema, "maximum", value)
        and value > limit(schema, "exclusiveMinimum", -math.inf)
        and value < limit(schema, "exclusiveMaximum", math.inf)
        and Decimal(str(value)) % Decimal(str(limit(schema, "multipleOf", value or 1))) == 0
    )


def _found(pattern: str, value: str) -> bool:
    try:
        return re.search(pattern, value) is not None
    except re.error:
        return True


def _right_parts(
    value: Any, schema: Mapping[str, Any], documents: Mapping[str, Any], depth: int
) -> bool:
    if isinstance(value, list):
        first = schema.get("prefixItems", [])
        rest = schema.get("items", True)
        return all(
            is_valid(item, first[i] if i < len(first) else rest, documents, depth + 1)
            for i, item in enumerate(value)
        )
    if not isinstance(value, dict):
        return True
    if any(name not in value for name in schema.get("required", ())):
        return False
    return all(
        is_valid(item, part, documents, depth + 1)
        for name, item in value.items()
        for part in _describing(name, schema)
    )


def _describing(name: str, schema: Mapping[str, Any]) -> list[Any]:
    found = [schema["properties"][name]] if name in schema.get("properties", {}) else []
    patterns = schema.get("patternProperties", {})
    found += [part for pattern, part in patterns.items() if _found(pattern, name)]
    return found or [schema.get("additionalProperties", True)]


def _right_combination(
    value: Any, schema: Mapping[str, Any], documents: Mapping[str, Any], depth: int
) -> bool:
    def holds(part: Any) -> bool:
        return is_valid(value, part, documents, depth + 1)

    if "$ref" in schema and not holds(documents.get(schema["$ref"].removeprefix("#/$defs/"))):
        return False
    if not all(map(holds, schema.get("allOf", ()))) or ("not" in schema and holds(schema["not"])):
        return False
    if "anyOf" in schema and not any(map(holds, schema["anyOf"])):
        return False
    if "oneOf" in schema and sum(map(holds, schema["oneOf"])) != 1:
        return False
    return "if" not in schema or holds(schema.get("then" if holds(schema["if"]) else "else", True))
