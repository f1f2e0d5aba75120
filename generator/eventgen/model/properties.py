"""Looks for a property in a schema, through references and combinations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eventgen.model import Service

_PREFIX = "#/$defs/"


@dataclass(frozen=True, slots=True)
class Found:
    """Where a path of property names leads.

    `missing` is the first name that no schema describes, among `known` ones; None when all are.
    `optional` is the first name that an event may leave out or set to null. `schemas` are those of
    the property at the end.
    """

    missing: str | None = None
    known: tuple[str, ...] = ()
    optional: str | None = None
    schemas: tuple[dict[str, Any], ...] = ()


def definitions(service: Service) -> dict[str, Any]:
    """The schemas of a service by name."""
    return {schema.name: schema.document for schema in service.schemas}


def find(root: Any, path: Sequence[str], schemas: Mapping[str, Any]) -> Found:
    """Follow a path of names from a schema. `schemas` are the `definitions` it may refer to.

    A schema that describes no property at all is open: it may hold anything.
    """
    here = [root]
    optional: str | None = None
    for name in path:
        parts = [part for schema in here for part in _parts(schema, schemas)]
        known = sorted({key for part in parts for key in part.get("properties", {})})
        if name not in known:
            return Found(name, tuple(known)) if known else Found()
        here = [part["properties"][name] for part in parts if name in part.get("properties", {})]
        is_required = any(name in part.get("required", ()) for part in parts)
        if optional is None and not (is_required and not any(map(_is_nullable, here))):
            optional = name
    ends = tuple(part for schema in here for part in _parts(schema, schemas))
    return Found(optional=optional, schemas=ends)


def properties(root: Any, schemas: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The properties that a schema describes, each with the schemas it has."""
    found: dict[str, list[Any]] = {}
    for part in _parts(root, schemas):
        for name, schema in part.get("properties", {}).items():
            found.setdefault(name, []).extend(_parts(schema, schemas))
    return found


def _parts(schema: Any, schemas: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A schema and everything it refers to or is combined of."""
    waiting = [schema]
    seen: set[int] = set()
    while waiting:
        part = waiting.pop()
        if not isinstance(part, dict) or id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        target = part.get("$ref")
        if isinstance(target, str) and target.startswith(_PREFIX):
            waiting.append(schemas.get(target.removeprefix(_PREFIX)))
        for keyword in ("allOf", "anyOf", "oneOf"):
            waiting += part.get(keyword, ())


def _is_nullable(schema: Any) -> bool:
    if not isinstance(schema, dict):
        return False
    type_ = schema.get("type")
    if type_ == "null" or (isinstance(type_, list) and "null" in type_):
        return True
    return any(
        _is_nullable(one) for keyword in ("anyOf", "oneOf") for one in schema.get(keyword, ())
    )
