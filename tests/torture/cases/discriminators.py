"""Unions told apart by a property, in OpenAPI's words, in AsyncAPI's, and in none."""

from __future__ import annotations

from typing import Any

from tests.support.payloads import OPENAPI
from tests.torture.cases._case import TEXT, WHOLE, Case, case, obj, ref

_CARD = obj(["type", "pan"], type={"const": "card"}, pan=TEXT)
_BANK = obj(["type", "iban"], type={"const": "bank"}, iban=TEXT)
_ONE = {"oneOf": [ref("Card"), ref("Bank")]}
_GOOD = [{"pay": {"type": "card", "pan": "1"}}, {"pay": {"type": "bank", "iban": "1"}}]
_BAD = [{"pay": {"type": "card", "iban": "1"}}, {"pay": {"type": "x"}}, {"pay": {"pan": "1"}}, {}]
_DEFINITIONS = {"Card": _CARD, "Bank": _BANK}


def _pay(union: Any, definitions: Any = None) -> dict[str, Any]:
    return {"definitions": definitions or _DEFINITIONS, **obj(["pay"], pay=union)}


def _kind(name: str, **more: Any) -> dict[str, Any]:
    return obj(["kind", *more], kind={"type": "string", "enum": [name]}, **more)


def _openapi(title: str, schema: Any, good: list[Any], bad: list[Any]) -> Case:
    return case(title, schema, good, bad, language=OPENAPI)


CASES: tuple[Case, ...] = (
    _openapi("OpenAPI's", _pay({**_ONE, "discriminator": {"propertyName": "type"}}), _GOOD, _BAD),
    _openapi(
        "OpenAPI's with a mapping",
        _pay(
            {
                **_ONE,
                "discriminator": {
                    "propertyName": "type",
                    "mapping": {"card": "#/definitions/Card", "bank": "#/definitions/Bank"},
                },
            }
        ),
        _GOOD,
        _BAD,
    ),
    case("constants and no word of it", _pay(_ONE), _GOOD, _BAD),
    _openapi(
        "anyOf with one",
        _pay({"anyOf": _ONE["oneOf"], "discriminator": {"propertyName": "type"}}),
        _GOOD,
        _BAD,
    ),
    _openapi(
        "a property that tells nothing",
        _pay({**_ONE, "discriminator": {"propertyName": "other"}}),
        _GOOD,
        _BAD,
    ),
    case(
        "AsyncAPI's, a name",
        {
            "definitions": {
                "Pet": {**obj(["petType"], petType=TEXT), "discriminator": "petType"},
                "Cat": {"allOf": [ref("Pet"), obj(["meow"], meow=TEXT)]},
            },
            **obj(["pet"], pet=ref("Cat")),
        },
        [{"pet": {"petType": "Cat", "meow": "m"}}],
        [{"pet": {"petType": "Cat"}}, {"pet": {"meow": "m"}}],
    ),
    _openapi(
        "enums of one",
        _pay(
            {"oneOf": [ref("A"), ref("B")], "discriminator": {"propertyName": "kind"}},
            {"A": _kind("a", x=WHOLE), "B": _kind("b", y=WHOLE)},
        ),
        [{"pay": {"kind": "a", "x": 1}}, {"pay": {"kind": "b", "y": 1}}],
        [{"pay": {"kind": "a", "y": 1}}, {"pay": {"kind": "c", "x": 1}}],
    ),
    _openapi(
        "enums of two",
        _pay(
            {"oneOf": [ref("A"), ref("B")], "discriminator": {"propertyName": "kind"}},
            {
                "A": obj(["kind"], kind={"type": "string", "enum": ["a", "aa"]}, x=WHOLE),
                "B": obj(["kind"], kind={"type": "string", "enum": ["b", "bb"]}, x=TEXT),
            },
        ),
        [{"pay": {"kind": "aa", "x": 1}}, {"pay": {"kind": "b", "x": "1"}}],
        [{"pay": {"kind": "a", "x": "1"}}, {"pay": {"kind": "c"}}],
    ),
    _openapi(
        "the same constant twice",
        _pay(
            {"oneOf": [ref("A"), ref("B")], "discriminator": {"propertyName": "kind"}},
            {"A": _kind("a", x=WHOLE), "B": _kind("a", y=WHOLE)},
        ),
        [{"pay": {"kind": "a", "x": 1}}, {"pay": {"kind": "a", "y": 1}}],
        [{"pay": {"kind": "a", "x": 1, "y": 1}}, {"pay": {"kind": "a"}}],
    ),
    case(
        "numbers that tell apart",
        _pay(
            {"oneOf": [ref("A"), ref("B")]},
            {
                "A": obj(["v", "x"], v={"const": 1}, x=TEXT),
                "B": obj(["v", "x"], v={"const": 2}, x=WHOLE),
            },
        ),
        [{"pay": {"v": 1, "x": "a"}}, {"pay": {"v": 2, "x": 1}}],
        [{"pay": {"v": 1, "x": 1}}, {"pay": {"v": True, "x": "a"}}, {"pay": {"v": 3, "x": 1}}],
    ),
    _openapi(
        "inline branches",
        obj(["pay"], pay={"oneOf": [_CARD, _BANK], "discriminator": {"propertyName": "type"}}),
        _GOOD,
        _BAD,
    ),
    _openapi(
        "a list of them",
        _pay({"type": "array", "items": {**_ONE, "discriminator": {"propertyName": "type"}}}),
        [{"pay": []}, {"pay": [one["pay"] for one in _GOOD]}],
        [{"pay": [one["pay"]]} for one in _BAD if one],
    ),
    _openapi(
        "at the root",
        {"definitions": _DEFINITIONS, **_ONE, "discriminator": {"propertyName": "type"}},
        [one["pay"] for one in _GOOD],
        [one["pay"] for one in _BAD if one],
    ),
    _openapi(
        "branches that share a base",
        _pay(
            {"oneOf": [ref("Dog"), ref("Cat")], "discriminator": {"propertyName": "kind"}},
            {
                "Pet": obj(["name"], name=TEXT),
                "Dog": {"allOf": [ref("Pet"), _kind("dog", barks=WHOLE)]},
                "Cat": {"allOf": [ref("Pet"), _kind("cat", purrs=WHOLE)]},
            },
        ),
        [
            {"pay": {"name": "n", "kind": "dog", "barks": 1}},
            {"pay": {"name": "n", "kind": "cat", "purrs": 1}},
        ],
        [{"pay": {"kind": "dog", "barks": 1}}, {"pay": {"name": "n", "kind": "cat", "barks": 1}}],
    ),
    case(
        "one may be null",
        _pay({"oneOf": [ref("Card"), ref("Bank"), {"type": "null"}]}),
        [{"pay": None}, *_GOOD],
        _BAD,
    ),
)
