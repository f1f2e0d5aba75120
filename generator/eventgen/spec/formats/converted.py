"""What a schema in another language becomes: JSON Schemas, as everything after works with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eventgen.model import Avro, Protobuf
    from eventgen.spec.tree import Node

_PREFIX = "#/$defs/"


@dataclass(frozen=True, slots=True)
class Asked:
    """A payload to be converted: its schema, what its message is called, and its settings."""

    schema: Node
    names: tuple[str, ...]
    settings: Node | None


@dataclass(frozen=True, slots=True)
class NamedType:
    """A type that becomes a class. `texts` are what it may be called, best first."""

    texts: tuple[str, ...]
    document: Any


@dataclass(frozen=True, slots=True)
class Converted:
    """A payload as JSON Schema (2020-12), and how it is on the wire.

    References are `#/$defs/<key of types>`; the root may be nothing but one.
    """

    root: Any
    types: Mapping[str, NamedType]
    wire: Avro | Protobuf
    node: Node

    def closure(self, schema: Any) -> dict[str, Any]:
        """The documents of the types that a schema refers to, and of those that they do."""
        found: dict[str, Any] = {}
        waiting = [schema]
        while waiting:
            one = waiting.pop()
            if isinstance(one, list):
                waiting += one
            elif isinstance(one, dict):
                waiting += one.values()
                name = referred(one)
                if name is not None and name in self.types and name not in found:
                    found[name] = self.types[name].document
                    waiting.append(found[name])
        return found


def reference(name: str) -> dict[str, str]:
    """The reference to a named type."""
    return {"$ref": f"{_PREFIX}{name}"}


def referred(schema: Mapping[str, Any]) -> str | None:
    """The named type that a schema refers to."""
    found = schema.get("$ref")
    return found.removeprefix(_PREFIX) if isinstance(found, str) else None
