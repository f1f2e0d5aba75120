"""The tolerant policy: writers write what they declare, readers ignore what they do not know.

A closed schema has no properties but those that are described, an open one allows others. So an
optional property may be added or removed, as in Avro and Protobuf, which plain containment of JSON
Schemas would call a break in one direction.

Where a schema stands turned around (`not`, `if`, `contains`) it is left as it is: to open it there
would close what is around it. Where schemas are combined, only the whole is closed. Definitions
therefore come in three forms: closed or open under their name, and with the endings below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from eventgen.spec.keywords import ANNOTATIONS

PREFIX = "#/$defs/"
_PART = "~part"  # what is in it is closed, it is not
_RAW = "~raw"  # as the author wrote it
_TURNED = frozenset(("contains", "if", "not", "propertyNames"))
_PARTS = frozenset(("else", "then"))
_BRANCHES = ("oneOf", "anyOf")
_Change: TypeAlias = Callable[[Any], Any]


def closing(definitions: Mapping[str, Any]) -> Callable[[Any], dict[str, Any]]:
    """What makes of a schema the one of what a writer writes, as a document of its own."""
    closer = _Closer(definitions)
    made: dict[str, Any] = {}
    for name, document in definitions.items():
        made[name] = closer.whole(document, frozenset())
        made[name + _PART] = closer.part(document)
        made[name + _RAW] = _raw(document)
    return lambda root: document_of(closer.whole(root, frozenset()), made)


def opening(definitions: Mapping[str, Any]) -> Callable[[Any], dict[str, Any]]:
    """What makes of a schema the one of what a reader takes, as a document of its own."""
    made: dict[str, Any] = {}
    for name, document in definitions.items():
        made[name] = _open(document)
        made[name + _RAW] = _raw(document)
    return lambda root: document_of(_open(root), made)


def document_of(root: Any, definitions: Mapping[str, Any]) -> dict[str, Any]:
    """A schema with the definitions that it needs."""
    whole = root if isinstance(root, dict) else {"allOf": [root]}
    return {**whole, "$defs": _reachable(whole, definitions)}


def _open(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    made = _mapped(schema, _open, _open)
    for key in ("additionalProperties", "unevaluatedProperties"):
        if made.get(key) is False:
            del made[key]
    if "oneOf" in made and "anyOf" not in made and made["oneOf"] != schema["oneOf"]:
        made["anyOf"] = made.pop("oneOf")  # open alternatives overlap
    return made


def _raw(schema: Any) -> Any:
    """The schema, whose references lead to definitions as their authors wrote them."""
    if isinstance(schema, list):
        return [_raw(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: value + _RAW if key == "$ref" and isinstance(value, str) else _raw(value)
        for key, value in schema.items()
    }


def _mapped(schema: dict[str, Any], whole: _Change, part: _Change) -> dict[str, Any]:
    """A schema in which `whole` was done to values inside of it, and `part` to its own parts."""
    made: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _TURNED:
            made[key] = _raw(value)
        elif key in ("properties", "patternProperties") and isinstance(value, dict):
            made[key] = {name: whole(one) for name, one in value.items()}
        elif key in ("additionalProperties", "items", "unevaluatedItems"):
            made[key] = whole(value)
        elif key == "prefixItems":
            made[key] = [whole(one) for one in value]
        elif key == "dependentSchemas":
            made[key] = {name: part(one) for name, one in value.items()}
        elif key in ("allOf", "anyOf", "oneOf"):
            made[key] = [part(one) for one in value]
        elif key in _PARTS:
            made[key] = part(value)
        elif key not in ANNOTATIONS:
            made[key] = value
    return made


@dataclass(frozen=True, slots=True)
class _Described:
    """The properties of an object that its schema speaks of. An open one may have any others."""

    names: frozenset[str] = frozenset()
    patterns: frozenset[str] = frozenset()
    is_open: bool = False

    def __or__(self, other: _Described) -> _Described:
        return _Described(
            self.names | other.names,
            self.patterns | other.patterns,
            self.is_open or other.is_open,
        )


@dataclass(frozen=True, slots=True)
class _Closer:
    definitions: Mapping[str, Any]

    def whole(self, schema: Any, also: frozenset[str]) -> Any:
        """The schema of a value, closed; `also` are the names that the schema around describes."""
        if not isinstance(schema, dict):
            return schema
        alone = not (schema.keys() - {"$ref"} - ANNOTATIONS)
        if "$ref" in schema and alone and not also:
            return {"$ref": schema["$ref"]}
        made = self.part(schema)
        described = self._described(schema, frozenset())
        if described.is_open or not (described.names or also) or not _may_be_object(schema):
            return made
        branching = [key for key in _BRANCHES if self._branches(schema, key)]
        if len(branching) != 1:
            return _limited(made, described.names | also, described.patterns)
        key = branching[0]
        rest = {name: value for name, value in schema.items() if name != key}
        own = self._described(rest, frozenset()).names | also
        return {**made, key: [self.whole(one, own) for one in schema[key]]}

    def part(self, schema: Any) -> Any:
        """The same with only what is inside of it closed."""
        if not isinstance(schema, dict):
            return schema
        made = _mapped(schema, lambda one: self.whole(one, frozenset()), self.part)
        if isinstance(made.get("$ref"), str):
            made["$ref"] += _PART
        return made

    def _branches(self, schema: Mapping[str, Any], key: str) -> bool:
        return any(self._described(one, frozenset()).names for one in schema.get(key, ()))

    def _described(self, schema: Any, seen: frozenset[str]) -> _Described:
        if not isinstance(schema, dict):
            return _Described()
        others = (schema.get("additionalProperties"), schema.get("unevaluatedProperties"))
        found = _Described(
            frozenset(schema.get("properties", ())),
            frozenset(schema.get("patternProperties", ())),
            any(isinstance(one, dict) for one in others),
        )
        name = str(schema.get("$ref", "")).removeprefix(PREFIX)
        if name in self.definitions and name not in seen:
            found |= self._described(self.definitions[name], seen | {name})
        parts = [one for key in ("allOf", "anyOf", "oneOf") for one in schema.get(key, ())]
        parts += [schema[key] for key in ("if", "then", "else") if key in schema]
        parts += schema.get("dependentSchemas", {}).values()
        for one in parts:
            found |= self._described(one, seen)
        return found


def _may_be_object(schema: Mapping[str, Any]) -> bool:
    types = schema.get("type", "object")
    return "object" in ([types] if isinstance(types, str) else types)


def _limited(
    schema: dict[str, Any], names: frozenset[str], patterns: frozenset[str]
) -> dict[str, Any]:
    allowed: dict[str, Any] = {"enum": sorted(names)}
    if patterns:
        allowed = {"anyOf": [allowed, *({"pattern": one} for one in sorted(patterns))]}
    if "propertyNames" in schema:
        return {"allOf": [schema, {"propertyNames": allowed}]}
    return {**schema, "propertyNames": allowed}


def _reachable(root: Any, definitions: Mapping[str, Any]) -> dict[str, Any]:
    """The definitions that a schema refers to, directly or through others."""
    found: dict[str, Any] = {}
    waiting = [root]
    while waiting:
        here = waiting.pop()
        if isinstance(here, list):
            waiting += here
        elif isinstance(here, dict):
            waiting += here.values()
            name = str(here.get("$ref", "")).removeprefix(PREFIX)
            if name in definitions and name not in found:
                found[name] = definitions[name]
                waiting.append(definitions[name])
    return found
