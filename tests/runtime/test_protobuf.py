"""Protobuf on the wire, held against the classes that its own compiler makes of the same files."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import grpc_tools
import pytest
from grpc_tools import protoc
from pydantic import BaseModel
from runtime.codec import decode, encode
from runtime.envelope import Undecodable
from runtime.protobuf import ProtobufWire
from runtime.service import EventType

PROTO = """\
syntax = "proto3";
package shop;
import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/empty.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
enum Status { option allow_alias = true; NONE = 0; NEW = 1; FRESH = 1; PAID = -2; }
message Part { int32 number = 1; repeated Part parts = 2; }
message Whole {
  double double = 1; float float = 2; int32 int32 = 3; int64 int64 = 4; uint32 uint32 = 5;
  uint64 uint64 = 6; sint32 sint32 = 7; sint64 sint64 = 8; fixed32 fixed32 = 9;
  fixed64 fixed64 = 10; sfixed32 sfixed32 = 11; sfixed64 sfixed64 = 12; bool bool = 13;
  string string = 14; bytes bytes = 15; Status status = 16; Part part = 17;
  repeated int64 numbers = 18; repeated string texts = 19; repeated Status states = 20;
  repeated Part parts = 21; map<string, string> labels = 22; map<int32, Part> by_number = 23;
  map<bool, bytes> by_truth = 24; map<uint64, Status> by_long = 25; optional string note = 26;
  optional Status maybe = 27; oneof pay { string card = 28; Part bank = 29; bool cash = 30; }
  google.protobuf.Timestamp at = 31; google.protobuf.Duration took = 32;
  google.protobuf.StringValue text = 33; google.protobuf.Int64Value count = 34;
  google.protobuf.BytesValue raw = 35; google.protobuf.Struct more = 36;
  google.protobuf.Value value = 37; google.protobuf.ListValue list = 38;
  google.protobuf.Empty empty = 39; google.protobuf.FieldMask mask = 40;
  google.protobuf.Any any = 41; repeated google.protobuf.Timestamp times = 42;
  map<string, google.protobuf.Value> values = 43; google.protobuf.BoolValue truth = 44;
  google.protobuf.FloatValue ratio = 45; Whole class = 46;
}
message Newer { int32 number = 1; repeated Newer parts = 2; string added = 99; }
"""
EDITION = """\
edition = "2023";
package later;
enum Closed { option features.enum_type = CLOSED; A = 0; B = 1; }
message Late {
  int64 explicit = 1;
  int64 implicit = 2 [features.field_presence = IMPLICIT];
  int64 needed = 3 [features.field_presence = LEGACY_REQUIRED];
  Late inner = 4 [features.message_encoding = DELIMITED];
  Closed closed = 5;
  repeated Closed all = 6;
}
"""


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the compiler's own modules, and what it says of the files."""
    folder = tmp_path_factory.mktemp("protobuf")
    for name, text in (("whole", PROTO), ("late", EDITION)):
        (folder / f"{name}.proto").write_text(text)
        library = Path(grpc_tools.__file__).parent / "_proto"
        made = protoc.main(
            ["protoc", f"-I{folder}", f"-I{library}", f"--python_out={folder}",
             f"--descriptor_set_out={folder}/{name}.set", f"{name}.proto"]
        )  # fmt: skip
        assert made == 0
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def theirs(compiled: Path) -> Any:
    return import_module("whole_pb2")


def wire(compiled: Path, message: str, file: str = "whole") -> ProtobufWire:
    return ProtobufWire((compiled / f"{file}.set").read_bytes(), message)


EMPTY = {
    "double": 0.0, "float": 0.0, "int32": 0, "int64": 0, "uint32": 0, "uint64": 0, "sint32": 0,
    "sint64": 0, "fixed32": 0, "fixed64": 0, "sfixed32": 0, "sfixed64": 0, "bool": False,
    "string": "", "bytes": "", "status": "NONE", "numbers": [], "texts": [], "states": [],
    "parts": [], "labels": {}, "by_number": {}, "by_truth": {}, "by_long": {}, "times": [],
    "values": {},
}  # fmt: skip
PART = {"number": 7, "parts": [{"number": 8, "parts": []}]}
VALUES = {
    "double": [1e300, float("inf"), 0.1],
    "float": [1.5],
    "int32": [-(2**31), 2**31 - 1],
    "int64": [-(2**63), 2**63 - 1],
    "uint32": [2**32 - 1],
    "uint64": [2**64 - 1],
    "sint32": [-(2**31)],
    "sint64": [-(2**63)],
    "fixed32": [2**32 - 1],
    "fixed64": [2**64 - 1],
    "sfixed32": [-(2**31)],
    "sfixed64": [-(2**63)],
    "bool": [True],
    "string": ["ünïcode\0"],
    "bytes": ["AP8="],
    "status": ["NEW", "PAID", 77],
    "part": [{"number": 0, "parts": []}, PART],
    "numbers": [[1, 0, -1]],
    "texts": [["", "a"]],
    "states": [["PAID", "NONE", 77]],
    "parts": [[PART, {"number": 0, "parts": []}]],
    "labels": [{"": "a", "b": ""}],
    "by_number": [{"-1": PART, "0": {"number": 0, "parts": []}}],
    "by_truth": [{"true": "AP8=", "false": ""}],
    "by_long": [{str(2**64 - 1): "NEW"}],
    "note": ["", "text"],
    "maybe": ["NONE", "NEW", 77],
    "card": ["", "4242"],
    "bank": [{"number": 0, "parts": []}],
    "cash": [False],
    "at": ["1969-12-31T23:59:59.999999+00:00", "9999-12-31T23:59:59.999999+00:00"],
    "took": ["PT1H30M", "-PT0.5S", "P106DT1S"],
    "text": ["", "text"],
    "count": [0, 2**63 - 1],
    "raw": ["", "AP8="],
    "more": [{}, {"a": [1, 2.5, None, True, "x", {"b": {}}]}],
    "value": [None, True, 7, 0.5, "", [], {}, {"a": [None]}],
    "list": [[], [1, [2], {"a": None}]],
    "empty": [{}],
    "mask": [{"paths": ["a.b"]}],
    "any": [{"type_url": "x/y", "value": "AP8="}],
    "times": [["2026-01-31T09:30:00+00:00"]],
    "values": [{"a": None, "b": [1]}],
    "truth": [False, True],
    "ratio": [0.0, 1.5],
    "class": [EMPTY],
}
CASES = [(name, value) for name, values in VALUES.items() for value in values]


@pytest.mark.parametrize(("name", "value"), CASES, ids=str)
def test_every_field_comes_back_as_it_was_and_as_the_compilers_class_has_it(
    name: str, value: Any, compiled: Path, theirs: Any
) -> None:
    own = wire(compiled, "shop.Whole")
    body = own.encode({name: value})
    assert own.decode(body) == EMPTY | {name: value}
    message = theirs.Whole.FromString(body)
    assert message.SerializeToString(deterministic=True) == body
    assert own.decode(message.SerializeToString()) == EMPTY | {name: value}
    assert own.encode(own.decode(body)) == body


def test_the_compilers_class_reads_what_was_meant(compiled: Path, theirs: Any) -> None:
    body = wire(compiled, "shop.Whole").encode(
        {
            "at": "2026-01-31T10:30:00.000001+01:00", "took": "-PT0.5S", "status": "PAID",
            "bytes": "AP8=", "by_number": {"3": PART}, "more": {"a": [1, None]}, "bank": PART,
        }
    )  # fmt: skip
    message = theirs.Whole.FromString(body)
    assert (message.at.seconds, message.at.nanos) == (1769851800, 1000)
    assert (message.took.seconds, message.took.nanos) == (0, -500_000_000)
    assert message.status == -2
    assert message.bytes == b"\0\xff"
    assert message.by_number[3].parts[0].number == 8
    assert list(message.more["a"]) == [1, None]
    assert message.WhichOneof("pay") == "bank"


def test_an_event_without_anything_is_no_bytes(compiled: Path) -> None:
    assert wire(compiled, "shop.Whole").encode(EMPTY) == b""
    assert wire(compiled, "shop.Whole").decode(b"") == EMPTY


REFUSED = [
    ({"int32": 2**31}, "2147483648"),
    ({"uint32": -1}, "-1"),
    ({"int64": 2**63}, ""),
    ({"float": 1e39}, "too large for a float"),
    ({"bytes": "no base64"}, ""),
    ({"status": "SENT"}, "SENT"),
    ({"status": 2**31}, ""),
    ({"card": "1", "cash": True}, "at most one of card, bank, cash can be given"),
    ({"unknown": 1}, "shop.Whole has no field unknown"),
    ({"part": {"number": 1, "name": "x"}}, "shop.Part has no field name"),
    ({"by_number": {"a": PART}}, ""),
    ({"by_truth": {"yes": ""}}, "yes"),
    ({"at": "yesterday"}, "yesterday"),
    ({"took": "an hour"}, ""),
    ({"value": 2**63 + 1}, "is no double"),
]


@pytest.mark.parametrize(("payload", "why"), REFUSED, ids=str)
def test_what_a_message_cannot_hold_is_refused(payload: Any, why: str, compiled: Path) -> None:
    with pytest.raises(ValueError, match=f"Protobuf cannot hold this: .*{why}"):
        wire(compiled, "shop.Whole").encode(payload)


@pytest.mark.parametrize("body", [b"\x08", b'{"int32": 7}', b"\xff" * 40])
def test_bytes_that_are_no_message_are_refused(body: bytes, compiled: Path) -> None:
    with pytest.raises(ValueError, match="no Protobuf that this service can read: "):
        wire(compiled, "shop.Whole").decode(body)


def test_a_moment_that_python_has_not_got_is_refused(compiled: Path, theirs: Any) -> None:
    message = theirs.Whole()
    message.at.seconds = 2**40
    with pytest.raises(ValueError, match="no Protobuf that this service can read: "):
        wire(compiled, "shop.Whole").decode(message.SerializeToString())


def test_what_a_newer_producer_added_is_sent_on(compiled: Path, theirs: Any) -> None:
    newer = theirs.Newer(number=7, added="outside", parts=[theirs.Newer(added="inside")])
    own = wire(compiled, "shop.Part")
    read = own.decode(newer.SerializeToString())
    assert read["number"] == 7
    assert theirs.Newer.FromString(own.encode(read)) == newer


def test_editions_are_read_by_their_features(compiled: Path) -> None:
    late = wire(compiled, "later.Late", "late")
    inner = {"implicit": 0, "needed": 0, "all": []}
    whole = {"explicit": 0, "implicit": 1, "needed": 2, "inner": inner, "closed": "B", "all": ["A"]}
    body = late.encode(whole)
    assert late.decode(body) == whole
    assert import_module("late_pb2").Late.FromString(body).inner.HasField("needed")
    with pytest.raises(ValueError, match="needed"):
        late.encode({"explicit": 1})
    # an unknown value of a closed enum is no value, and is kept all the same
    other = late.decode(body.replace(b"\x28\x01", b"\x28\x07"))
    assert "closed" not in other
    assert b"\x28\x07" in late.encode(other)


class Part(BaseModel, extra="allow"):
    number: int = 0
    parts: list[Part] = []


def event(compiled: Path) -> EventType:
    return EventType("part", "1.0.0", Part, wire=wire(compiled, "shop.Part"))


def test_an_event_is_protobuf_on_the_wire(compiled: Path, theirs: Any) -> None:
    part = Part(number=7, parts=[Part(number=8)])
    body = encode(event(compiled), part)
    assert theirs.Part.FromString(body) == theirs.Part(number=7, parts=[theirs.Part(number=8)])
    assert decode(event(compiled), body) == part


def test_what_breaks_the_message_names_the_event(compiled: Path) -> None:
    with pytest.raises(ValueError, match=r"part 1\.0\.0: Protobuf cannot hold this: "):
        encode(event(compiled), Part(number=2**31))
    with pytest.raises(Undecodable, match=r"part 1\.0\.0: no Protobuf") as refused:
        decode(event(compiled), b"\x08")
    assert refused.value.reason == "invalid"
