"""Protobuf on the wire. Its messages are made of the descriptors, with nothing to compile.

Between the bytes and the models stands plain data as JSON has it: bytes in base64, moments and
durations as text, an enum by the name of its value or, where this service does not know it, by its
number. A field that is absent is absent. What a newer producer added is kept, in base64 under
`$unknown`, and is sent on with the rest.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from .errors import ConfigurationError
from .protobuf_values import UNKNOWN, WELL_KNOWN, Convert, scalar

try:
    # Modules that come without types.
    _descriptors = import_module("google.protobuf.descriptor_pb2")
    _pool = import_module("google.protobuf.descriptor_pool")
    _factory = import_module("google.protobuf.message_factory")
    _message = import_module("google.protobuf.message")
    _unknown = import_module("google.protobuf.unknown_fields")
except ImportError as error:
    raise ConfigurationError(
        "events in Protobuf need protobuf: add `protobuf>=6.31,<8` to the dependencies in"
        " pyproject.toml, and install them"
    ) from error

_ERRORS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    _message.Error,
)


class ProtobufWire:
    """Encodes and decodes the payloads of one event."""

    def __init__(self, descriptors: bytes, message: str) -> None:
        """`descriptors` is a serialized FileDescriptorSet; `message` a full name in it."""
        pool = _pool.DescriptorPool()
        added: set[str] = set()
        for file in _descriptors.FileDescriptorSet.FromString(descriptors).file:
            _add(pool, file, added)
        self._codec = _Codecs().of(pool.FindMessageTypeByName(message))

    def encode(self, payload: Any) -> bytes:
        """The bytes of a payload. Raises ValueError when the message does not allow it."""
        message = self._codec.new()
        try:
            self._codec.write(message, payload)
            body: bytes = message.SerializeToString(deterministic=True)
        except _ERRORS as error:
            raise ValueError(f"Protobuf cannot hold this: {_words(error)}") from error
        return body

    def decode(self, body: bytes, version: str | None = None) -> Any:  # noqa: ARG002
        """The payload in these bytes, whatever version wrote them: fields go by their numbers.

        Raises ValueError when they are no message of this kind.
        """
        message = self._codec.new()
        try:
            message.ParseFromString(body)
            return self._codec.read(message)
        except _ERRORS as error:
            raise ValueError(f"no Protobuf that this service can read: {_words(error)}") from error


def _add(pool: Any, file: Any, added: set[str]) -> None:
    """Add a file, after those of Protobuf's own library that it imports."""
    for name in file.dependency:
        if name.startswith("google/protobuf/") and name not in added:
            module = import_module(name.removesuffix(".proto").replace("/", ".") + "_pb2")
            library = _descriptors.FileDescriptorProto()
            module.DESCRIPTOR.CopyToProto(library)
            _add(pool, library, added)
    pool.Add(file)
    added.add(file.name)


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__


@dataclass(slots=True)
class _Codec:
    """Copies between messages of one kind and plain data."""

    new: Callable[[], Any]
    choices: tuple[tuple[str, ...], ...]  # fields of which at most one can be given
    writers: dict[str, Callable[[Any, Any], None]] = field(default_factory=dict)
    readers: dict[str, Callable[[Any], Any]] = field(default_factory=dict)
    present: frozenset[str] = frozenset()  # fields that may be absent

    def write(self, message: Any, payload: Mapping[str, Any]) -> None:
        for names in self.choices:
            given = [name for name in names if name in payload]
            if len(given) > 1:
                raise ValueError(f"at most one of {', '.join(names)} can be given")
        for name, value in payload.items():
            if name == UNKNOWN:
                message.MergeFromString(base64.b64decode(value, validate=True))
            elif name in self.writers:
                self.writers[name](message, value)
            else:
                raise ValueError(f"{message.DESCRIPTOR.full_name} has no field {name}")

    def read(self, message: Any) -> dict[str, Any]:
        payload = {
            name: read(message)
            for name, read in self.readers.items()
            if name not in self.present or message.HasField(name)
        }
        if len(_unknown.UnknownFieldSet(message)):
            rest = self.new()
            rest.CopyFrom(message)
            for known, _ in message.ListFields():
                rest.ClearField(known.name)
            payload[UNKNOWN] = base64.b64encode(rest.SerializePartialToString()).decode()
        return payload


@dataclass(slots=True)
class _Codecs:
    """The codec of each kind of message, made when it is first met."""

    _made: dict[str, Any] = field(default_factory=dict)

    def of(self, descriptor: Any) -> Any:
        name = descriptor.full_name
        if name in WELL_KNOWN:
            return WELL_KNOWN[name]
        if name not in self._made:
            codec = _Codec(
                _factory.GetMessageClass(descriptor),
                tuple(
                    tuple(one.name for one in choice.fields)
                    for choice in descriptor.oneofs
                    if len(choice.fields) > 1
                ),
            )
            self._made[name] = codec  # before its fields: it may contain itself
            codec.present = frozenset(one.name for one in descriptor.fields if one.has_presence)
            for one in descriptor.fields:
                codec.writers[one.name], codec.readers[one.name] = self._field(one)
        return self._made[name]

    def _field(self, one: Any) -> tuple[Callable[[Any, Any], None], Callable[[Any], Any]]:
        name = one.name
        if one.message_type is None:
            return _scalars(name, one) if one.is_repeated else _scalar(name, one)
        if one.message_type.GetOptions().map_entry:
            return self._map(name, one.message_type)
        inner = self.of(one.message_type)
        if one.is_repeated:

            def write_all(message: Any, values: list[Any]) -> None:
                items = getattr(message, name)
                for value in values:
                    inner.write(items.add(), value)

            return write_all, lambda message: [inner.read(item) for item in getattr(message, name)]

        def write(message: Any, value: Any) -> None:
            part = getattr(message, name)
            part.SetInParent()
            inner.write(part, value)

        return write, lambda message: inner.read(getattr(message, name))

    def _map(self, name: str, entry: Any) -> tuple[Any, Any]:
        """JSON's keys are text, whatever those of the map are."""
        key_type, value_type = entry.fields_by_name["key"], entry.fields_by_name["value"]
        key = _KEYS.get(key_type.cpp_type, int)
        if value_type.message_type is None:
            into, out = scalar(value_type)

            def write_values(message: Any, values: Mapping[str, Any]) -> None:
                entries = getattr(message, name)
                for text, value in values.items():
                    entries[key(text)] = into(value)

            def read_values(message: Any) -> dict[str, Any]:
                return {_text(one): out(value) for one, value in getattr(message, name).items()}

            return write_values, read_values
        inner = self.of(value_type.message_type)

        def write(message: Any, values: Mapping[str, Any]) -> None:
            entries = getattr(message, name)
            for text, value in values.items():
                inner.write(entries[key(text)], value)

        def read(message: Any) -> dict[str, Any]:
            return {_text(one): inner.read(value) for one, value in getattr(message, name).items()}

        return write, read


def _scalar(name: str, one: Any) -> tuple[Callable[[Any, Any], None], Convert]:
    into, out = scalar(one)
    return (
        lambda message, value: setattr(message, name, into(value)),
        lambda message: out(getattr(message, name)),
    )


def _scalars(name: str, one: Any) -> tuple[Callable[[Any, Any], None], Convert]:
    into, out = scalar(one)
    return (
        lambda message, values: getattr(message, name).extend(map(into, values)),
        lambda message: [out(value) for value in getattr(message, name)],
    )


def _truth(text: str) -> bool:
    return {"true": True, "false": False}[text]


_KEYS: Mapping[int, Convert] = {7: _truth, 9: str}  # CPPTYPE_BOOL, CPPTYPE_STRING


def _text(key: Any) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)
