"""Gathers every schema the messages need into one namespace of classes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from eventgen.model import Places, Schema
from eventgen.model.names import SCHEMA, Wish, allot
from eventgen.spec.formats.converted import NamedType, referred
from eventgen.spec.keywords import DATA
from eventgen.spec.normalise import Normaliser
from eventgen.spec.places import of_schema
from eventgen.spec.refs import Target, says_more
from eventgen.spec.tree import Node

if TYPE_CHECKING:
    from eventgen.model import Name
    from eventgen.spec.drafts import DraftMessage
    from eventgen.spec.formats.converted import Converted
    from eventgen.spec.shape import Reading

# Parts of a pointer that say what kind of thing follows, not what it is called.
_STRUCTURE = frozenset(
    (
        "$defs", "additionalProperties", "allOf", "anyOf", "channels", "components",
        "definitions", "headers", "items", "messages", "oneOf", "payload", "prefixItems",
        "properties", "schema", "schemas",
    )
)  # fmt: skip
_NUMBER = re.compile(r"[0-9]+\Z")
_STEM = re.compile(r"(?:\.(?:ya?ml|json|schema|v?[0-9]+))+\Z", re.IGNORECASE)


@dataclass(slots=True, eq=False)
class _Unit:
    """One schema that others refer to, or that is a payload.

    One that was converted from another language has a document from the start, and the node of
    the whole payload.
    """

    node: Node
    modern: bool
    texts: tuple[str, ...] = ()
    document: Any = None
    payload_of: list[DraftMessage] = field(default_factory=list)
    referrers: set[int] = field(default_factory=set)  # ids of other units
    name: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class _Pending:
    """Stands for `#/$defs/<name>` until names are known."""

    unit: _Unit


@dataclass(frozen=True, slots=True)
class Bundled:
    """What a bundle gives: the schemas, and which of them (and which headers) a message has."""

    schemas: tuple[Schema, ...]
    payloads: Mapping[int, str]  # id of a draft message -> name of its schema
    headers: Mapping[int, Any]


def bundle(reading: Reading, messages: Sequence[DraftMessage], names: Sequence[Name]) -> Bundled:
    """Every schema that the messages use. A message's class has the message's name."""
    bundler = _Bundler(reading)
    payloads = {id(message): bundler.payload(message) for message in messages}
    headers = {id(message): bundler.headers(message) for message in messages}
    bundler.convert_all()
    return _named(bundler, messages, names, payloads, headers)


class _Bundler:
    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._units: dict[int | str, _Unit] = {}
        self._waiting: list[_Unit] = []

    @property
    def units(self) -> tuple[_Unit, ...]:
        return tuple(self._units.values())

    def payload(self, message: DraftMessage) -> _Unit | None:
        """The unit of a message's payload; None when there is none or its reference is broken."""
        if message.converted is not None:
            converted = message.converted
            unit = self._foreign(converted, converted.root)
            unit.payload_of.append(message)
            return unit
        if message.payload is None:
            return None
        payload, modern = message.payload, message.modern
        if modern and payload.reference is not None and says_more(payload):
            target: Target | None = Target(payload, self._reading.files.of(payload), ())
        else:
            target = self._reading.schema(payload, payload, siblings=modern)
        if target is None:
            return None
        unit = self._unit(target, modern=modern)
        unit.payload_of.append(message)
        return unit

    def headers(self, message: DraftMessage) -> Any:
        if message.headers is None:
            return None
        target = self._reading.schema(message.headers)
        if target is None:
            return None
        # A unit of its own that never becomes a class: what it refers to does.
        return self._converted(_Unit(target.node, message.modern))

    def convert_all(self) -> None:
        while self._waiting:
            unit = self._waiting.pop()
            unit.document = self._converted(unit)

    def _foreign(self, converted: Converted, schema: Any) -> _Unit:
        """The unit of a part of a converted payload: one for all parts that say the same."""
        name = referred(schema)
        named = NamedType((), schema) if name is None else converted.types[name]
        key = json.dumps([name, named.document, converted.closure(named.document)], sort_keys=True)
        if key not in self._units:
            unit = _Unit(converted.node, modern=True, texts=named.texts)
            self._units[key] = unit
            unit.document = self._pending(converted, named.document, unit)
        return self._units[key]

    def _pending(self, converted: Converted, schema: Any, unit: _Unit) -> Any:
        """The schema with each reference to a named type made one to the type's unit."""
        if isinstance(schema, list):
            return [self._pending(converted, one, unit) for one in schema]
        if not isinstance(schema, dict):
            return schema
        made: dict[str, Any] = {}
        for key, one in schema.items():
            if key == "properties":
                made[key] = {
                    name: self._pending(converted, part, unit) for name, part in one.items()
                }
            else:
                made[key] = one if key in DATA else self._pending(converted, one, unit)
        if referred(schema) is not None:
            other = self._foreign(converted, schema)
            other.referrers.add(id(unit))
            made["$ref"] = _Pending(other)
        return made

    def _converted(self, unit: _Unit) -> Any:
        modern = unit.modern or _is_modern(unit.node)

        def refer(node: Node) -> _Pending | None:
            target = self._reading.schema(node, unit.node, siblings=modern)
            if target is None:
                return None
            other = self._unit(target, modern=unit.modern)
            other.referrers.add(id(unit))
            return _Pending(other)

        return Normaliser(self._reading, refer, modern=modern).convert(unit.node)

    def _unit(self, target: Target, *, modern: bool) -> _Unit:
        known = self._units.get(id(target.node))
        if known is None:
            known = _Unit(target.node, modern, _texts(target))
            self._units[id(target.node)] = known
            self._waiting.append(known)
        return known


def _is_modern(node: Node) -> bool:
    draft = node.get("$schema")
    return draft is not None and any(one in draft.words for one in ("2019-09", "2020-12"))


def _texts(target: Target) -> tuple[str, ...]:
    """What a schema may be called: the end of the pointer to it, or its file's name."""
    stem = _STEM.sub("", target.document.name.name)
    parts = [part for part in target.way if part not in _STRUCTURE and not _NUMBER.match(part)]
    if not parts:
        return (stem, f"{target.document.name.parent.name} {stem}")
    return (parts[-1], " ".join(parts[-2:]), " ".join((stem, *parts)))


def _named(
    bundler: _Bundler,
    messages: Sequence[DraftMessage],
    names: Sequence[Name],
    payloads: Mapping[int, _Unit | None],
    headers: Mapping[int, Any],
) -> Bundled:
    merged: set[int] = set()
    for message, name in zip(messages, names, strict=True):
        unit = payloads[id(message)]
        if unit is not None and _is_own(unit, message):
            unit.name = name.pascal
            merged.add(id(unit))
    others = [unit for unit in bundler.units if id(unit) not in merged]
    wishes = [Wish((*unit.texts, "schema"), _tie(unit)) for unit in others]
    allotted = allot(wishes, SCHEMA, {name.pascal for name in names})
    for unit, allowed in zip(others, allotted, strict=True):
        unit.name = "" if allowed is None else allowed.pascal
    schemas = [
        _schema(unit.name, unit.document, of_schema(unit.node, unit.node.span))
        for unit in bundler.units
    ]
    for message, name in zip(messages, names, strict=True):
        unit = payloads[id(message)]
        if unit is None:
            anything = {} if message.body.foreign_payload else {"type": "object"}
            schemas.append(Schema(name.pascal, anything, Places(message.span, {})))
        elif id(unit) not in merged or unit.name != name.pascal:
            document = {"allOf": [{"$ref": _Pending(unit)}]}
            schemas.append(_schema(name.pascal, document, Places(message.span, {})))
    return Bundled(
        tuple(sorted(schemas, key=lambda schema: schema.name)),
        {id(message): name.pascal for message, name in zip(messages, names, strict=True)},
        {key: _resolved(document) for key, document in headers.items()},
    )


def _is_own(unit: _Unit, message: DraftMessage) -> bool:
    """Whether a schema is one message's payload and nothing else."""
    return unit.payload_of == [message] and unit.referrers <= {id(unit)}


def _tie(unit: _Unit) -> str:
    return json.dumps(unit.document, sort_keys=True, default=lambda _pending: "reference")


def _schema(name: str, document: Any, places: Places) -> Schema:
    return Schema(name, _resolved(document), places)


def _resolved(document: Any) -> Any:
    """The document with every reference named."""
    if isinstance(document, _Pending):
        return f"#/$defs/{document.unit.name}"
    if isinstance(document, dict):
        return {key: _resolved(value) for key, value in document.items()}
    if isinstance(document, list):
        return [_resolved(value) for value in document]
    return document
