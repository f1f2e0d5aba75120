"""Whom a change of an Avro schema breaks: the rules of its specification, held against fastavro."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import fastavro
import pytest
from eventgen.compat.avro import problems
from eventgen.compat.avro_schema import sample


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    old: Any
    new: Any
    producers: str  # the finding that breaks them; empty when they go on as before
    consumers: str


def field(type_: Any, name: str = "p", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": type_, **more}


def record(*fields: dict[str, Any], name: str = "Placed", **more: Any) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields), **more}


def symbols(*words: str, **more: Any) -> dict[str, Any]:
    return {"type": "enum", "name": "Kind", "symbols": list(words), **more}


def logical(type_: str, name: str, **more: Any) -> dict[str, Any]:
    return {"type": type_, "logicalType": name, **more}


def at(name: str, old: Any, new: Any, producers: str = "", consumers: str = "") -> Case:
    """A change of one field."""
    return Case(name, record(field(old)), record(field(new)), producers, consumers)


ID = field("string", "id")
NODE = record(field("int", "v"), field(["null", "Node"], "next"), name="Node")
WIDER = record(field("long", "v"), field(["null", "Node"], "next"), name="Node")
MONEY = logical("bytes", "decimal", precision=10, scale=2)
TYPE, NEEDED, VALUES, UNIT = "type-changed", "property-required", "values-changed", "unit-changed"
CASES = (
    Case("identical", record(ID), record(ID), "", ""),
    Case("documented", record(ID), record(ID, doc="x"), "", ""),
    Case("field added", record(ID), record(ID, field("int")), NEEDED, ""),
    Case("field added with a default", record(ID), record(ID, field("int", default=0)), "", ""),
    Case("field removed", record(ID, field("int")), record(ID), "", NEEDED),
    Case("field with a default removed", record(ID, field("int", default=0)), record(ID), "", ""),
    Case("field renamed", record(field("int", "a")), record(field("int", "b")), NEEDED, NEEDED),
    Case(
        "field renamed with an alias",
        record(field("int", "a")),
        record(field("int", "b", aliases=["a"])),
        "",
        NEEDED,
    ),
    Case("fields in another order", record(ID, field("int")), record(field("int"), ID), "", ""),
    Case("record renamed", record(ID), record(ID, name="Other"), TYPE, TYPE),
    Case(
        "record renamed with an alias",
        record(ID),
        record(ID, name="B", aliases=["Placed"]),
        "",
        TYPE,
    ),
    Case("namespace changed", record(ID, namespace="a"), record(ID, namespace="b"), "", ""),
    at("int to long", "int", "long", "", TYPE),
    at("int to double", "int", "double", "", TYPE),
    at("long to float", "long", "float", "", TYPE),
    at("float to double", "float", "double", "", TYPE),
    at("text to bytes", "string", "bytes", "", ""),
    at("int to text", "int", "string", TYPE, TYPE),
    at("number to text", "double", "string", TYPE, TYPE),
    at("text to true or false", "string", "boolean", TYPE, TYPE),
    at("becomes nullable", "string", ["null", "string"], "", TYPE),
    at("union grows", ["null", "string"], ["null", "string", "int"], "", VALUES),
    at("union in another order", ["null", "string"], ["string", "null"], "", ""),
    at("union with a promotion", ["null", "int"], ["null", "long"], "", VALUES),
    at("written out", {"type": "string"}, "string", "", ""),
    at("symbol added", symbols("A"), symbols("A", "B"), "", VALUES),
    at("symbol removed", symbols("A", "B"), symbols("A"), VALUES, ""),
    at(
        "symbol added, with a default",
        symbols("A", default="A"),
        symbols("A", "B", default="A"),
        "",
        "",
    ),
    at("symbols in another order", symbols("A", "B"), symbols("B", "A"), "", ""),
    at("enum to text", symbols("A"), "string", TYPE, TYPE),
    at(
        "size changed",
        {"type": "fixed", "name": "F", "size": 4},
        {"type": "fixed", "name": "F", "size": 8},
        TYPE,
        TYPE,
    ),
    at(
        "items widened",
        {"type": "array", "items": "int"},
        {"type": "array", "items": "long"},
        "",
        TYPE,
    ),
    at(
        "items changed",
        {"type": "array", "items": "int"},
        {"type": "array", "items": "string"},
        TYPE,
        TYPE,
    ),
    at(
        "values of a map changed",
        {"type": "map", "values": "int"},
        {"type": "map", "values": "string"},
        TYPE,
        TYPE,
    ),
    at(
        "list to map",
        {"type": "array", "items": "int"},
        {"type": "map", "values": "int"},
        TYPE,
        TYPE,
    ),
    at(
        "inside of a record",
        record(ID, name="In"),
        record(ID, field("int", "n"), name="In"),
        NEEDED,
        "",
    ),
    Case("recursive, the same", NODE, NODE, "", ""),
    Case("recursive, wider", NODE, WIDER, "", TYPE),
    at("scale changed", MONEY, {**MONEY, "scale": 4}, UNIT, UNIT),
    at("precision changed", MONEY, {**MONEY, "precision": 12}, UNIT, UNIT),
    at(
        "unit changed",
        logical("long", "timestamp-millis"),
        logical("long", "timestamp-micros"),
        UNIT,
        UNIT,
    ),
    at("a moment becomes a number", logical("long", "timestamp-millis"), "long", UNIT, UNIT),
    at("a date becomes a time", logical("int", "date"), logical("int", "time-millis"), UNIT, UNIT),
    at("text becomes a uuid", "string", logical("string", "uuid"), "", ""),
)


def reads(writer: Any, reader: Any, value: Any) -> bool:
    """Whether fastavro reads with one schema what it wrote with another."""
    raw = io.BytesIO()
    fastavro.schemaless_writer(raw, fastavro.parse_schema(writer), binary(value))
    raw.seek(0)
    try:
        fastavro.schemaless_reader(
            raw, fastavro.parse_schema(writer), fastavro.parse_schema(reader)
        )
    except (fastavro.read.SchemaResolutionError, ValueError):
        return False
    return True


def binary(value: Any) -> Any:
    """A sample, in which bytes are text of as many characters, as fastavro takes it."""
    if isinstance(value, dict):
        return {key: binary(one) for key, one in value.items()}
    return value.encode("latin-1") if isinstance(value, str) and "\0" in value else value


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_change_breaks_whom_it_must(case: Case) -> None:
    found = [
        sorted({one.name for one in problems(writer, reader)})
        for writer, reader in ((case.old, case.new), (case.new, case.old))
    ]
    assert found == [[name] if name else [] for name in (case.producers, case.consumers)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_break_is_shown_by_a_value_that_cannot_be_read(case: Case) -> None:
    """But for other units: Avro itself reads those without a word, and records of other names."""
    for writer, reader in ((case.old, case.new), (case.new, case.old)):
        found = [one for one in problems(writer, reader) if one.name != "unit-changed"]
        for one in found:
            if "renamed" not in case.name:
                assert not reads(writer, reader, sample(writer, one.writer_way, one.shown))
        if not problems(writer, reader):
            assert reads(writer, reader, sample(writer, (), None))
