"""Whom a change of a Protobuf message breaks, and that its compiler's own classes say so too."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from eventgen.compat.change import Party
from eventgen.compat.protobuf import Problem, problems
from eventgen.model import Protobuf
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from grpc_tools import protoc

BOTH, NOBODY = frozenset(Party), frozenset[Party]()
PRODUCERS, CONSUMERS = frozenset({Party.PRODUCERS}), frozenset({Party.CONSUMERS})


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    old: str
    new: str
    finding: str  # empty when there is none
    broken: frozenset[Party] = NOBODY
    syntax: str = "proto3"


def placed(*fields: str, rest: str = "") -> str:
    return f"message Placed {{ {' '.join(f'{one};' for one in fields)} {rest} }}"


def pair(old: str, new: str) -> tuple[str, str]:
    """Two types of one field."""
    return placed(f"{old} p = 1"), placed(f"{new} p = 1")


KIND = "enum Kind { NONE = 0; A = 1; %s } message Placed { Kind p = 1; }"
LINE = "message Line { %s } message Placed { repeated Line p = 1; }"
CASES = (
    Case("identical", placed("string id = 1"), placed("string id = 1"), ""),
    Case(
        "field added",
        placed("string id = 1"),
        placed("string id = 1", "int32 n = 2"),
        "property-added",
    ),
    Case(
        "field removed",
        placed("string id = 1", "int32 n = 2"),
        placed("string id = 1"),
        "number-not-reserved",
        BOTH,
    ),
    Case(
        "field removed and reserved",
        placed("string id = 1", "int32 n = 2"),
        placed("string id = 1", rest="reserved 2;"),
        "property-removed",
    ),
    Case("field renamed", placed("string id = 1"), placed("string key = 1"), ""),
    Case("number reused", placed("string id = 1"), placed("int32 n = 1"), "type-changed", BOTH),
    Case("int to text", *pair("int32", "string"), "type-changed", BOTH),
    Case("int to zigzag", *pair("int32", "sint32"), "type-changed", BOTH),
    Case("float to double", *pair("float", "double"), "type-changed", BOTH),
    Case("int32 to int64", *pair("int32", "int64"), "values-changed", CONSUMERS),
    Case("int64 to int32", *pair("int64", "int32"), "values-changed", PRODUCERS),
    Case("int32 to uint32", *pair("int32", "uint32"), "values-changed", BOTH),
    Case("uint32 to int64", *pair("uint32", "int64"), "values-changed", CONSUMERS),
    Case("bool to int32", *pair("bool", "int32"), "values-changed", CONSUMERS),
    Case("text to bytes", *pair("string", "bytes"), "values-changed", CONSUMERS),
    Case("bytes to text", *pair("bytes", "string"), "values-changed", PRODUCERS),
    Case("becomes repeated", *pair("string", "repeated string"), "type-changed", BOTH),
    Case("becomes optional", *pair("string", "optional string"), ""),
    Case(
        "moved into a oneof",
        placed("string a = 1", "string b = 2"),
        placed("string a = 1", rest="oneof c { string b = 2; }"),
        "values-changed",
        BOTH,
    ),
    Case("value added", KIND % "", KIND % "B = 2;", "values-widened"),
    Case("value removed", KIND % "B = 2;", KIND % "", "values-narrowed", PRODUCERS),
    Case("value renamed", KIND % "B = 2;", KIND % "C = 2;", ""),
    Case("in a message in it", LINE % "int32 n = 1;", LINE % "string n = 1;", "type-changed", BOTH),
    Case(
        "field added in a message in it",
        LINE % "int32 n = 1;",
        LINE % "int32 n = 1; string s = 2;",
        "property-added",
    ),
    Case(
        "a message of another name",
        "message A { int32 n = 1; } " + placed("A p = 1"),
        "message B { int32 n = 1; } " + placed("B p = 1"),
        "",
    ),
    Case(
        "another message",
        "message A { int32 n = 1; } " + placed("A p = 1"),
        "message B { string n = 1; } " + placed("B p = 1"),
        "type-changed",
        BOTH,
    ),
    Case(
        "map values changed",
        *pair("map<string, int32>", "map<string, string>"),
        "type-changed",
        BOTH,
    ),
    Case("recursive", placed("Placed p = 1"), placed("Placed p = 1"), ""),
    Case(
        "required added",
        placed("optional string a = 1"),
        placed("optional string a = 1", "required string b = 2"),
        "property-required",
        PRODUCERS,
        "proto2",
    ),
    Case(
        "becomes required",
        placed("optional string a = 1"),
        placed("required string a = 1"),
        "property-required",
        PRODUCERS,
        "proto2",
    ),
    Case(
        "required no more",
        placed("required string a = 1"),
        placed("optional string a = 1"),
        "property-optional",
        CONSUMERS,
        "proto2",
    ),
    Case(
        "required removed",
        placed("required string a = 1"),
        placed(),
        "property-removed",
        CONSUMERS,
        "proto2",
    ),
)


def compiled(text: str, syntax: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "a.proto"), Path(folder, "a.bin")
        source.write_text(f'syntax = "{syntax}"; package shop; {text}')
        made = protoc.main(["protoc", f"-I{folder}", f"--descriptor_set_out={target}", str(source)])
        assert made == 0
        return target.read_bytes()


def found(case: Case) -> tuple[Problem, ...]:
    sides = [Protobuf(compiled(text, case.syntax), "shop.Placed") for text in (case.old, case.new)]
    return problems(sides[0], sides[1])


def read(text: str, syntax: str) -> Any:
    """The compiler's class of the message."""
    pool = descriptor_pool.DescriptorPool()
    files = descriptor_pb2.FileDescriptorSet.FromString(compiled(text, syntax))
    for file in files.file:
        pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("shop.Placed"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_change_breaks_whom_it_must(case: Case) -> None:
    problems_ = found(case)
    assert {one.name for one in problems_} == ({case.finding} if case.finding else set())
    assert {party for one in problems_ for party in one.breaks} == case.broken


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.broken], ids=lambda case: case.name
)
def test_a_value_that_breaks_is_not_read_as_what_it_was(case: Case) -> None:
    classes = read(case.old, case.syntax), read(case.new, case.syntax)
    for one in found(case):
        for party, broken in one.breaks.items():
            writer, reader = classes if party is Party.PRODUCERS else classes[::-1]
            assert broken.examples or broken.reason
            for example in broken.examples:
                message = json_format.ParseDict(example, writer())
                raw = message.SerializeToString()
                try:
                    again = json_format.MessageToDict(reader.FromString(raw))
                except Exception:  # noqa: BLE001 - refused, in whichever way
                    continue
                assert again != json_format.MessageToDict(message)
