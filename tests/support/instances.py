"""Makes values that a JSON Schema allows, and breaks them in one place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

REFERENCE = {"$ref": "#/definitions/Reference"}
_FORMATS = {"email": "name@example.com", "uri": "https://example.com"}
_OTHERS: tuple[Any, ...] = (None, True, 7, "words", [], ["words"], {}, {"words": 1})
_DEEPEST = 1  # below it a value has only what is required


def instance(root: dict[str, Any], schema: Any, *, full: bool, choice: int) -> Any:
    """A value with what is required, or with everything.

    `root` is what references are looked up in, and `choice` says which alternative to take.
    """
    return _Maker(root, full, choice).make(schema, 0)


def broken(value: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Each way to change one key: the key, what is done to it, and the whole after that."""
    yield "unknown", "added", {**value, "unknown": 1}
    yield "x-own", "added", {**value, "x-own": 1}
    for key in value:
        yield key, "left out", {name: one for name, one in value.items() if name != key}
        for other in _OTHERS:
            yield key, repr(other), {**value, key: other}


class _Maker:
    def __init__(self, root: dict[str, Any], full: bool, choice: int) -> None:
        self._root = root
        self._full = full
        self._choice = choice

    def make(self, schema: Any, depth: int) -> Any:
        choice = self._choice if depth == 0 else 0
        whole = self._merged(schema, choice)
        if "const" in whole:
            return whole["const"]
        if whole.get("enum"):
            return whole["enum"][choice % len(whole["enum"])]
        types = whole.get("type", "object" if "properties" in whole else "string")
        type_ = types if isinstance(types, str) else types[0]
        if type_ == "object":
            return self._object(whole, depth)
        if type_ == "array":
            wanted = whole.get("minItems") or (self._full and depth <= _DEEPEST)
            return [self.make(whole.get("items", {}), depth + 1)] if wanted else []
        if type_ == "string":
            location = "$message" in whole.get("pattern", "").replace("\\", "")
            return "$message.header#/a" if location else _FORMATS.get(whole.get("format"), "text")
        return {"integer": whole.get("minimum", 1), "number": 1, "boolean": True}.get(type_)

    def _object(self, whole: dict[str, Any], depth: int) -> dict[str, Any]:
        properties = whole.get("properties", {})
        wanted = properties if self._full and depth < _DEEPEST else whole.get("required", ())
        return {
            key: self.make(properties.get(key, {}), depth + 1)
            for key in wanted
            if key != "$ref" and not key.startswith("x-")
        }

    def _merged(self, schema: Any, choice: int) -> dict[str, Any]:
        """The schema with its references, parts and chosen alternatives in one."""
        if not isinstance(schema, dict):
            return {}
        parts = [schema]
        if "$ref" in schema:
            target: Any = self._root
            for part in schema["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            parts.append(self._merged(target, choice))
        parts += [self._merged(one, choice) for one in schema.get("allOf", ()) if "if" not in one]
        if "else" in schema:
            parts.append(self._merged(schema["else"], choice))
        for key in ("oneOf", "anyOf"):
            options = [one for one in schema.get(key, ()) if one != REFERENCE]
            if options:
                index, choice = choice % len(options), choice // len(options)
                parts.append(self._merged(options[index], choice))
        return _joined(parts)


def _joined(parts: list[dict[str, Any]]) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    for one in parts:
        for key, value in one.items():
            if key == "properties":
                whole[key] = {**whole.get(key, {}), **value}
            elif key == "required":
                whole[key] = [*whole.get(key, ()), *value]
            else:
                whole.setdefault(key, value)
    return whole
