"""Containment of JSON Schemas by their structure, for what the library does not model.

A "yes" is proven, and nothing else is said: recursive schemas, patterns and conditions that are
the same on both sides, and common keywords that only became looser.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from eventgen.spec.keywords import ANNOTATIONS

_DEEPEST = 60  # levels that a proof goes down
_DEEPEST_SAME = 150  # ... where only words are compared
_MOST = 20_000  # steps of a proof; a longer one is given up
_AT_LEAST = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_AT_MOST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
# Keywords whose meaning depends on others beside them.
_BESIDE = {
    "if": ("then", "else"),
    "contains": ("minContains", "maxContains"),
    "items": ("prefixItems",),
    "additionalProperties": ("properties", "patternProperties"),
}
_UNEVALUATED = frozenset(("unevaluatedItems", "unevaluatedProperties"))
_IDLE = ANNOTATIONS | {"$defs", "then", "else", "minContains", "maxContains", "discriminator"}
SILENT = ANNOTATIONS - {"default"}  # keywords that mean nothing to anybody's code
_Document: TypeAlias = Mapping[str, Any]


def covers(reader: _Document, writer: _Document) -> bool:
    """Whether the reader is seen to allow every value that the writer allows."""
    return _Proof(reader.get("$defs", {}), writer.get("$defs", {})).covers(reader, writer, 0)


def same(left: Any, right: Any, definitions: tuple[_Document, _Document]) -> bool:
    """Whether two schemas say the same, defaults included.

    What they refer to is in `definitions`, left and right.
    """
    return _Proof(*definitions, silent=SILENT).same(left, right, 0)


@dataclass(slots=True)
class _Proof:
    """One proof. What it is in the middle of proving may be assumed further inside."""

    reader: _Document
    writer: _Document
    silent: frozenset[str] = ANNOTATIONS
    assumed: set[tuple[str, str, str]] = field(default_factory=set)
    refuted: set[tuple[str, str, str]] = field(default_factory=set)
    steps: int = 0

    def covers(self, reader: Any, writer: Any, deep: int) -> bool:
        if reader is True or writer is False:
            return True
        if reader is False or deep > _DEEPEST or self.steps > _MOST:
            return False
        writer = {} if writer is True else writer
        targets = self.reader.get(_alone(reader)), self.writer.get(_alone(writer))
        if None not in targets:
            pair = ("covers", _name(reader), _name(writer))
            return self._assuming(pair, lambda: self.covers(*targets, deep + 1))
        if targets[1] is not None:
            return self.covers(reader, targets[1], deep + 1)
        return all(
            self._holds(key, reader, writer, deep + 1)
            for key in reader
            if key not in _IDLE and not key.startswith("x-")
        )

    def _assuming(self, pair: tuple[str, str, str], prove: Callable[[], bool]) -> bool:
        """Whether something about two references is true, if it may be assumed inside of them.

        When it is not, what was proven meanwhile may have relied on it.
        """
        if pair in self.assumed or pair in self.refuted:
            return pair in self.assumed
        before = set(self.assumed)
        self.assumed.add(pair)
        if prove():
            return True
        self.assumed = before
        self.refuted.add(pair)
        return False

    def _holds(self, key: str, reader: _Document, writer: _Document, deep: int) -> bool:
        """Whether every value of the writer is as one keyword of the reader asks for."""
        self.steps += 1
        if deep > _DEEPEST or self.steps > _MOST:
            return False
        if self._is_same(key, reader, writer, deep):
            return True
        rule = _RULES.get(key)
        if rule is not None and rule(self, reader, writer, deep):
            return True
        parts = [self.writer.get(_name(writer)), *writer.get("allOf", ())]
        if any(isinstance(one, dict) and self._holds(key, reader, one, deep + 1) for one in parts):
            return True
        return any(
            all(
                one is False or (isinstance(one, dict) and self._holds(key, reader, one, deep + 1))
                for one in writer[union]
            )
            for union in ("anyOf", "oneOf")
            if writer.get(union)
        )

    def _is_same(self, key: str, reader: _Document, writer: _Document, deep: int) -> bool:
        if key in _UNEVALUATED:
            return self.same(reader, writer, deep)
        if key == "$ref":
            return self._same_target(reader, writer, deep)
        keys = (key, *_BESIDE.get(key, ()))
        return key in writer and all(
            (one in reader) == (one in writer) and self.same(reader.get(one), writer.get(one), deep)
            for one in keys
        )

    def same(self, left: Any, right: Any, deep: int) -> bool:
        """Whether two schemas, or values, say the same in the same words."""
        if deep > _DEEPEST_SAME or type(left) is not type(right):
            return False
        if isinstance(left, list):
            return len(left) == len(right) and all(
                self.same(one, other, deep + 1) for one, other in zip(left, right, strict=True)
            )
        if not isinstance(left, dict):
            return bool(left == right)
        keys = (left.keys() | right.keys()) - self.silent - {"$defs", "$ref"}
        if not all(
            key in left and key in right and self.same(left[key], right[key], deep + 1)
            for key in keys
        ):
            return False
        return self._same_target(left, right, deep)

    def _same_target(self, left: _Document, right: _Document, deep: int) -> bool:
        if "$ref" not in left and "$ref" not in right:
            return True
        names = (_name(left), _name(right))
        if names[0] not in self.reader or names[1] not in self.writer:
            return bool(left.get("$ref") == right.get("$ref"))  # data that looks like a reference
        targets = self.reader[names[0]], self.writer[names[1]]
        return self._assuming(("same", *names), lambda: self.same(*targets, deep + 1))

    def reference(self, reader: _Document, writer: _Document, deep: int) -> bool:
        target = self.reader.get(_name(reader))
        return target is not None and self.covers(target, writer, deep)

    def properties(self, reader: _Document, writer: _Document, deep: int) -> bool:
        return all(
            self.covers(wanted, given, deep)
            for name, wanted in reader["properties"].items()
            for given in _given(writer, name)
        )

    def additional(self, reader: _Document, writer: _Document, deep: int) -> bool:
        """The writer's other properties, the described ones of which the reader may not know."""
        wanted = reader["additionalProperties"]
        known = reader.get("properties", {})
        if reader.get("patternProperties") or writer.get("patternProperties"):
            return False
        named = [one for name, one in writer.get("properties", {}).items() if name not in known]
        rest = (
            []
            if "propertyNames" in writer and _names(writer) is not None
            else [writer.get("additionalProperties", True)]
        )
        return all(self.covers(wanted, one, deep) for one in (*named, *rest))

    def items(self, reader: _Document, writer: _Document, deep: int) -> bool:
        if "prefixItems" in reader or "prefixItems" in writer:
            return False
        return self.covers(reader["items"], writer.get("items", True), deep)

    def all_of(self, reader: _Document, writer: _Document, deep: int) -> bool:
        return all(self.covers(one, writer, deep) for one in reader["allOf"])

    def any_of(self, reader: _Document, writer: _Document, deep: int) -> bool:
        return any(self.covers(one, writer, deep) for one in reader["anyOf"])


def _name(schema: _Document) -> str:
    return str(schema.get("$ref", "")).removeprefix("#/$defs/")


def _alone(schema: _Document) -> str:
    """The definition that a schema does nothing but refer to; empty when it says more."""
    return "" if schema.keys() - ANNOTATIONS - {"$ref", "$defs"} else _name(schema)


def _names(schema: _Document) -> list[str] | None:
    """The only names that the properties may have, where the schema is closed."""
    match schema.get("propertyNames"):
        case {"enum": list(names)}:
            return names
    return None


def _given(writer: _Document, name: str) -> Iterator[Any]:
    """The schema of a property that a writer may write; nothing when it may not write it."""
    names = _names(writer)
    if name in writer.get("properties", {}):
        yield writer["properties"][name]
    elif names is None or name in names:
        matching = [
            one
            for pattern, one in writer.get("patternProperties", {}).items()
            if _finds(pattern, name)
        ]
        yield matching[0] if matching else writer.get("additionalProperties", True)


def _finds(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern, name) is not None
    except re.error:
        return False


def _types(reader: _Document, writer: _Document) -> bool:
    wanted = _listed(reader["type"])
    if "integer" not in wanted and "number" in wanted:
        wanted = [*wanted, "integer"]
    return "type" in writer and all(one in wanted for one in _listed(writer["type"]))


def _listed(types: Any) -> list[str]:
    return [types] if isinstance(types, str) else list(types)


def _members(reader: _Document, writer: _Document) -> bool:
    wanted = reader["enum"] if "enum" in reader else [reader["const"]]
    if "const" not in writer and "enum" not in writer:
        return False
    given = writer["enum"] if "enum" in writer else [writer["const"]]
    kept = [(type(one), one) for one in wanted]
    return all((type(one), one) in kept for one in given)


def _bound(key: str, sign: int) -> _Rule:
    def holds(_proof: _Proof, reader: _Document, writer: _Document, _deep: int) -> bool:
        return key in writer and sign * writer[key] >= sign * reader[key]

    return holds


_Rule: TypeAlias = Callable[[_Proof, _Document, _Document, int], bool]
_RULES: dict[str, _Rule] = {
    "$ref": _Proof.reference,
    "additionalProperties": _Proof.additional,
    "allOf": _Proof.all_of,
    "anyOf": _Proof.any_of,
    "const": lambda _, reader, writer, __: _members(reader, writer),
    "enum": lambda _, reader, writer, __: _members(reader, writer),
    "items": _Proof.items,
    "properties": _Proof.properties,
    "required": lambda _, reader, writer, __: (
        set(reader["required"]) <= set(writer.get("required", ()))
    ),
    "type": lambda _, reader, writer, __: _types(reader, writer),
    **{key: _bound(key, 1) for key in _AT_LEAST},
    **{key: _bound(key, -1) for key in _AT_MOST},
}
