"""Only what describes data, and is well formed, gets as far as the engine."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from eventgen.render.normalise.walk import Document, everywhere

_HALVES = re.compile("[\ud800-\udfff]")
_TYPES = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_schema(value: Any) -> bool:
    return isinstance(value, dict | bool)


def _is_schemas(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_schema, value))


def _is_schema_map(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_schema, value.values()))


def _is_count(value: Any) -> bool:
    return _is_number(value) and value >= 0 and value == int(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_type(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, str) and item in _TYPES for item in value)
    return isinstance(value, str) and value in _TYPES


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_values(value: Any) -> bool:
    return isinstance(value, list) and bool(value)


def _is_discriminator(value: Any) -> bool:
    return isinstance(value, dict) and _is_text(value.get("propertyName"))


def _is_anything(_: Any) -> bool:
    return True


_KNOWN: Mapping[str, Callable[[Any], bool]] = MappingProxyType(
    {
        "$ref": _is_text,
        "additionalProperties": _is_schema,
        "allOf": _is_schemas,
        "anyOf": _is_schemas,
        "const": _is_anything,
        "contentEncoding": _is_text,
        "default": _is_anything,
        "deprecated": _is_anything,
        "description": _is_text,
        "discriminator": _is_discriminator,
        "enum": _is_values,
        "exclusiveMaximum": _is_number,
        "exclusiveMinimum": _is_number,
        "format": _is_text,
        "items": _is_schema,
        "maxItems": _is_count,
        "maxLength": _is_count,
        "maxProperties": _is_count,
        "maximum": _is_number,
        "minItems": _is_count,
        "minLength": _is_count,
        "minProperties": _is_count,
        "minimum": _is_number,
        "multipleOf": lambda value: _is_number(value) and value > 0,
        "nullable": _is_anything,
        "oneOf": _is_schemas,
        "pattern": _is_text,
        "patternProperties": _is_schema_map,
        "prefixItems": _is_schemas,
        "properties": _is_schema_map,
        "propertyNames": _is_schema,
        "required": _is_names,
        "type": _is_type,
    }
)


@everywhere
def known_keywords(schema: Document) -> Document:
    """Drops every keyword that is not on the list, or whose value is not what it should be.

    `customTypePath: os.system` and `x-python-type: subprocess.Popen[str]` make the engine import
    what they name: with a list of what is allowed, neither they nor the next such key get there.
    What the engine cannot express (`not`, `if`, `dependentRequired`, ...) goes the same way, and
    so does what would crash it (`required: true` on a property, `type: timestamp`).
    """
    return {key: value for key, value in schema.items() if key in _KNOWN and _KNOWN[key](value)}


@everywhere
def whole_counts(schema: Document) -> Document:
    """Writes `maxLength: 3.0` as `3`: the engine would print a float where an int is due."""
    counts = [key for key, check in _KNOWN.items() if check is _is_count and key in schema]
    return {**schema, **{key: int(schema[key]) for key in counts}}


def whole_characters(document: Any) -> Any:
    r"""Replaces half a character, like the `"\ud83d"` of a text cut short: no file can hold it."""
    if isinstance(document, str):
        return _HALVES.sub("\N{REPLACEMENT CHARACTER}", document)
    if isinstance(document, list):
        return [whole_characters(item) for item in document]
    if isinstance(document, dict):
        return {whole_characters(key): whole_characters(v) for key, v in document.items()}
    return document
