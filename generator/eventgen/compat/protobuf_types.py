"""The types of Protobuf: which are read for one another, and how far their numbers go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import FieldDescriptorProto

# By FieldDescriptorProto.Type.
_NAMES = (
    "", "double", "float", "int64", "uint64", "int32", "fixed64", "fixed32", "bool", "string",
    "group", "message", "bytes", "uint32", "enum", "sfixed32", "sfixed64", "sint32", "sint64",
)  # fmt: skip
_LIBRARY = ".google.protobuf."  # messages of which nobody has another version
_TEXT = (0, 1)  # of bytes: all of them are bytes, not all are text
# What is written in the same way, and which numbers there are.
_FAMILIES: dict[str, tuple[str, int, int]] = {
    "bool": ("varint", 0, 1),
    "enum": ("varint", -(2**31), 2**31 - 1),
    "int32": ("varint", -(2**31), 2**31 - 1),
    "uint32": ("varint", 0, 2**32 - 1),
    "int64": ("varint", -(2**63), 2**63 - 1),
    "uint64": ("varint", 0, 2**64 - 1),
    "sint32": ("zigzag", -(2**31), 2**31 - 1),
    "sint64": ("zigzag", -(2**63), 2**63 - 1),
    "fixed32": ("4 bytes", 0, 2**32 - 1),
    "sfixed32": ("4 bytes", -(2**31), 2**31 - 1),
    "fixed64": ("8 bytes", 0, 2**64 - 1),
    "sfixed64": ("8 bytes", -(2**63), 2**63 - 1),
    "string": ("bytes", *_TEXT),
    "bytes": ("bytes", 0, 2),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """Types of one family are written alike. `lowest` and `highest` are the numbers there are."""

    family: str
    lowest: int = 0
    highest: int = 0

    def outside(self, other: Kind) -> Any:
        """A value of this kind that the other one has not; None when it has all of them."""
        if self.highest > other.highest:
            return "/w==" if self.family == "bytes" else self.highest  # a byte that is no text
        return self.lowest if self.lowest < other.lowest else None


def kind_of(one: FieldDescriptorProto) -> Kind:
    """The kind of a field."""
    name = _NAMES[one.type]
    if name in _FAMILIES:
        return Kind(*_FAMILIES[name])
    is_library = one.type_name.startswith(_LIBRARY)
    return Kind(one.type_name if is_library else name)


def type_name(one: FieldDescriptorProto) -> str:
    """The type as an author writes it."""
    return _short(one) if one.type_name else _NAMES[one.type]


def _short(one: FieldDescriptorProto) -> str:
    """Without the package, which may have another name."""
    return one.type_name.rpartition(".")[2]
