"""Two versions of a Protobuf message, by what its bytes mean to code of the other version.

https://protobuf.dev/programming-guides/proto3/#updating. Fields are the same by their number; what
they are called counts for nobody. Works on what the compiler made of the files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from eventgen.compat.change import BOTH, Break, Change, Party
from eventgen.compat.protobuf_types import Kind, kind_of, type_name
from eventgen.compat.words import remedy
from eventgen.model import Protobuf

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import (
        DescriptorProto,
        EnumDescriptorProto,
        FieldDescriptorProto,
    )

    from eventgen.compat.words import About
    from eventgen.model import Foreign

_REQUIRED, _REPEATED = 2, 3  # FieldDescriptorProto.Label
_LOST = "what it says is lost to the other side"
_REUSED = "its number may be given to another field, which would be taken for this one"
_READ_IN_PARTS = "a field of one `oneof` takes the place of another"


@dataclass(frozen=True, slots=True)
class Problem:
    """One difference, and whom it breaks; `path` leads to it by the names of fields."""

    name: str
    text: str
    path: tuple[str, ...]
    breaks: Mapping[Party, Break] = field(default_factory=dict)


def compare(old: Foreign, new: Foreign, about: About) -> Iterator[Change]:
    """What differs, but for names."""
    if not isinstance(old.wire, Protobuf) or not isinstance(new.wire, Protobuf):
        return
    for one in problems(old.wire, new.wire):
        where = f"`{'.'.join(one.path)}` of {about.subject}" if one.path else about.subject
        yield Change(
            one.name,
            f"{where}: {one.text}",
            old.span,
            new.span,
            one.breaks,
            help=_RESERVE if one.name == "number-not-reserved" else _help(one, about),
            event=about.event,
            details={"path": ".".join(one.path)},
        )


_RESERVE = "write `reserved` with the number in the message, so that nobody takes it again"


def _help(one: Problem, about: About) -> str | None:
    return remedy(one.name, about.event, about.version) if one.breaks else None


def problems(old: Protobuf, new: Protobuf) -> tuple[Problem, ...]:
    """Every difference between two messages."""
    comparison = _Comparison(_Types.of(old.descriptors), _Types.of(new.descriptors))
    return tuple(comparison.messages(old.message, new.message, ()))


@dataclass(frozen=True, slots=True)
class _Types:
    """The messages and enums of one version, by full name."""

    messages: Mapping[str, DescriptorProto]
    enums: Mapping[str, EnumDescriptorProto]

    @classmethod
    def of(cls, descriptors: bytes) -> _Types:
        from google.protobuf.descriptor_pb2 import FileDescriptorSet  # noqa: PLC0415 - an extra

        messages: dict[str, DescriptorProto] = {}
        enums: dict[str, EnumDescriptorProto] = {}
        for file in FileDescriptorSet.FromString(descriptors).file:
            head = f"{file.package}." if file.package else ""
            enums |= {head + one.name: one for one in file.enum_type}
            waiting = [(head + one.name, one) for one in file.message_type]
            while waiting:
                name, message = waiting.pop()
                messages[name] = message
                enums |= {f"{name}.{one.name}": one for one in message.enum_type}
                waiting += [(f"{name}.{one.name}", one) for one in message.nested_type]
        return cls(messages, enums)


@dataclass(frozen=True, slots=True)
class _Comparison:
    old: _Types
    new: _Types
    seen: set[tuple[str, str]] = field(default_factory=set)

    def messages(self, old: str, new: str, path: tuple[str, ...]) -> Iterator[Problem]:
        before, after = self.old.messages.get(old), self.new.messages.get(new)
        if (old, new) in self.seen or before is None or after is None:
            return  # what comes with every Protobuf is the same in both
        self.seen.add((old, new))
        fields = {one.number: one for one in after.field}
        for one in before.field:
            other = fields.pop(one.number, None)
            here = (*path, one.name)
            if other is None:
                yield _removed(one, after, here)
            else:
                yield from self._field((before, one), (after, other), here)
        for one in fields.values():
            here = (*path, one.name)
            if one.label == _REQUIRED:
                breaks = {Party.PRODUCERS: Break(reason="they do not write it")}
                yield Problem("property-required", "it is new, and required", here, breaks)
            else:
                yield Problem("property-added", f"it is new, as number {one.number}", here)

    def _field(
        self,
        before: tuple[DescriptorProto, FieldDescriptorProto],
        after: tuple[DescriptorProto, FieldDescriptorProto],
        path: tuple[str, ...],
    ) -> Iterator[Problem]:
        old, new = before[1], after[1]
        yield from _label(old, new, path)
        if _choice(*before) != _choice(*after):
            breaks = dict.fromkeys(BOTH, Break(reason=_READ_IN_PARTS))
            text = "it moved into a `oneof`, or out of one"
            yield Problem("values-changed", text, path, breaks)
        kinds = kind_of(old), kind_of(new)
        if kinds[0].family != kinds[1].family:
            text = f"it is `{type_name(new)}`, and was `{type_name(old)}`"
            breaks = dict.fromkeys(BOTH, Break(reason=_LOST))
            yield Problem("type-changed", text, path, breaks)
            return
        yield from _range(kinds, (old, new), path)
        names = old.type_name.lstrip("."), new.type_name.lstrip(".")
        yield from self.messages(*names, path)
        yield from self._enums(*names, path)

    def _enums(self, old: str, new: str, path: tuple[str, ...]) -> Iterator[Problem]:
        before, after = self.old.enums.get(old), self.new.enums.get(new)
        if before is None or after is None:
            return
        numbers = {one.number for one in after.value}
        known = {one.number for one in before.value}
        for one in before.value:
            if one.number not in numbers:
                breaks = {Party.PRODUCERS: Break((_around(path, one.name),))}
                yield Problem(
                    "values-narrowed", f"it may not be `{one.name}` any more", path, breaks
                )
        for one in after.value:
            if one.number not in known:  # readers keep numbers that they do not know
                yield Problem("values-widened", f"it may also be `{one.name}`", path)


def _removed(one: FieldDescriptorProto, after: DescriptorProto, path: tuple[str, ...]) -> Problem:
    is_reserved = any(kept.start <= one.number < kept.end for kept in after.reserved_range)
    text = f"it is gone, and was number {one.number}"
    if one.label == _REQUIRED:
        breaks = {Party.CONSUMERS: Break(reason="they refuse a message without it")}
        return Problem("property-removed", text, path, breaks)
    if is_reserved:
        return Problem("property-removed", text, path)
    breaks = dict.fromkeys(BOTH, Break(reason=_REUSED))
    return Problem("number-not-reserved", f"{text}, which is not reserved", path, breaks)


def _label(
    old: FieldDescriptorProto, new: FieldDescriptorProto, path: tuple[str, ...]
) -> Iterator[Problem]:
    if (old.label == _REPEATED) != (new.label == _REPEATED):
        breaks = dict.fromkeys(BOTH, Break(reason=_LOST))
        words = "repeated" if new.label == _REPEATED else "not repeated any more"
        yield Problem("type-changed", f"it is {words}", path, breaks)
    elif new.label == _REQUIRED != old.label:
        breaks = {Party.PRODUCERS: Break(reason="they may leave it out")}
        yield Problem("property-required", "it is required, and was optional", path, breaks)
    elif old.label == _REQUIRED != new.label:
        breaks = {Party.CONSUMERS: Break(reason="they refuse a message without it")}
        yield Problem("property-optional", "it is optional, and was required", path, breaks)


def _range(
    kinds: tuple[Kind, Kind],
    fields: tuple[FieldDescriptorProto, FieldDescriptorProto],
    path: tuple[str, ...],
) -> Iterator[Problem]:
    """Numbers of which one side has more than the other."""
    old, new = kinds
    breaks = {}
    for party, writer, reader in (
        (Party.PRODUCERS, old, new),
        (Party.CONSUMERS, new, old),
    ):
        outside = writer.outside(reader)
        if outside is not None:
            breaks[party] = Break((_around(path, outside),), "it is cut off, or is another value")
    if breaks or fields[0].type != fields[1].type:
        text = f"it is `{type_name(fields[1])}`, and was `{type_name(fields[0])}`"
        yield Problem("values-changed", text, path, breaks)


def _choice(message: DescriptorProto, one: FieldDescriptorProto) -> str:
    """The `oneof` of a field. Every optional field of proto3 has one of its own, which is none."""
    if not one.HasField("oneof_index") or one.proto3_optional:
        return ""
    return message.oneof_decl[one.oneof_index].name


def _around(path: tuple[str, ...], value: Any) -> Any:
    for name in reversed(path):
        value = {name: value}
    return value
