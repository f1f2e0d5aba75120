"""What the mappings of our own files may hold, as tables.

A table is read twice: `Table.checked` holds a document against it, and `Table.schema` writes it as
JSON Schema, by which editors complete and explain the keys. So the two cannot disagree.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from eventgen.spec.nearest import did_you_mean
from eventgen.spec.shape import kind
from eventgen.spec.tree import Node

if TYPE_CHECKING:
    from eventgen.spec.shape import Reading


class Kind(Protocol):
    """What the value of a key is."""

    def checked(self, reading: Reading, holder: Node, key: str) -> Node | None:
        """The value of a key that is there, without what is wrong in it; None when nothing is left.

        What is wrong is reported.
        """
        ...

    def schema(self) -> dict[str, Any]:
        """The same as JSON Schema, draft 07."""
        ...


@dataclass(frozen=True, slots=True)
class Words:
    """Text."""

    def checked(self, reading: Reading, holder: Node, key: str) -> Node | None:
        """As `Kind.checked`."""
        text = reading.text(holder, key)
        return Node(text, holder.value[key].span, words=text) if text else None

    def schema(self) -> dict[str, Any]:
        """As `Kind.schema`."""
        return {"type": "string"}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]

    def checked(self, reading: Reading, holder: Node, key: str) -> Node | None:
        """As `Kind.checked`."""
        found = Words().checked(reading, holder, key)
        if found is None or found.words in self.words:
            return found
        reading.error(
            "unknown-choice",
            f"`{key}` is one of {', '.join(f'`{known}`' for known in self.words)},"
            f" not `{found.words}`",
            found.span,
            help=did_you_mean(found.words, self.words),
        )
        return None

    def schema(self) -> dict[str, Any]:
        """As `Kind.schema`."""
        return {"enum": list(self.words)}


@dataclass(frozen=True, slots=True)
class Number:
    """A number between two others. `unit` is what it counts."""

    low: float = -math.inf
    high: float = math.inf
    whole: bool = False
    unit: str = ""

    def checked(self, reading: Reading, holder: Node, key: str) -> Node | None:
        """As `Kind.checked`."""
        found: Node = holder.value[key]
        value = found.value
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            remedy = f"write the number of {self.unit}" if self.unit else None
            text = f"`{key}` is a number, and this is {kind(value)}"
            reading.error("wrong-kind", text, found.span, help=remedy)
        elif not self.low <= value <= self.high:
            reading.error("out-of-range", f"`{key}` is {self._bounds()}", found.span)
        elif self.whole and value != int(value):
            reading.error("out-of-range", f"`{key}` is a whole number", found.span)
        else:
            return found
        return None

    def _bounds(self) -> str:
        if math.isinf(self.high):
            return f"{self.low:g} or more"
        return f"between {self.low:g} and {self.high:g}"

    def schema(self) -> dict[str, Any]:
        """As `Kind.schema`."""
        bounds = {"minimum": self.low, "maximum": self.high}
        finite = {key: value for key, value in bounds.items() if math.isfinite(value)}
        return {"type": "integer" if self.whole else "number", **finite}


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    def checked(self, reading: Reading, holder: Node, key: str) -> Node | None:
        """As `Kind.checked`."""
        found: Node = holder.value[key]
        if isinstance(found.value, bool):
            return found
        text = f"`{key}` is true or false, and this is {kind(found.value)}"
        reading.error("wrong-kind", text, found.span)
        return None

    def schema(self) -> dict[str, Any]:
        """As `Kind.schema`."""
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Values:
    """A list of values, which are looked into elsewhere; `of` is what a schema says of them."""

    least: int = 0
    of: Kind | None = None

    def checked(self, reading: Reading, holder: Node, key: str) -> Node | None:
        """As `Kind.checked`."""
        found: Node = holder.value[key]
        if isinstance(found.value, list) and len(found.value) >= self.least:
            return found
        is_short = isinstance(found.value, list)
        text = f"`{key}` is a list, and this is {'empty' if is_short else kind(found.value)}"
        reading.error("wrong-kind", text, found.span, help=f"write `{key}: [...]`")
        return None

    def schema(self) -> dict[str, Any]:
        """As `Kind.schema`."""
        schema: dict[str, Any] = {"type": "array"}
        if self.least:
            schema["minItems"] = self.least
        if self.of is not None:
            schema["items"] = {"anyOf": [self.of.schema(), {"type": "null"}]}
        return schema


@dataclass(frozen=True, slots=True)
class Texts:
    """A list of texts."""

    def checked(self, reading: Reading, holder: Node, key: str) -> Node | None:
        """As `Kind.checked`."""
        items = reading.items(holder, key)
        for item in items:
            if not isinstance(item.value, str):
                text = f"an item of `{key}` is text, and this is {kind(item.value)}"
                reading.error("wrong-kind", text, item.span)
        kept = [item for item in items if isinstance(item.value, str)]
        return Node(kept, holder.value[key].span)

    def schema(self) -> dict[str, Any]:
        """As `Kind.schema`."""
        return {"type": "array", "items": {"type": "string"}}


@dataclass(frozen=True, slots=True)
class Opaque:
    """A value that this table does not look into: anything, or what a schema of that name says.

    Null is among anything.
    """

    definition: str = ""

    def checked(self, _reading: Reading, holder: Node, key: str) -> Node | None:
        """As `Kind.checked`."""
        found: Node = holder.value[key]
        return found

    def schema(self) -> dict[str, Any]:
        """As `Kind.schema`."""
        return {"$ref": f"#/definitions/{self.definition}"} if self.definition else {}


@dataclass(frozen=True, slots=True)
class Path:
    """A path of property names: `order_id`, `order.id`, or a list when a name has a dot."""

    def checked(self, reading: Reading, holder: Node, key: str) -> Node | None:
        """As `Kind.checked`."""
        found: Node = holder.value[key]
        if not isinstance(found.value, list):
            return Words().checked(reading, holder, key)
        if all(isinstance(part.value, str) and part.value for part in found.value):
            return found
        text = f"`{key}` is the name of a property, or a list of names that lead to one"
        reading.error("wrong-kind", text, found.span, help=f"write `{key}: order_id`")
        return None

    def schema(self) -> dict[str, Any]:
        """As `Kind.schema`."""
        names = {"type": "array", "items": {"type": "string"}, "minItems": 1}
        return {"anyOf": [{"type": "string"}, names]}


@dataclass(frozen=True, slots=True)
class Either:
    """A mapping, or something shorter that stands for it."""

    short: Kind
    long: Kind

    def checked(self, reading: Reading, holder: Node, key: str) -> Node | None:
        """As `Kind.checked`."""
        is_long = isinstance(holder.value[key].value, dict)
        return (self.long if is_long else self.short).checked(reading, holder, key)

    def schema(self) -> dict[str, Any]:
        """As `Kind.schema`."""
        return {"anyOf": [self.short.schema(), self.long.schema()]}


@dataclass(frozen=True, slots=True)
class Entries:
    """A mapping from names of the author's choice. A name may have nothing behind it."""

    of: Kind

    def checked(self, reading: Reading, holder: Node, key: str) -> Node | None:
        """As `Kind.checked`."""
        found = reading.mapping(holder, key)
        if found is None:
            return None
        kept = {}
        for name, value in reading.entries(found):
            entry = value if value.value is None else self.of.checked(reading, found, name)
            if entry is not None:
                kept[name] = entry
        return Node(kept, found.span, found.keys)

    def schema(self) -> dict[str, Any]:
        """As `Kind.schema`."""
        value = {"anyOf": [self.of.schema(), {"type": "null"}]}
        return {"type": ["object", "null"], "additionalProperties": value}


@dataclass(frozen=True, slots=True)
class Field:
    """One key: its value, and what to tell about it in an editor."""

    key: str
    kind: Kind
    says: str
    missing: str = ""  # the help for a document without it, when it has to be there


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping with a few known keys. `{}` in `what` stands for the name it is found under."""

    what: str
    fields: tuple[Field, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys it may have."""
        return tuple(field.key for field in self.fields)

    def checked(self, reading: Reading, holder: Node, key: str) -> Node | None:
        """As `Kind.checked`."""
        found = reading.object(holder.value[key], self.what.format(key))
        return None if found is None else self.of(reading, found, key)

    def of(self, reading: Reading, node: Node, name: str = "") -> Node:
        """A mapping with what is right in it."""
        reading.known(node, self.keys, self.what.format(name))
        return self.picked(reading, node)

    def picked(self, reading: Reading, node: Node) -> Node:
        """The same of a mapping that may have other keys, which are left out."""
        kept = {key: value for key, value in node.value.items() if key.startswith("x-")}
        for field in self.fields:
            found = node.get(field.key)
            if field.missing and (found is None or found.value in (None, "")):
                _missing(reading, node, field)
            elif found is not None and (found.value is not None or field.kind == Opaque()):
                value = field.kind.checked(reading, node, field.key)
                if value is not None:
                    kept[field.key] = value
        return Node(kept, node.span, node.keys)

    def schema(self) -> dict[str, Any]:
        """As `Kind.schema`."""
        required = [field.key for field in self.fields if field.missing]
        return {
            "type": "object",
            **({"required": required} if required else {}),
            "properties": {field.key: _described(field) for field in self.fields},
            "patternProperties": {"^x-": {}},
            "additionalProperties": False,
        }


def _missing(reading: Reading, node: Node, field: Field) -> None:
    is_there = field.key in node.value
    reading.error(
        "missing-key",
        f"`{field.key}` is {'empty' if is_there else 'missing'}",
        node.place(field.key) if is_there else node.span.start,
        help=field.missing,
    )


def _described(field: Field) -> dict[str, Any]:
    """The schema of a field, which is looked up elsewhere when it is shared."""
    schema = field.kind.schema()
    if "$ref" in schema:
        schema = {"allOf": [schema]}
    return {"description": field.says, **schema}
