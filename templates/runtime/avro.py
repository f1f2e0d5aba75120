"""Avro on the wire: plain binary, read with the schema it was written with (Avro 1.12).

Which schema that is, the message says: by its fingerprint (single-object encoding), or by the
version of its event. What is read becomes what this service's own schema makes of it. Between the
bytes and the models stands plain data as JSON has it: bytes in base64, decimals and times as text.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from .avro_values import DEFAULTS, INTO, OUT, PARTS, Convert, Leaf, Schema
from .errors import ConfigurationError

try:
    import fastavro
    from fastavro.schema import fingerprint, to_parsing_canonical_form
except ImportError as error:
    raise ConfigurationError(
        "events in Avro need fastavro: add `fastavro>=1.12,<2` to the dependencies in"
        " pyproject.toml, and install them"
    ) from error

_SINGLE_OBJECT = b"\xc3\x01"  # then 8 bytes of fingerprint, then the value


class AvroWire:
    """Encodes and decodes the payloads of one event."""

    def __init__(self, schema: Any, writers: Mapping[str, Any] | None = None) -> None:
        """`schema` is what this service writes; `writers` what other versions of it write."""
        names: dict[str, Any] = {}
        self._own = fastavro.parse_schema(schema, names)
        self._writers = {
            version: fastavro.parse_schema(writer) for version, writer in (writers or {}).items()
        }
        known = (self._own, *self._writers.values())
        self._by_fingerprint = {_fingerprint(one): one for one in known}
        self._into = _Compiler(names, INTO, _into_union).compile(self._own)
        out = _Compiler(names, OUT, _out_of_union)
        self._out, self._with_names = out.compile(self._own), out.needs_names
        raw = _Compiler(names, DEFAULTS, _default_of_union)
        for part in (part for one in names.values() for part in one.get("fields", ())):
            if "default" in part:
                part["default"] = raw.compile(part["type"])(part["default"])

    def encode(self, payload: Any) -> bytes:
        """The bytes of a payload. Raises ValueError when the schema does not allow it."""
        buffer = io.BytesIO()
        try:
            fastavro.schemaless_writer(buffer, self._own, self._into(payload))
        except _ERRORS as error:
            raise ValueError(f"Avro cannot hold this: {_words(error)}") from error
        return buffer.getvalue()

    def decode(self, body: bytes, version: str | None = None) -> Any:
        """The payload in these bytes, which the event's `version` was written with.

        Raises ValueError when they are not what that version writes.
        """
        writer = self._by_fingerprint.get(body[2:10]) if body[:2] == _SINGLE_OBJECT else None
        start = 10 if writer is not None else 0
        if writer is None:
            writer = self._writers.get(version or "", self._own)
        buffer = io.BytesIO(body[start:])
        reader = None if writer is self._own else self._own
        try:
            value = fastavro.schemaless_reader(
                buffer, writer, reader, return_named_type=self._with_names
            )
            rest = len(body) - start - buffer.tell()
            if rest:
                raise ValueError(f"{rest} bytes are left over")
            return self._out(value)
        except _ERRORS as error:
            raise ValueError(f"no Avro that this service can read: {_words(error)}") from error


# Everything that reading or writing what does not fit the schema was seen to raise.
_ERRORS = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    fastavro.read.SchemaResolutionError,
    struct.error,
)


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _fingerprint(schema: Any) -> bytes:
    return bytes.fromhex(fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO"))


# along a schema -----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Compiler:
    """Makes of a schema a function that converts its values, in one of the directions."""

    named: Mapping[str, Any]
    leaves: Mapping[tuple[str, str], Leaf]
    union: Callable[[_Compiler, list[Any]], Convert]
    needs_names: bool = False  # whether values have to say of which type they are
    _done: dict[str, Convert] = field(default_factory=dict)

    def compile(self, schema: Any) -> Convert:
        if isinstance(schema, list):
            return self.union(self, schema)
        if isinstance(schema, str):
            schema = self.named.get(schema, {"type": schema})
        kind = schema["type"]
        leaf = self.leaves.get((kind, schema.get("logicalType", ""))) or self.leaves.get((kind, ""))
        if leaf is not None:
            return leaf(schema)
        if kind in ("record", "error"):
            return self._record(schema)
        if kind == "array":
            return partial(_items, self.compile(schema["items"]))
        if kind == "map":
            return partial(_values, self.compile(schema["values"]))
        return _as_it_is

    def _record(self, schema: Schema) -> Convert:
        name = schema["name"]
        if name not in self._done:
            fields: list[tuple[str, Convert]] = []
            self._done[name] = partial(_fields, fields)  # before its parts: it may contain itself
            fields += [(part["name"], self.compile(part["type"])) for part in schema["fields"]]
        return self._done[name]


def _as_it_is(value: Any) -> Any:
    return value


def _items(convert: Convert, values: list[Any]) -> list[Any]:
    return [convert(value) for value in values]


def _values(convert: Convert, values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: convert(value) for key, value in values.items()}


def _fields(fields: list[tuple[str, Convert]], value: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(value, tuple):  # what another version had in a union says its name
        _, value = value
    # a field that is missing gets its default from the schema
    return {name: convert(value[name]) for name, convert in fields if name in value}


# unions -------------------------------------------------------------------------------------------


def _tag(branch: Any) -> str:
    if isinstance(branch, str):
        return branch
    named = branch["type"] in ("enum", "error", "fixed", "record")
    return str(branch["name" if named else "type"])


def _kind(branch: Any, named: Mapping[str, Any]) -> str | frozenset[str]:
    """What JSON has for the values of a branch. A record is told by the names of its fields."""
    schema = named.get(branch, {"type": branch}) if isinstance(branch, str) else branch
    kind, logical = schema["type"], schema.get("logicalType", "")
    if kind in ("record", "error"):
        return frozenset(part["name"] for part in schema["fields"])
    if logical == "duration":
        return frozenset(PARTS)
    if (kind, logical) in INTO and logical and not logical.endswith("-nanos"):
        return "string"
    return _KINDS.get(kind, "string")


_KINDS = {
    "array": "array",
    "boolean": "boolean",
    "double": "number",
    "float": "number",
    "int": "integer",
    "long": "integer",
    "map": "object",
    "null": "null",
}


def _is_tagged(branches: list[Any], named: Mapping[str, Any]) -> bool:
    """Whether JSON does not tell the branches apart: then a value names its own."""
    kinds = [_kind(one, named) for one in branches]
    same_numbers = [one for one in ("integer", "number") if kinds.count(one) > 1]
    return len({*kinds}) + len(same_numbers) < len(kinds) or (
        "object" in kinds and any(isinstance(kind, frozenset) for kind in kinds)
    )


def _into_union(compiler: _Compiler, branches: list[Any]) -> Convert:
    tags = {_tag(one): compiler.compile(one) for one in branches}
    if _is_tagged(branches, compiler.named):

        def by_tag(value: Any) -> Any:
            if value is None:
                return None
            ((tag, inner),) = value.items()
            return tag, tags[tag](inner)

        return by_tag
    kinds = [(_kind(one, compiler.named), _tag(one)) for one in branches]
    numbers = [tag for kind, tag in kinds if kind == "number"]

    def by_kind(value: Any) -> Any:
        if value is None:
            return None
        for kind, tag in kinds:
            if _is_of(kind, value):
                wide = _wider(tag, value) if kind in ("integer", "number") else tag
                chosen = wide if wide in tags else tag
                return chosen, tags[chosen](value)
        if numbers and isinstance(value, int) and not isinstance(value, bool):
            return numbers[-1], tags[numbers[-1]](float(value))
        raise ValueError(f"{value!r} is none of {', '.join(tags)}")

    return by_kind


def _wider(tag: str, value: float) -> str:
    """Of the numbers of one kind, the one that holds the value as it is."""
    if tag == "int" and abs(value) >= 2**31:
        return "long"
    return "double" if tag == "float" else tag


def _is_of(kind: str | frozenset[str], value: Any) -> bool:
    if isinstance(kind, frozenset):
        return isinstance(value, dict) and kind >= value.keys()
    return isinstance(value, _JSON[kind]) and (kind == "boolean" or not isinstance(value, bool))


_JSON: Mapping[str, type] = {
    "array": list,
    "boolean": bool,
    "integer": int,
    "null": type(None),
    "number": float,
    "object": dict,
    "string": str,
}


def _out_of_union(compiler: _Compiler, branches: list[Any]) -> Convert:
    """What is read is told by its class and its fields; where that is not enough, by its name."""
    converts = {_tag(one): compiler.compile(one) for one in branches}
    tagged = _is_tagged(branches, compiler.named)
    compiler.needs_names |= tagged
    classes: dict[type, str] = {}
    for one in sorted(branches, key=lambda one: _tag(one) in compiler.named):
        classes.setdefault(_class(one, compiler.named), _tag(one))
    records = {_kind(one, compiler.named): _tag(one) for one in branches}

    def out(value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, tuple):
            tag, value = value
        elif isinstance(value, dict) and not tagged:
            tag = records.get(frozenset(value)) or classes[dict]
        else:
            tag = classes[type(value)]
        made = converts[tag](value)
        return {tag: made} if tagged else made

    return out


def _default_of_union(compiler: _Compiler, branches: list[Any]) -> Convert:
    """A default is a value of the first branch; since Avro 1.12 it may be one of any."""
    written = [(_written_as(one, compiler.named), one) for one in branches]

    def pick(value: Any) -> Any:
        branch = next(one for classes, one in written if type(value) in classes)
        return None if value is None else (_tag(branch), compiler.compile(branch)(value))

    return pick


def _class(branch: Any, named: Mapping[str, Any]) -> type:
    schema = named.get(branch, {"type": branch}) if isinstance(branch, str) else branch
    kind, logical = schema["type"], schema.get("logicalType", "")
    return _CLASSES.get((kind, logical)) or _CLASSES.get((kind, ""), dict)


def _written_as(branch: Any, named: Mapping[str, Any]) -> tuple[type, ...]:
    schema = named.get(branch, {"type": branch}) if isinstance(branch, str) else branch
    return _WRITTEN.get(schema["type"], (str,))


_WRITTEN: Mapping[str, tuple[type, ...]] = {
    "array": (list,),
    "boolean": (bool,),
    "double": (int, float),
    "error": (dict,),
    "float": (int, float),
    "int": (int,),
    "long": (int,),
    "map": (dict,),
    "null": (type(None),),
    "record": (dict,),
}
_CLASSES: Mapping[tuple[str, str], type] = {
    ("array", ""): list,
    ("boolean", ""): bool,
    ("bytes", ""): bytes,
    ("bytes", "decimal"): Decimal,
    ("double", ""): float,
    ("enum", ""): str,
    ("fixed", ""): bytes,
    ("fixed", "decimal"): Decimal,
    ("float", ""): float,
    ("int", ""): int,
    ("int", "date"): date,
    ("int", "time-millis"): time,
    ("long", ""): int,
    ("long", "local-timestamp-micros"): datetime,
    ("long", "local-timestamp-millis"): datetime,
    ("long", "time-micros"): time,
    ("long", "timestamp-micros"): datetime,
    ("long", "timestamp-millis"): datetime,
    ("null", ""): type(None),
    ("string", ""): str,
    ("string", "uuid"): UUID,
}
