"""Two schemas that both hold, as one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

_GREATEST = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_LEAST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")


def merged(left: Any, right: Any) -> dict[str, Any]:
    """A schema of what both allow, as nearly as one schema can say it. Booleans count too."""
    if not isinstance(left, Mapping) or not isinstance(right, Mapping):
        both = [part for part in (left, right) if isinstance(part, Mapping)]
        return dict(both[0]) if both else {}
    joined = {**left, **right}
    for key in left.keys() & right.keys():
        joined[key] = _both(key, left[key], right[key])
    return joined


def _both(key: str, left: Any, right: Any) -> Any:
    if key in _GREATEST:
        return max(left, right)
    if key in _LEAST:
        return min(left, right)
    join = _JOINS.get(key)
    return join(left, right) if join else right


def _maps(left: Any, right: Any) -> Any:
    shared = {name: _all(left[name], right[name]) for name in left.keys() & right.keys()}
    return {**left, **right, **shared}


def _lists(left: Any, right: Any) -> Any:
    return [*left, *(item for item in right if item not in left)]


def _members(left: Any, right: Any) -> Any:
    return [member for member in left if member in right] or right


def _types(left: Any, right: Any) -> Any:
    one, other = ([kind] if isinstance(kind, str) else list(kind) for kind in (left, right))
    common = [kind for kind in one if kind in other]
    if not common and {"integer", "number"} <= {*one, *other}:
        return "integer"
    return common or right


def _all(left: Any, right: Any) -> Any:
    if left == right or left is True:
        return right
    if right is True:
        return left
    return False if False in (left, right) else {"allOf": [left, right]}


_JOINS: Mapping[str, Callable[[Any, Any], Any]] = MappingProxyType(
    {
        "additionalProperties": _all,
        "allOf": _lists,
        "enum": _members,
        "items": _all,
        "patternProperties": _maps,
        "properties": _maps,
        "required": _lists,
        "type": _types,
    }
)


def limit(schema: Mapping[str, Any], key: str, default: float) -> float:
    """A keyword that should be a number; the default where it is missing, or something else."""
    value = schema.get(key)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else default


def without(schema: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """The schema without some of its keywords."""
    return {key: value for key, value in schema.items() if key not in keys}
