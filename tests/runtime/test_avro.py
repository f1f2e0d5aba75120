"""Avro on the wire: every type there and back, and bytes that another version wrote."""

from __future__ import annotations

import io
from typing import Any

import fastavro
import pytest
from eventgen.model import Avro
from eventgen.plan.samples import sample
from pydantic import BaseModel
from runtime.avro import AvroWire
from runtime.codec import decode, encode, payload
from runtime.envelope import Undecodable
from runtime.service import EventType

from tests.support import corpus

FLOAT_MAX = 3.4028234663852886e38
STATUS = {"type": "enum", "name": "Status", "symbols": ["NEW", "PAID"]}
HASH = {"type": "fixed", "name": "Hash", "size": 2}
CARD = {"type": "record", "name": "shop.Card", "fields": [{"name": "pan", "type": "string"}]}
BANK = {"type": "record", "name": "shop.Bank", "fields": [{"name": "iban", "type": "string"}]}
CASH = {"type": "record", "name": "shop.Cash", "fields": [{"name": "pan", "type": "string"}]}


def logical(kind: str, logical_type: str, **others: Any) -> dict[str, Any]:
    return {"type": kind, "logicalType": logical_type, **others}


MONEY = logical("bytes", "decimal", precision=30, scale=2)
FIXED_MONEY = logical("fixed", "decimal", precision=6, scale=2, name="Money", size=4)
SPAN = logical("fixed", "duration", name="Span", size=12)
TREE = {
    "type": "record",
    "name": "Tree",
    "fields": [
        {"name": "leaf", "type": "int"},
        {"name": "left", "type": ["null", "Tree"]},
        {"name": "more", "type": {"type": "array", "items": "Tree"}},
    ],
}
LEAF = {"leaf": 1, "left": None, "more": []}
VALUES = [
    ("null", None),
    ("boolean", True),
    ("int", -(2**31)),
    ("long", 2**63 - 1),
    ("float", FLOAT_MAX),
    ("double", 1e300),
    ("double", float("inf")),
    ("string", "ünïcode\0"),
    ("bytes", "AP8="),
    (HASH, "AP8="),
    (STATUS, "PAID"),
    ({"type": "array", "items": "long"}, [1, 2]),
    ({"type": "map", "values": "bytes"}, {"a": "AA==", "": ""}),
    (CARD, {"pan": "4242"}),
    (TREE, {"leaf": 0, "left": {**LEAF, "left": LEAF}, "more": [LEAF, LEAF]}),
    (MONEY, "1234567890123456789012345678.90"),
    (MONEY, "-0.05"),
    (FIXED_MONEY, "9999.99"),
    (SPAN, {"months": 1, "days": 2, "milliseconds": 2**32 - 1}),
    (logical("fixed", "uuid", name="Id", size=16), "f6ab19a0-244a-5060-8e5e-10edd0d6c556"),
    (logical("string", "uuid"), "f6ab19a0-244a-5060-8e5e-10edd0d6c556"),
    (logical("int", "date"), "1969-12-31"),
    (logical("int", "time-millis"), "23:59:59.999000"),
    (logical("long", "time-micros"), "00:00:00.000001"),
    (logical("long", "timestamp-millis"), "1969-12-31T23:59:59.999000+00:00"),
    (logical("long", "timestamp-micros"), "9999-12-31T23:59:59.999999+00:00"),
    (logical("long", "timestamp-nanos"), 1769851800123456789),
    (logical("long", "local-timestamp-millis"), "2026-01-31T09:30:00.120000"),
    (logical("long", "local-timestamp-micros"), "2026-01-31T09:30:00.000001"),
    (logical("long", "local-timestamp-nanos"), 1769851800123456789),
    (logical("string", "invented"), "as it is"),
    # unions
    (["null", "string"], None),
    (["null", "string"], "text"),
    (["null", STATUS], "NEW"),
    (["int", "string", "boolean", "double"], 7),
    (["int", "string", "boolean", "double"], True),
    (["int", "string", "boolean", "double"], 7.0),
    (["int", "long"], 2**40),
    (["float", "double"], 0.1),
    (["string", {"type": "array", "items": "string"}], ["a"]),
    (["null", CARD, BANK], {"iban": "AT61"}),
    (["null", CARD, BANK], {"pan": "4242"}),
    ([logical("int", "date"), "null"], "2026-01-31"),
    # unions whose branches JSON does not tell apart name the branch
    (["string", "bytes"], {"bytes": "AP8="}),
    (["string", "bytes"], {"string": "AP8="}),
    (["null", "string", STATUS, HASH], {"Status": "NEW"}),
    (["null", "string", STATUS, HASH], {"Hash": "AP8="}),
    (["null", "string", STATUS, HASH], None),
    ([CARD, CASH], {"shop.Cash": {"pan": "4242"}}),
    ([CARD, {"type": "map", "values": "int"}], {"map": {"pan": 1}}),
    ([logical("long", "timestamp-millis"), logical("int", "date")], {"int": "2026-01-31"}),
    (
        [logical("long", "timestamp-millis"), "string"],
        {"long": "2026-01-31T09:30:00+00:00"},
    ),
]


@pytest.mark.parametrize(("schema", "value"), VALUES, ids=str)
def test_every_type_comes_back_as_it_was(schema: Any, value: Any) -> None:
    wire = AvroWire(schema)
    assert wire.decode(wire.encode(value)) == value
    # ... and so it does as a part of something larger
    part = {"type": "record", "name": "Whole", "fields": [{"name": "part", "type": schema}]}
    whole = AvroWire({"type": "array", "items": part})
    assert whole.decode(whole.encode([{"part": value}] * 2)) == [{"part": value}] * 2


REFUSED = [
    ("int", 2**31),
    ("long", -(2**63) - 1),
    ("float", 1e39),
    ("bytes", "no base64"),
    (HASH, "AA=="),
    (STATUS, "SENT"),
    (MONEY, "0.001"),
    (MONEY, "NaN"),
    (FIXED_MONEY, "10000.00"),
    (FIXED_MONEY, "1E10"),
    (logical("int", "date"), "31.1.2026"),
    (logical("int", "time-millis"), "09:30:00Z"),
    (logical("long", "local-timestamp-millis"), "2026-01-31T09:30:00Z"),
    (SPAN, {"months": 1, "days": 2, "milliseconds": 2**32}),
    (["null", "int"], "text"),
    (["string", "bytes"], {"int": 1}),
    (["string", "bytes"], "text"),
    (CARD, {}),
]


@pytest.mark.parametrize(("schema", "value"), REFUSED, ids=str)
def test_what_a_type_cannot_hold_is_refused(schema: Any, value: Any) -> None:
    with pytest.raises(ValueError, match="Avro cannot hold this: "):
        AvroWire(schema).encode(value)


def test_a_moment_is_rounded_down_to_what_its_type_can_hold() -> None:
    wire = AvroWire(logical("long", "timestamp-millis"))
    written = wire.encode("2026-01-31T10:30:00.123999+01:00")
    assert wire.decode(written) == "2026-01-31T09:30:00.123000+00:00"


# versions -----------------------------------------------------------------------------------------


def record(*fields: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {"type": "record", "name": "shop.Order", "fields": list(fields), **others}


ID = {"name": "id", "type": "long"}
OLD = record(ID, {"name": "status", "type": STATUS}, {"name": "gone", "type": "string"})
NEW = record(
    {"name": "number", "aliases": ["id"], "type": "double"},
    {"name": "status", "type": {**STATUS, "symbols": ["PAID", "OTHER"], "default": "OTHER"}},
    {"name": "note", "type": ["null", "string"], "default": None},
    {"name": "raw", "type": "bytes", "default": "ÿ"},
    {"name": "day", "type": logical("int", "date"), "default": 1},
    {"name": "at", "type": ["null", logical("long", "timestamp-millis")], "default": None},
    {"name": "money", "type": logical("bytes", "decimal", precision=4, scale=1), "default": "\5"},
    {"name": "since", "type": [logical("long", "timestamp-micros"), "null"], "default": 0},
    {"name": "card", "type": CARD, "default": {"pan": "none"}},
    {"name": "tags", "type": {"type": "array", "items": "string"}, "default": []},
)
READ = {
    "number": 7.0,
    "status": "OTHER",
    "note": None,
    "raw": "/w==",
    "day": "1970-01-02",
    "at": None,
    "money": "0.5",
    "since": "1970-01-01T00:00:00+00:00",
    "card": {"pan": "none"},
    "tags": [],
}
WRITTEN = {"id": 7, "status": "NEW", "gone": "away"}


def written(schema: Any, value: Any) -> bytes:
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, fastavro.parse_schema(schema), value)
    return buffer.getvalue()


def test_what_an_older_version_wrote_is_read_as_the_own_schema_has_it() -> None:
    wire = AvroWire(NEW, {"1.0.0": OLD})
    assert wire.decode(written(OLD, WRITTEN), "1.0.0") == READ
    assert wire.decode(wire.encode(READ), "2.0.0") == READ


MORE = {**CARD, "fields": [*CARD["fields"], {"name": "fee", "type": "int", "default": 3}]}
MILLIS = logical("long", "timestamp-millis")
EVOLVED = [
    (CARD, ["null", CARD, BANK], {"pan": "1"}, {"pan": "1"}),
    (["null", CARD], CARD, {"pan": "1"}, {"pan": "1"}),
    ([CARD, BANK], ["null", BANK, MORE], {"pan": "1"}, {"pan": "1", "fee": 3}),
    ([BANK, CARD], [CASH, BANK, CARD], ("shop.Bank", {"iban": "1"}), {"shop.Bank": {"iban": "1"}}),
    ("int", ["null", "double"], 5, 5.0),
    ("int", ["null", "long", "string"], 5, 5),
    ("bytes", "string", b"x", "x"),
    ("string", "bytes", "x", "eA=="),
    ("string", logical("string", "uuid"), f"{'0' * 8}-{'0000-' * 3}{'0' * 12}", None),
    ("long", MILLIS, 1000, "1970-01-01T00:00:01+00:00"),
    (logical("int", "date"), ["null", logical("int", "date")], 1, "1970-01-02"),
    (MILLIS, logical("long", "timestamp-micros"), 1000, "1970-01-01T00:00:01+00:00"),
    ({**CARD, "name": "Kard"}, {**CARD, "aliases": ["Kard"]}, {"pan": "1"}, {"pan": "1"}),
    ({**STATUS, "symbols": ["A"]}, {**STATUS, "default": "NEW"}, "A", "NEW"),
]


@pytest.mark.parametrize(("old", "new", "value", "expected"), EVOLVED, ids=str)
def test_a_field_whose_type_changed_is_read_as_the_new_one(
    old: Any, new: Any, value: Any, expected: Any
) -> None:
    first, second = (
        record({"name": "all", "type": {"type": "array", "items": items}}) for items in (old, new)
    )
    body = written(first, {"all": [value]})
    read = AvroWire(second, {"1.0.0": first}).decode(body, "1.0.0")
    assert read == {"all": [value if expected is None else expected]}


def test_types_that_are_only_named_are_resolved_too() -> None:
    field = {"name": "second", "type": ["null", "shop.Card", BANK]}
    old = record({"name": "first", "type": CARD}, field)
    new = record({"name": "first", "type": CARD}, field, {"name": "n", "type": "int", "default": 1})
    value = {"first": {"pan": "1"}, "second": {"pan": "2"}}
    assert AvroWire(new, {"1.0.0": old}).decode(written(old, value), "1.0.0") == {**value, "n": 1}


def test_what_a_newer_version_wrote_is_read_without_what_is_new() -> None:
    newer = record(*OLD["fields"], {"name": "added", "type": "string"})
    body = written(newer, {**WRITTEN, "added": "x"})
    assert AvroWire(OLD, {"1.1.0": newer}).decode(body, "1.1.0") == WRITTEN


def test_a_fingerprint_says_which_schema_it_was_whatever_the_version() -> None:
    wire = AvroWire(NEW, {"1.0.0": OLD})
    mark = fastavro.schema.fingerprint(
        fastavro.schema.to_parsing_canonical_form(fastavro.parse_schema(OLD)), "CRC-64-AVRO"
    )
    single = b"\xc3\x01" + bytes.fromhex(mark) + written(OLD, WRITTEN)
    assert wire.decode(single) == READ


def test_fields_that_are_left_out_are_written_with_their_defaults() -> None:
    wire = AvroWire(NEW)
    assert wire.decode(wire.encode({"number": 7.0, "status": "OTHER"})) == READ


def test_fastavro_reads_what_is_written_and_we_read_what_it_writes() -> None:
    wire = AvroWire(OLD)
    body = wire.encode(WRITTEN)
    assert body == written(OLD, WRITTEN)
    assert fastavro.schemaless_reader(io.BytesIO(body), fastavro.parse_schema(OLD), None) == WRITTEN


BROKEN = [
    (written(OLD, WRITTEN)[:-1], ""),
    (written(OLD, WRITTEN) + b"\0", "1 bytes are left over"),
    (b"", ""),
    (b"\x0e\x08", ""),
    (b'{"id": 7}', ""),
    (b"\xff" * 40, ""),
]


@pytest.mark.parametrize(("body", "why"), BROKEN)
def test_bytes_that_are_no_value_are_refused(body: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=f"no Avro that this service can read: .*{why}"):
        AvroWire(OLD).decode(body)


# events -------------------------------------------------------------------------------------------


class Order(BaseModel):
    id: int
    weight: float


ORDER = record(ID, {"name": "weight", "type": "double"})
EVENT = EventType("order", "1.0.0", Order, content_type="application/avro", wire=AvroWire(ORDER))


@pytest.mark.parametrize("weight", [1.5, float("inf"), float("-inf")])
def test_an_event_is_avro_on_the_wire(weight: float) -> None:
    body = encode(EVENT, Order(id=7, weight=weight))
    assert body == written(ORDER, {"id": 7, "weight": weight})
    assert decode(EVENT, body) == Order(id=7, weight=weight)
    assert payload(EVENT, body) == {"id": 7, "weight": weight}


def test_what_breaks_the_schema_names_the_event() -> None:
    with pytest.raises(ValueError, match=r"order 1\.0\.0: Avro cannot hold this: .* 64 bits"):
        encode(EVENT, Order(id=2**70, weight=1))
    with pytest.raises(Undecodable, match=r"order 1\.0\.0: no Avro") as refused:
        decode(EVENT, b"{}")
    assert refused.value.reason == "invalid"


# real documents -----------------------------------------------------------------------------------


def test_samples_of_real_documents_come_back_as_they_were() -> None:
    count = 0
    for name, service in corpus.services():
        schemas = {schema.name: schema for schema in service.schemas}
        for message in service.messages:
            wire = message.foreign_payload and message.foreign_payload.wire
            if isinstance(wire, Avro):
                example = sample(schemas[message.schema], schemas, ())
                own = AvroWire(wire.schema)
                body = own.encode(example)
                read = own.decode(body)
                assert read.keys() == example.keys(), name
                assert own.encode(read) == body, name
                count += 1
    assert count >= 10
