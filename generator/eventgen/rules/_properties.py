"""Looks for a property in a payload schema, through references and combinations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eventgen.model import Message, Service

_PREFIX = "#/$defs/"


@dataclass(frozen=True, slots=True)
class Found:
    """Where a path of property names leads.

    `missing` is the first name that no schema describes, among `known` ones; None when all are.
    `optional` is the first name that an event may leave out or set to null.
    """

    missing: str | None = None
    known: tuple[str, ...] = ()
    optional: str | None = None


def find(service: Service, message: Message) -> Found:
    """Follow a message's key into its payload.

    A payload that describes no property at all is open: it may hold anything.
    """
    schemas = {schema.name: schema.document for schema in service.schemas}
    here = [schemas[message.schema]]
    optional: str | None = None
    for name in message.key:
        parts = [part for schema in here for part in _parts(schema, schemas)]
        known = sorted({key for part in parts for key in part.get("properties", {})})
        if name not in known:
            return Found(name, tuple(known)) if known else Found()
        here = [part["properties"][name] for part in parts if name in part.get("properties", {})]
        is_required = any(name in part.get("required", ()) for part in parts)
        if optional is None and not (is_required and not any(map(_is_nullable, here))):
            optional = name
    return Found(optional=optional)


def _parts(schema: Any, schemas: dict[str, Any]) -> Iterator[dict[str, Any]]:
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
