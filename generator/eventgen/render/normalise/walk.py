"""Applying one small repair to every schema inside a document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeAlias

from eventgen.plan.asserting import kinds, target

__all__ = ["Document", "Documents", "children", "everywhere", "kinds", "rebuilt", "target"]

Document: TypeAlias = dict[str, Any]  # one JSON Schema, as plain data; never changed in place
Documents: TypeAlias = Mapping[str, Any]  # class name -> its schema
Repair: TypeAlias = Callable[[Document], Document]

LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
MAPS = ("properties", "patternProperties")
SINGLES = ("items", "additionalProperties", "propertyNames")


def children(schema: Document) -> list[Any]:
    """The schemas directly inside a schema, booleans included."""
    found: list[Any] = []
    for key in LISTS:
        found += schema.get(key, ())
    for key in MAPS:
        found += schema.get(key, {}).values()
    return found + [schema[key] for key in SINGLES if key in schema]


def rebuilt(schema: Any, repair: Repair) -> Any:
    """A copy in which `repair` was applied to every schema, the innermost first.

    Booleans are schemas too, but there is nothing in them to repair.
    """
    if not isinstance(schema, dict):
        return schema
    copy = dict(schema)
    for key in LISTS:
        if isinstance(copy.get(key), list):
            copy[key] = [rebuilt(item, repair) for item in copy[key]]
    for key in MAPS:
        if isinstance(copy.get(key), dict):
            copy[key] = {name: rebuilt(item, repair) for name, item in copy[key].items()}
    for key in SINGLES:
        if key in copy:
            copy[key] = rebuilt(copy[key], repair)
    return repair(copy)


def everywhere(repair: Repair) -> Callable[[Any], Any]:
    """Turns a repair of one schema into a repair of a document: that schema and all inside it."""

    @wraps(repair)
    def of_document(document: Any) -> Any:
        return rebuilt(document, repair)

    return of_document
