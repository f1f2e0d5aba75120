"""Protobuf messages as JSON Schemas, and which files and messages a payload consists of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eventgen import pipeline
from eventgen.brokers import discover
from eventgen.diagnostics import Severity
from eventgen.model import Protobuf, Service
from eventgen.spec.formats import protobuf_reading
from eventgen.spec.load import Loaded

from tests.support.reading import CONFIG, read

REF = "#/$defs/"
SPEC = """\
asyncapi: 3.0.0
info: {title: Shop, version: 1.0.0}
channels:
  orders:
    address: orders
    messages:
      placed: {name: order.placed, payload: %s}
operations:
  send: {action: send, channel: {$ref: '#/channels/orders'}}
"""
TYPES = """\
syntax = "proto3";
package shop;
import "google/protobuf/duration.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
// How far
// it is.
enum Status { option allow_alias = true; NONE = 0; NEW = 1; FRESH = 1; }
message OrderPlaced {
  // Given by us.
  string id = 1;
  int64 count = 2; double price = 3; bool vip = 4; bytes raw = 5; Status status = 6;
  Line line = 7; repeated Line lines = 8; repeated int32 numbers = 9;
  map<string, Line> by_name = 10; map<int32, string> by_number = 11; map<bool, bool> by_truth = 12;
  optional string note = 13;
  oneof pay { string card = 14; Line bank = 15; }
  google.protobuf.Timestamp at = 16; google.protobuf.Duration took = 17;
  google.protobuf.StringValue text = 18; google.protobuf.UInt64Value large = 19;
  google.protobuf.BytesValue bytes = 20; google.protobuf.Struct more = 21;
  google.protobuf.Value value = 22; google.protobuf.ListValue list = 23;
  OrderPlaced before = 24; optional Status maybe = 25; float ratio = 26; Shape shape = 27;
  message Line { string sku = 1; }
  // Of the box.
  enum Shape { SHAPE_UNSPECIFIED = 0; SHAPE_FLAT = 1; }
}
"""
LINE, STATUS = {"$ref": f"{REF}OrderPlacedLine"}, {"$ref": f"{REF}Status"}
OPEN = {"anyOf": [STATUS, {"type": "integer"}]}
BASE64 = {"type": "string", "contentEncoding": "base64"}
CHOICE = {"description": "At most one of card, bank is given.", "x-oneof": "pay"}
PROPERTIES: dict[str, Any] = {
    "id": {"type": "string", "description": "Given by us.", "default": ""},
    "count": {"type": "integer", "default": 0},
    "price": {"type": "number", "default": 0.0},
    "vip": {"type": "boolean", "default": False},
    "raw": {**BASE64, "default": ""},
    "status": {**OPEN, "default": "NONE"},
    "line": LINE,
    "lines": {"type": "array", "items": LINE, "default": []},
    "numbers": {"type": "array", "items": {"type": "integer"}, "default": []},
    "by_name": {"type": "object", "additionalProperties": LINE, "default": {}},
    "by_number": {
        "type": "object",
        "propertyNames": {"pattern": "^(0|-?[1-9][0-9]*)$"},
        "additionalProperties": {"type": "string"},
        "default": {},
    },
    "by_truth": {
        "type": "object",
        "propertyNames": {"enum": ["false", "true"]},
        "additionalProperties": {"type": "boolean"},
        "default": {},
    },
    "note": {"type": "string"},
    "card": {"type": "string", **CHOICE},
    "bank": {**LINE, **CHOICE},
    "at": {"type": "string", "format": "date-time"},
    "took": {"type": "string", "format": "duration"},
    "text": {"type": "string"},
    "large": {"type": "integer"},
    "bytes": BASE64,
    "more": {"type": "object"},
    "value": {},
    "list": {"type": "array", "items": {}},
    "before": {"$ref": f"{REF}OrderPlaced"},
    "maybe": OPEN,
    "ratio": {"type": "number", "default": 0.0},
    "shape": {
        "anyOf": [{"$ref": f"{REF}OrderPlacedShape"}, {"type": "integer"}],
        "default": "SHAPE_UNSPECIFIED",
    },
}


def load(tmp_path: Path, payload: str, **files: str) -> Loaded:
    for name, text in files.items():
        path = tmp_path / (name.replace("__", "/") + ".proto")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return read(tmp_path, SPEC % payload)


def shop(tmp_path: Path, payload: str, **files: str) -> Service:
    loaded = load(tmp_path, payload, **files)
    assert loaded.service is not None, loaded.findings
    return loaded.service


def documents(service: Service) -> dict[str, Any]:
    return {schema.name: schema.document for schema in service.schemas}


def message(service: Service) -> str:
    (placed,) = service.messages
    assert placed.foreign_payload is not None
    wire = placed.foreign_payload.wire
    assert isinstance(wire, Protobuf)
    return wire.message


@pytest.fixture(scope="module")
def types(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return documents(shop(tmp_path_factory.mktemp("spec"), "{$ref: order.proto}", order=TYPES))


@pytest.mark.parametrize("name", PROPERTIES)
def test_each_field_has_its_json_schema(name: str, types: dict[str, Any]) -> None:
    assert types["OrderPlaced"]["properties"][name] == PROPERTIES[name]


def test_messages_and_enums_are_classes_named_with_those_around_them(types: dict[str, Any]) -> None:
    assert types["OrderPlaced"]["properties"].keys() == PROPERTIES.keys()
    assert types["OrderPlaced"]["required"] == []
    assert types.keys() == {"OrderPlaced", "OrderPlacedLine", "OrderPlacedShape", "Status"}
    assert types["Status"] == {
        "description": "How far it is.",
        "type": "string",
        "enum": ["NONE", "NEW"],
    }
    assert types["OrderPlacedShape"]["description"] == "Of the box."


def test_editions_tell_presence_and_openness_by_features(tmp_path: Path) -> None:
    text = """
edition = "2023";
enum Kind { option features.enum_type = CLOSED; A = 0; B = 1; }
message Order {
  string explicit = 1;
  string implicit = 2 [features.field_presence = IMPLICIT];
  string needed = 3 [features.field_presence = LEGACY_REQUIRED];
  Kind kind = 4;
}
"""
    found = documents(shop(tmp_path, "{$ref: order.proto}", order=text))["OrderPlaced"]
    assert found["required"] == ["needed"]
    assert found["properties"] == {
        "explicit": {"type": "string"},
        "implicit": {"type": "string", "default": ""},
        "needed": {"type": "string"},
        "kind": {"$ref": f"{REF}Kind"},
    }


# which files, which message -----------------------------------------------------------------------

HEAD = 'syntax = "proto3"; '
TWO = "message First { string a = 1; } message Second { string b = 1; }"
CHOSEN = [
    ("{$ref: 'order.proto#/Second'}", TWO, "Second"),
    ("{$ref: 'order.proto#first'}", TWO, "First"),
    ("{$ref: order.proto}", "// @RootNode\nmessage Second { } message First { }", "Second"),
    (
        "{$ref: order.proto}",
        "package a; message Order_Placed { } message Other { }",
        "a.Order_Placed",
    ),
    ("{$ref: order.proto}", "message Part { } message Whole { repeated Part parts = 1; }", "Whole"),
    ("{$ref: order.proto}", "message Tree { repeated Tree trees = 1; }", "Tree"),
]


@pytest.mark.parametrize(("payload", "text", "expected"), CHOSEN)
def test_the_payload_is_the_message_that_is_meant(
    payload: str, text: str, expected: str, tmp_path: Path
) -> None:
    assert message(shop(tmp_path, payload, order=HEAD + text)) == expected


def test_a_message_that_is_not_there_is_told_of(tmp_path: Path) -> None:
    found = load(tmp_path, "{$ref: 'order.proto#/Third'}", order=HEAD + TWO).findings
    assert [one.message for one in found] == ["this Protobuf has several messages: First, Second"]


def test_imports_are_found_beside_a_file_and_above_it(tmp_path: Path) -> None:
    imports = '// import "no.proto";\nimport "b/part.proto"; import public \'near.proto\';'
    main = f"{imports} message M {{ Part part = 1; Near near = 2; }}"
    service = shop(
        tmp_path,
        "{$ref: a/main.proto}",
        a__main=HEAD + main,
        a__near=HEAD + "message Near { }",
        b__part=HEAD + 'import "b/inner.proto"; message Part { Inner inner = 1; }',
        b__inner=HEAD + "message Inner { }",
    )
    assert documents(service).keys() == {"OrderPlaced", "Part", "Inner", "Near"}


def test_a_fault_in_an_imported_file_is_shown_there(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        "{$ref: main.proto}",
        main=HEAD + 'import "part.proto"; message M { Part part = 1; }',
        part=HEAD + "\n\nmessage Part { string a = 0; }",
    )
    (found,) = (one for one in loaded.findings if one.name == "protobuf-not-valid")
    assert found.message == "this is no Protobuf: field numbers must be positive integers"
    assert found.primary is not None
    assert (found.primary.span.source.path, found.primary.span.line) == ("part.proto", 3)


def test_nothing_outside_the_project_is_imported_or_written(tmp_path: Path) -> None:
    (tmp_path / "secret.proto").write_text(HEAD + "message Secret { }")
    inside = tmp_path / "project"
    inside.mkdir()
    names = ("secret.proto", "../secret.proto", "a/../../near.proto", f"{inside}/near.proto")
    imports = "".join(f'import "{name}"; ' for name in names)
    files = {"main": HEAD + imports + "message M { }", "near": HEAD, "a__b": HEAD}
    loaded = load(inside, "{$ref: main.proto}", **files)
    found = [one for one in loaded.findings if one.name == "protobuf-import-missing"]
    assert [one.message for one in found] == [
        f"there is no file `{name}` to import" for name in names
    ]


def test_without_the_compiler_only_a_generation_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protobuf_reading, "find_spec", lambda _name: None)
    load(tmp_path, "{$ref: order.proto}", order=HEAD + TWO)
    config = replace(CONFIG, spec="spec.yaml", broker="embedded")
    checked = pipeline.check(tmp_path / "spec.yaml", config, discover()["embedded"], "spec.yaml")
    assert checked.service is not None
    (found,) = (one for one in checked.findings if one.name == "protobuf-compiler-missing")
    assert found.severity is Severity.WARNING
    assert found.help == "install it with `pip install 'eventgen[protobuf]'`"
    refused = pipeline.generable(checked)
    assert refused.service is None
    assert [one.message for one in refused.findings if one.severity is Severity.ERROR] == [
        "the payload of `order.placed` cannot be generated, as its schema could not be read"
    ]
