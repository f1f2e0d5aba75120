"""Avro schemas as JSON Schemas: each type, each default, and what files have in common."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from eventgen.model import Avro, Service
from eventgen.spec.formats.avro import converted
from eventgen.spec.formats.avro_defaults import json_default
from eventgen.spec.formats.avro_types import types_of

from tests.support.reading import read

BYTES = {"type": "string", "contentEncoding": "base64"}
DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}
KIND = {"type": "enum", "name": "Kind", "namespace": "acme", "symbols": ["A", "B"]}
CARD = {"type": "record", "name": "Card", "fields": [{"name": "pan", "type": "string"}]}
BANK = {"type": "record", "name": "Bank", "fields": [{"name": "iban", "type": "string"}]}
CASH = {"type": "record", "name": "Cash", "fields": [{"name": "pan", "type": "string"}]}


def text(form: str) -> dict[str, str]:
    return {"type": "string", "format": form}


def tagged(name: str, schema: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: schema},
        "required": [name],
        "additionalProperties": False,
    }


def logical(kind: str, logical_type: str) -> dict[str, Any]:
    return {"type": kind, "logicalType": logical_type, "name": "F", "size": 16}


REF = "#/$defs/"
TYPES = [
    ("null", {"type": "null"}),
    ("boolean", {"type": "boolean"}),
    ("int", {"type": "integer"}),
    ("long", {"type": "integer"}),
    ("float", {"type": "number"}),
    ("double", {"type": "number"}),
    ("string", {"type": "string"}),
    ("bytes", BYTES),
    ({"type": "fixed", "name": "F", "size": 3}, {**BYTES, "examples": ["AAAA"]}),
    ({"type": "array", "items": "int"}, {"type": "array", "items": {"type": "integer"}}),
    (
        {"type": "map", "values": "string"},
        {"type": "object", "additionalProperties": {"type": "string"}},
    ),
    (KIND, {"$ref": f"{REF}acme.Kind"}),
    (CARD, {"$ref": f"{REF}Card"}),
    (DECIMAL, text("decimal")),
    ({**DECIMAL, "type": "fixed", "name": "F", "size": 16}, text("decimal")),
    ({**DECIMAL, "scale": 9}, {**text("decimal"), "examples": ["0.000000001"]}),
    (logical("fixed", "uuid"), text("uuid")),
    (logical("string", "uuid"), text("uuid")),
    (logical("int", "date"), text("date")),
    (logical("int", "time-millis"), text("local-time")),
    (logical("long", "time-micros"), text("local-time")),
    (logical("long", "timestamp-millis"), text("date-time")),
    (logical("long", "timestamp-micros"), text("date-time")),
    (logical("long", "timestamp-nanos"), {"type": "integer"}),
    (logical("long", "local-timestamp-millis"), text("local-timestamp")),
    (logical("long", "local-timestamp-micros"), text("local-timestamp")),
    (logical("long", "local-timestamp-nanos"), {"type": "integer"}),
    (["string"], {"type": "string"}),
    (["int", "long"], {"type": "integer"}),
    (["null", "string"], {"anyOf": [{"type": "null"}, {"type": "string"}]}),
    (["long", "double"], {"anyOf": [{"type": "integer"}, {"type": "number"}]}),
    ([CARD, BANK], {"anyOf": [{"$ref": f"{REF}Card"}, {"$ref": f"{REF}Bank"}]}),
    (
        ["null", "string", "bytes"],
        {"anyOf": [tagged("string", {"type": "string"}), tagged("bytes", BYTES), {"type": "null"}]},
    ),
    (
        [CARD, CASH],
        {
            "anyOf": [
                tagged("Card", {"$ref": f"{REF}Card"}),
                tagged("Cash", {"$ref": f"{REF}Cash"}),
            ]
        },
    ),
]


@pytest.mark.parametrize(("schema", "expected"), TYPES, ids=str)
def test_each_type_has_its_json_schema(schema: Any, expected: Any) -> None:
    assert converted(schema)[0] == expected


def test_a_record_is_closed_and_needs_the_fields_without_default() -> None:
    _, types = converted(
        {
            "type": "record",
            "name": "Node",
            "namespace": "acme",
            "doc": "One of a tree.",
            "fields": [
                {"name": "kind", "type": KIND, "doc": "Which."},
                {"name": "next", "type": ["null", "acme.Node"], "default": None},
                {"name": "again", "type": "acme.Kind", "default": "B"},
            ],
        }
    )
    assert {name: one.document for name, one in types.items()} == {
        "acme.Kind": {"type": "string", "enum": ["A", "B"]},
        "acme.Node": {
            "type": "object",
            "description": "One of a tree.",
            "properties": {
                "kind": {"$ref": f"{REF}acme.Kind", "description": "Which."},
                "next": {
                    "anyOf": [{"type": "null"}, {"$ref": f"{REF}acme.Node"}],
                    "default": None,
                },
                "again": {"$ref": f"{REF}acme.Kind", "default": "B"},
            },
            "required": ["kind"],
            "additionalProperties": False,
        },
    }
    assert types["acme.Node"].texts == ("Node", "acme Node")


WITH_DEFAULT = {
    **CARD,
    "fields": [*CARD["fields"], {"name": "fee", "type": DECIMAL, "default": "\0\5"}],
}
DURATION = {"type": "fixed", "name": "F", "size": 12, "logicalType": "duration"}
DEFAULTS = [
    ("null", None, None),
    ("int", 1, 1),
    ("double", 1, 1),
    ("string", "a", "a"),
    ("bytes", "\0ÿ", "AP8="),
    (KIND, "B", "B"),
    ({"type": "array", "items": "bytes"}, ["ÿ"], ["/w=="]),
    ({"type": "map", "values": "int"}, {"a": 1}, {"a": 1}),
    (WITH_DEFAULT, {"pan": "1"}, {"pan": "1", "fee": "0.05"}),
    (DECIMAL, "ÿ\x9c", "-1.00"),
    (logical("int", "date"), -1, "1969-12-31"),
    (logical("int", "time-millis"), 1, "00:00:00.001000"),
    (logical("long", "timestamp-micros"), 1, "1970-01-01T00:00:00.000001+00:00"),
    (logical("long", "local-timestamp-millis"), 1000, "1970-01-01T00:00:01"),
    (logical("long", "timestamp-nanos"), 7, 7),
    (logical("fixed", "uuid"), "\0" * 15 + "\1", "00000000-0000-0000-0000-000000000001"),
    (DURATION, "\1" + "\0" * 11, {"months": 1, "days": 0, "milliseconds": 0}),
    (["null", "int"], None, None),
    (["null", "int"], 7, 7),
    (["string", "bytes"], "a", {"string": "a"}),
]


@pytest.mark.parametrize(("schema", "default", "expected"), DEFAULTS, ids=str)
def test_a_default_is_written_as_the_json_schema_has_it(
    schema: Any, default: Any, expected: Any
) -> None:
    assert json_default(schema, default, types_of(schema)) == expected


NO_DEFAULTS = [
    ("int", "1"),
    ("int", 2**31),
    ("int", True),
    ("boolean", 0),
    ("null", "null"),
    ("string", 1),
    ("double", "NaN"),
    ("bytes", [0]),
    (KIND, "C"),
    (CARD, {}),
    ({"type": "array", "items": "int"}, {}),
    (["null", "int"], "null"),
    ({"type": "fixed", "name": "F", "size": 3}, "\0"),
    (DURATION, 1),
]


@pytest.mark.parametrize(("schema", "default"), NO_DEFAULTS, ids=str)
def test_a_default_of_another_type_is_none(schema: Any, default: Any) -> None:
    with pytest.raises(ValueError):
        json_default(schema, default, types_of(schema))


# from documents -----------------------------------------------------------------------------------

SPEC = """\
asyncapi: 3.0.0
info: {title: Shop, version: 1.0.0}
channels:
  orders:
    address: orders
    messages:
      placed: {payload: %s}
      paid: {payload: %s}
operations:
  send: {action: send, channel: {$ref: '#/channels/orders'}}
"""
MONEY = {"type": "record", "name": "Money", "fields": [{"name": "cents", "type": "long"}]}


def order(name: str, total: Any) -> dict[str, Any]:
    fields = [{"name": "total", "type": total}, {"name": "paid", "type": "acme.Money"}]
    return {"type": "record", "name": name, "namespace": "acme", "fields": fields}


def shop(tmp_path: Path, placed: str, paid: str, **files: Any) -> Service:
    for name, content in files.items():
        (tmp_path / f"{name}.avsc").write_text(json.dumps(content), encoding="utf-8")
    loaded = read(tmp_path, SPEC % (placed, paid))
    assert loaded.service is not None, loaded.findings
    return loaded.service


@pytest.mark.parametrize("total", ["Money", {"$ref": "Money.avsc"}, {"type": "acme.Money"}])
def test_a_type_in_a_file_of_its_own_is_one_class_for_all(tmp_path: Path, total: Any) -> None:
    service = shop(
        tmp_path,
        "{$ref: first.avsc}",
        "{$ref: second.avsc}",
        first=order("Placed", total),
        second=order("Paid", "Money"),
        Money=MONEY,
    )
    documents = {schema.name: schema.document for schema in service.schemas}
    assert documents.keys() == {"Money", "Paid", "Placed"}
    assert documents["Placed"]["properties"]["total"] == {"$ref": f"{REF}Money"}
    assert documents["Placed"] == documents["Paid"]
    for message in service.messages:
        assert message.foreign_payload is not None
        wire = message.foreign_payload.wire
        assert isinstance(wire, Avro)
        first, second = (part["type"] for part in wire.schema["fields"])
        assert (first["name"], first["namespace"], second) == ("Money", "acme", "acme.Money")


def test_two_types_of_one_name_that_differ_are_two_classes(tmp_path: Path) -> None:
    inline = "{schemaFormat: application/vnd.apache.avro;version=1.9.0, schema: %s}"
    other = {**MONEY, "fields": [{"name": "units", "type": "string"}]}
    one, two = (
        json.dumps(order("Order", {**what, "namespace": "acme"})) for what in (MONEY, other)
    )
    service = shop(tmp_path, inline % one, inline % two)
    names = {schema.name for schema in service.schemas}
    assert len(names) == 4
    placed = next(schema for schema in service.schemas if schema.name == "Placed")
    paid = next(schema for schema in service.schemas if schema.name == "Paid")
    assert placed.document["properties"]["total"] != paid.document["properties"]["total"]


def test_a_payload_may_be_one_of_the_types_of_a_file(tmp_path: Path) -> None:
    service = shop(
        tmp_path, "{$ref: 'all.avsc#/Bank'}", "{$ref: 'all.avsc#/Card'}", all=[CARD, BANK]
    )
    properties = {one.name: [*one.document["properties"]] for one in service.schemas}
    assert properties == {"Placed": ["iban"], "Paid": ["pan"]}


def test_what_other_versions_write_is_read_with_it(tmp_path: Path) -> None:
    older = "x-eventgen: {version: 1.1.0, writer_schemas: {1.0.0: {$ref: old.avsc}}}"
    text_ = SPEC.replace("placed: {", f"placed: {{{older}, ") % (
        "{$ref: new.avsc}",
        "{type: object}",
    )
    for name, content in (("old", CARD), ("new", BANK)):
        (tmp_path / f"{name}.avsc").write_text(json.dumps(content), encoding="utf-8")
    loaded = read(tmp_path, text_)
    assert loaded.service is not None, loaded.findings
    placed = next(one for one in loaded.service.messages if one.name.snake == "placed")
    assert placed.foreign_payload is not None
    wire = placed.foreign_payload.wire
    assert isinstance(wire, Avro)
    assert wire.writers["1.0.0"]["name"] == "Card"
