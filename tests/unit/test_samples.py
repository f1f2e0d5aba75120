"""Made-up payloads: valid, deterministic, and such as a person might write."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import pytest
from eventgen.plan.sample_text import text
from eventgen.plan.samples import sample

from tests.support import corpus
from tests.support.schemas import schemas

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ENOUGH = 0.97  # the rest are schemas that nothing matches


def _sample(document: Any, **others: Any) -> Any:
    known = {schema.name: schema for schema in schemas({"Event": document, **others})}
    return sample(known["Event"], known, ())


def _is_valid(value: Any, name: str, documents: dict[str, Any]) -> bool:
    schema = {"$schema": _DIALECT, "$ref": f"#/$defs/{name}", "$defs": documents}
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    return jsonschema.Draft202012Validator(schema, format_checker=checker).is_valid(value)


def _object(required: list[str] | None = None, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required or []}


def test_an_example_of_the_document_is_preferred() -> None:
    (event,) = schemas({"Event": {"type": "object"}})
    assert sample(event, {"Event": event}, ({"a": 1}, {"b": 2})) == {"a": 1}


def test_an_order_looks_like_one() -> None:
    money = _object(
        ["amount", "currency"],
        amount={"type": "string", "format": "decimal"},
        currency={"type": "string", "pattern": "^[A-Z]{3}$"},
    )
    line = _object(sku={"type": "string"}, quantity={"type": "integer", "minimum": 1})
    order = _object(
        ["order_id", "total"],
        order_id={"type": "string", "format": "uuid"},
        customerEmail={"type": "string", "format": "email"},
        total={"$ref": "#/$defs/Money"},
        lines={"type": "array", "items": line},
        placed_at={"type": "string", "format": "date-time"},
        gift={"type": "boolean"},
        note={"type": ["string", "null"]},
    )
    assert _sample(order, Money=money) == {
        "order_id": "58f65891-f4c4-5f5e-82da-130cdff940b8",
        "customerEmail": "ada@example.com",
        "total": {"amount": "19.99", "currency": "EUR"},
        "lines": [{"sku": "sku", "quantity": 1}],
        "placed_at": "2026-01-31T09:30:00Z",
        "gift": True,
        "note": "note",
    }


def test_a_default_is_shown_unless_it_is_empty() -> None:
    document = _object(
        size={"type": "string", "default": "large"},
        email={"type": "string", "default": ""},
        items={"type": "array", "items": {"type": "boolean"}, "default": []},
        gift={"type": "boolean", "default": False},
    )
    shown = {"size": "large", "email": "ada@example.com", "items": [True], "gift": False}
    assert _sample(document) == shown


def test_of_a_oneof_there_is_one() -> None:
    parts = {name: {"type": "string", "x-oneof": "pay"} for name in ("card", "iban")}
    assert _sample(_object(id={"type": "string"}, **parts)) == {"id": "id-1", "card": "card"}


def test_a_decimal_keeps_to_its_limits() -> None:
    money = {"type": "string", "format": "decimal", "minimum": 100, "examples": ["5.00", "1e999"]}
    assert _sample(_object(amount=money)) == {"amount": "100"}
    assert _sample(_object(amount={**money, "examples": ["250.50"]})) == {"amount": "250.50"}


@pytest.mark.parametrize(
    "document",
    [
        True,
        {},
        {"type": "object"},
        {"const": {"a": [1]}},
        {"enum": [None, "a"]},
        {"type": "string", "examples": [1, "one"], "minLength": 3},
        {"type": "string", "examples": ["31/01/2026"], "format": "date"},
        {"type": "string", "minLength": 40, "maxLength": 41},
        {"type": "string", "maxLength": 2},
        {"type": "integer", "minimum": 10, "exclusiveMaximum": 12},
        {"type": "integer", "multipleOf": 7, "minimum": 100},
        {"type": "integer", "maximum": -3},
        {"type": "number", "multipleOf": 0.1, "minimum": 0.25},
        {"type": "number", "exclusiveMinimum": 0, "maximum": 0.05},
        {"type": "array", "items": {"type": "string"}, "minItems": 3, "uniqueItems": True},
        {"type": "array", "items": {"enum": ["a", "b", "c"]}, "minItems": 3, "uniqueItems": True},
        {"type": "array", "prefixItems": [{"type": "string"}, {"type": "null"}], "items": False},
        {"type": "array", "items": {"type": "integer"}, "maxItems": 0},
        {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 2},
        {"type": "object", "patternProperties": {"^x-[a-z]+$": {"type": "integer"}}},
        {"type": "object", "required": ["nowhere"]},
        {"allOf": [_object(["a"], a={"type": "string"}), _object(["a"], a={"const": "x"})]},
        {**_object(a={"type": "string"}, b={"type": "string"}),
         "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
        {"oneOf": [{"type": "number", "multipleOf": 1}, {"type": "number", "minimum": 10}]},
        {"oneOf": [{"type": "null"}, {"type": "string"}]},
        {"anyOf": [False, {"type": "integer"}]},
        {"if": _object(kind={"const": "a"}), "then": _object(["b"], b={"type": "integer"}),
         **_object(["kind"], kind={"enum": ["a", "c"]})},
        {"not": {"required": ["b"]}, **_object(a={"type": "string"})},
    ],
)  # fmt: skip
def test_samples_are_valid(document: Any) -> None:
    value = _sample(document)
    assert _is_valid(value, "Event", {"Event": document}), value
    assert value == _sample(document)


def test_a_schema_that_contains_itself_ends() -> None:
    node = _object(["name"], name={"type": "string"}, children={"type": "array"})
    node["properties"]["children"]["items"] = {"$ref": "#/$defs/Event"}
    node["properties"]["parent"] = {"$ref": "#/$defs/Event"}
    assert _sample(node) == {"name": "name", "children": []}


def test_a_schema_without_end_gets_an_empty_object() -> None:
    assert _sample(_object(["next"], next={"$ref": "#/$defs/Event"})) == {}


def test_a_malformed_schema_still_gets_a_sample() -> None:
    assert _sample(_object(a={"type": "integer", "maximum": "100", "minimum": "one"})) == {"a": 1}


@pytest.mark.parametrize(
    "pattern",
    [
        r"^[A-Z]{3}$",
        r"^\d{4}-\d{2}-\d{2}$",
        r"^[a-z0-9]+(?:-[a-z0-9]+)*$",
        r"^(order|invoice)\.(placed|paid)$",
        r"^\+?[1-9]\d{1,14}$",
        r"^#[0-9a-fA-F]{6}$",
        r"^(?!test)[a-z]{4,}$",
        r"^[^@\s]+@[^@\s]+\.[a-z]+$",
        r"^([ab])\1$",
        r"^.{5,10}$",
        r"[\w.]+$",
        r"^[^a-z]$",
        r"^$|^x$",
        r"^v\d+\.\d+\.\d+(-[a-z]+)?$",
        r"^[\u00c0-\u017f]+$",
    ],
)
@pytest.mark.parametrize("number", [0, 1])
def test_a_pattern_is_matched(pattern: str, number: int) -> None:
    value = text({"pattern": pattern}, "value", number)
    assert re.search(pattern, value), value


def test_a_pattern_of_letters_of_any_script_is_matched() -> None:
    assert text({"pattern": r"^\p{Lu}\p{L}+$"}, "value", 0) == "Aaaaa"


@pytest.mark.parametrize("pattern", ["(", "^(?=a)b$"])
def test_a_pattern_that_cannot_be_matched_gives_nothing(pattern: str) -> None:
    assert text({"pattern": pattern}, "value", 0) == ""


def test_samples_of_real_documents_are_valid() -> None:
    invalid, count = [], 0
    for name, service in corpus.services():
        documents = {schema.name: schema.document for schema in service.schemas}
        by_name = {schema.name: schema for schema in service.schemas}
        for message in service.messages:
            count += 1
            value = sample(by_name[message.schema], by_name, ())
            try:
                if not _is_valid(value, message.schema, documents):
                    invalid.append((name, message.schema))
            except (TypeError, re.error):  # the schema itself is wrong
                invalid.append((name, message.schema))
    assert count > 500
    assert len(invalid) <= (1 - _ENOUGH) * count, invalid
