"""Makes values that a JSON Schema allows, and breaks them one place at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_DEEPEST = 1
_TEXTS = {
    "email": "name@example.com",
    "uri": "https://example.com",
    "uri-reference": "https://example.com",
    "uri-template": "/a/{b}",
}
_LOCATION = "$message.header#/a"
_OTHERS: tuple[Any, ...] = (None, True, 7, "words", [], ["words"], {}, {"words": 1})


def made(schema: Any, root: dict[str, Any], *, full: bool, choice: int = 0) -> Any:
    """A value with what is required, or with everything. `choice` is which alternative it is."""
    return _made(schema, root, full, choice, 0)


def _made(schema: Any, root: dict[str, Any], full: bool, choice: int, depth: int) -> Any:
    whole = _merged(schema, root, choice)
    if "const" in whole:
        return whole["const"]
    if whole.get("enum"):
        return whole["enum"][choice % len(whole["enum"])]
    types = whole.get("type", "object" if "properties" in whole else "string")
    type_ = types if isinstance(types, str) else types[0]
    if type_ == "object":
        return _object(whole, root, full and depth < _DEEPEST, choice, depth)
    if type_ == "array":
        items = whole.get("items", {})
        return [_made(items, root, full, choice, depth + 1)] if full or "minItems" in whole else []
    if type_ == "string":
        return (
            _LOCATION
            if "message" in whole.get("pattern", "")
            else _TEXTS.get(whole.get("format", ""), "text")
        )
    return {"integer": whole.get("minimum", 1), "number": 1, "boolean": True}.get(type_)


def _object(whole: dict[str, Any], root: Any, full: bool, choice: int, depth: int) -> Any:
    required = whole.get("required", [])
    properties = whole.get("properties", {})
    keys = [key for key in properties if full or key in required]
    value = {
        key: _made(
            properties[key], root, full, choice if depth == 0 and key == "type" else 0, depth + 1
        )
        for key in keys
        if key != "$ref"
    }
    more = whole.get("additionalProperties")
    if full and isinstance(more, dict) and not properties:
        value["key"] = _made(more, root, full, 0, depth + 1)
    return value


def _merged(schema: Any, root: dict[str, Any], choice: int) -> dict[str, Any]:
    """The schema with its references, parts and chosen alternatives in one."""
    if not isinstance(schema, dict):
        return {}
    parts = [schema]
    if "$ref" in schema:
        target: Any = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part.replace("~1", "/")]
        parts.append(_merged(target, root, choice))
    parts += [_merged(part, root, choice) for part in schema.get("allOf", ()) if "if" not in part]
    parts += [_merged(schema[key], root, choice) for key in ("else",) if key in schema]
    for key in ("oneOf", "anyOf"):
        options = [one for one in schema.get(key, ()) if one != {"$ref": "#/definitions/Reference"}]
        if options:
            parts.append(_merged(options[choice % len(options)], root, choice // len(options)))
    whole: dict[str, Any] = {}
    for part in parts:
        for key, value in part.items():
            if key == "properties":
                whole[key] = {**whole.get(key, {}), **value}
            elif key == "required":
                whole[key] = [*whole.get(key, ()), *value]
            else:
                whole.setdefault(key, value)
    return whole


def broken(value: Any) -> Iterator[tuple[str, Any]]:
    """Each way to change one key of a mapping, and what it is called."""
    if not isinstance(value, dict):
        return
    yield "+unknown", {**value, "unknown": 1}
    yield "+x-own", {**value, "x-own": 1}
    for key in value:
        yield f"-{key}", {name: one for name, one in value.items() if name != key}
        for other in _OTHERS:
            yield f"{key}={other!r}", {**value, key: other}
