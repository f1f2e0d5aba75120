"""Protobuf messages as JSON Schemas: the shape their values have in Python.

Source: the Protobuf language guides for proto3 and for editions. Works on what the compiler made
of the files; imports `google.protobuf`, which comes with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool

from eventgen.spec.formats.converted import NamedType, reference

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

LIBRARY = "google/protobuf/"  # the folder of what comes with every Protobuf
_INTEGER = {"type": "integer"}
_NUMBER = {"type": "number"}
_TEXT = {"type": "string"}
_TRUTH = {"type": "boolean"}
_BYTES = {"type": "string", "contentEncoding": "base64"}
# By FieldDescriptorProto.Type. All others are integers, but for messages and enums.
_SCALARS: Mapping[int, Mapping[str, Any]] = MappingProxyType(
    {1: _NUMBER, 2: _NUMBER, 8: _TRUTH, 9: _TEXT, 12: _BYTES}
)
# The keys of maps, which are text in JSON. All others are integers.
_INTEGER_KEYS = {"pattern": "^(0|-?[1-9][0-9]*)$"}
_KEYS: Mapping[int, Mapping[str, Any]] = MappingProxyType({8: {"enum": ["false", "true"]}, 9: {}})
_WELL_KNOWN: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "google.protobuf.BoolValue": _TRUTH,
        "google.protobuf.BytesValue": _BYTES,
        "google.protobuf.DoubleValue": _NUMBER,
        "google.protobuf.Duration": {"type": "string", "format": "duration"},
        "google.protobuf.FloatValue": _NUMBER,
        "google.protobuf.Int32Value": _INTEGER,
        "google.protobuf.Int64Value": _INTEGER,
        "google.protobuf.ListValue": {"type": "array", "items": {}},
        "google.protobuf.StringValue": _TEXT,
        "google.protobuf.Struct": {"type": "object"},
        "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
        "google.protobuf.UInt32Value": _INTEGER,
        "google.protobuf.UInt64Value": _INTEGER,
        "google.protobuf.Value": {},
    }
)


@dataclass(frozen=True, slots=True)
class Compiled:
    """What the compiler made of a file and its imports. `messages` are the file's own."""

    # A FileDescriptorSet without places in the source, and without what every Protobuf has.
    descriptors: bytes
    messages: tuple[str, ...]  # full names
    roots: tuple[str, ...]  # those of them that no other one refers to


def compiled(descriptors: bytes, file: str) -> Compiled:
    """What is in a serialized FileDescriptorSet, whose main file is named."""
    files = FileDescriptorSet.FromString(descriptors)
    main = next(one for one in files.file if one.name == file)
    messages = [f"{main.package}.{one.name}".lstrip(".") for one in main.message_type]
    referred = {
        part.type_name.lstrip(".")
        for one in main.message_type
        for part in _all_fields(one)
        if part.type_name.lstrip(".") != f"{main.package}.{one.name}".lstrip(".")
    }
    own = FileDescriptorSet(file=[one for one in files.file if not one.name.startswith(LIBRARY)])
    for one in own.file:
        one.ClearField("source_code_info")
    return Compiled(
        own.SerializeToString(deterministic=True),
        tuple(messages),
        tuple(name for name in messages if name not in referred),
    )


def _all_fields(message: DescriptorProto) -> Iterator[Any]:
    yield from message.field
    for inner in message.nested_type:
        yield from _all_fields(inner)


def converted(descriptors: bytes, message: str) -> tuple[Any, Mapping[str, NamedType]]:
    """The JSON Schema of a message, and those of the messages and enums it consists of.

    `descriptors` is a serialized FileDescriptorSet; with the places of the source in it, the
    comments become descriptions.
    """
    files = FileDescriptorSet.FromString(descriptors)
    pool = DescriptorPool()
    words: dict[str, str] = {}
    for one in files.file:
        pool.Add(one)
        words |= _comments(one)
    converter = _Converter(words)
    return converter.message(pool.FindMessageTypeByName(message)), converter.types


@dataclass(slots=True)
class _Converter:
    words: Mapping[str, str]  # comments, by full name
    types: dict[str, NamedType] = field(default_factory=dict)

    def message(self, kind: Descriptor) -> dict[str, Any]:
        """The JSON Schema of a kind of message: for most a reference."""
        if kind.full_name in _WELL_KNOWN:
            return {**_WELL_KNOWN[kind.full_name]}
        if kind.full_name not in self.types:
            self.types[kind.full_name] = NamedType(_texts(kind), {})  # it may contain itself
            document = {
                **self._described(kind.full_name),
                "type": "object",
                "properties": {one.name: self._property(one) for one in kind.fields},
                "required": [one.name for one in kind.fields if one.is_required],
            }
            self.types[kind.full_name] = NamedType(_texts(kind), document)
        return reference(kind.full_name)

    def _property(self, one: FieldDescriptor) -> dict[str, Any]:
        made = {**self._type(one), **self._described(one.full_name)}
        if one.is_repeated:
            return made
        choice = one.containing_oneof
        if choice is not None and len(choice.fields) > 1:
            names = ", ".join(member.name for member in choice.fields)
            notes = (made.get("description", ""), f"At most one of {names} is given.")
            return {**made, "description": "\n\n".join(filter(None, notes)), "x-oneof": choice.name}
        return made if one.has_presence else {**made, "default": _zero(one)}

    def _type(self, one: FieldDescriptor) -> dict[str, Any]:
        kind = one.message_type
        if kind is not None and kind.GetOptions().map_entry:
            names = _KEYS.get(kind.fields_by_name["key"].type, _INTEGER_KEYS)
            return {
                "type": "object",
                **({"propertyNames": {**names}} if names else {}),
                "additionalProperties": self._single(kind.fields_by_name["value"]),
                "default": {},
            }
        single = self._single(one)
        return {"type": "array", "items": single, "default": []} if one.is_repeated else single

    def _single(self, one: FieldDescriptor) -> dict[str, Any]:
        if one.message_type is not None:
            return self.message(one.message_type)
        if one.enum_type is not None:
            return self._enum(one.enum_type)
        return {**_SCALARS.get(one.type, _INTEGER)}

    def _enum(self, kind: EnumDescriptor) -> dict[str, Any]:
        """An enum by the names of its values; an open one also by numbers nobody has named yet."""
        names = {value.number: value.name for value in reversed(kind.values)}
        document = {
            **self._described(kind.full_name),
            "type": "string",
            "enum": [value.name for value in kind.values if names[value.number] == value.name],
        }
        self.types[kind.full_name] = NamedType(_texts(kind), document)
        made = reference(kind.full_name)
        return made if kind.is_closed else {"anyOf": [made, _INTEGER]}

    def _described(self, name: str) -> dict[str, str]:
        return {"description": self.words[name]} if name in self.words else {}


def _texts(kind: Descriptor | EnumDescriptor) -> tuple[str, ...]:
    """What the class of a type may be called: its name, with those of the messages around it."""
    package = kind.file.package
    path = kind.full_name.removeprefix(f"{package}.").split(".")
    parts = package.split(".") if package else []
    return tuple(" ".join((*parts[start:], *path)) for start in range(len(parts), -1, -1))


def _zero(one: FieldDescriptor) -> Any:
    """What a field without presence has when nobody gave it a value."""
    if one.enum_type is not None:
        return one.enum_type.values_by_number[0].name
    return "" if one.type in (9, 12) else one.default_value


def _comments(file: Any) -> dict[str, str]:
    """The comments before messages, fields and enums, by full name."""
    by_path = {
        tuple(one.path): " ".join(one.leading_comments.split())
        for one in file.source_code_info.location
        if one.leading_comments.strip()
    }
    named = _paths(file.package, (), file.message_type, file.enum_type, (4, 5))
    return {name: by_path[path] for path, name in named if path in by_path}


def _paths(
    scope: str,
    path: tuple[int, ...],
    messages: Any,
    enums: Any,
    numbers: tuple[int, int],
) -> Iterator[tuple[tuple[int, ...], str]]:
    """The path of each declaration in its file (SourceCodeInfo.Location), and its full name."""
    kinds: list[tuple[int, int, DescriptorProto | EnumDescriptorProto]] = []
    kinds += [(numbers[0], index, one) for index, one in enumerate(messages)]
    kinds += [(numbers[1], index, one) for index, one in enumerate(enums)]
    for number, index, one in kinds:
        here, name = (*path, number, index), f"{scope}.{one.name}".lstrip(".")
        yield here, name
        if isinstance(one, DescriptorProto):
            for place, part in enumerate(one.field):
                yield (*here, 2, place), f"{name}.{part.name}"
            yield from _paths(name, here, one.nested_type, one.enum_type, (3, 4))
