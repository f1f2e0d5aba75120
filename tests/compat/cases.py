"""Changes of a JSON Schema, and whom each must break: the rules of compatibility, as data.

The verdicts are those of the tolerant policy: writers write what they declare, readers ignore what
they do not know. A case says of producers, then of consumers, whether they go on as before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    old: Any
    new: Any
    producers: bool
    consumers: bool
    definitions: tuple[dict[str, Any], dict[str, Any]] = ({}, {})


S: dict[str, Any] = {"type": "string"}
I: dict[str, Any] = {"type": "integer"}  # noqa: E741 - one letter for each type
N: dict[str, Any] = {"type": "number"}
B: dict[str, Any] = {"type": "boolean"}
NULL: dict[str, Any] = {"type": "null"}
REF: dict[str, Any] = {"$ref": "#/$defs/T"}
OK, NO = True, False


def obj(required: str = "", /, closed: bool = False, **properties: Any) -> dict[str, Any]:
    """An object; `required` names properties, with spaces."""
    made: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        made["required"] = required.split()
    return {**made, "additionalProperties": False} if closed else made


def arr(items: Any, **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, **more}


def one_of(*branches: Any) -> dict[str, Any]:
    return {"oneOf": list(branches)}


def any_of(*branches: Any) -> dict[str, Any]:
    return {"anyOf": list(branches)}


def all_of(*parts: Any) -> dict[str, Any]:
    return {"allOf": list(parts)}


def enum(*values: Any) -> dict[str, Any]:
    return {"enum": list(values)}


def card(**more: Any) -> dict[str, Any]:
    return obj("kind pan", kind={"const": "card"}, pan=S, **more)


IBAN = obj("kind iban", kind={"const": "iban"}, iban=S)
CASH = obj("kind", kind={"const": "cash"})


def at(old: Any, new: Any) -> tuple[Any, Any]:
    """A change of one required property."""
    return obj("p", p=old), obj("p", p=new)


def case(name: str, pair: tuple[Any, Any], producers: bool, consumers: bool) -> Case:
    return Case(name, *pair, producers, consumers)


def both(name: str, old: Any, new: Any) -> tuple[Case, Case]:
    """Narrowing a property breaks producers; the same the other way round, consumers."""
    return (
        case(f"{name}: narrower", at(old, new), NO, OK),
        case(f"{name}: wider", at(new, old), OK, NO),
    )


def same(name: str, old: Any, new: Any) -> tuple[Case, Case]:
    """The same in other words."""
    return (
        case(f"{name}: one way", at(old, new), OK, OK),
        case(f"{name}: and back", at(new, old), OK, OK),
    )


def apart(name: str, old: Any, new: Any) -> tuple[Case]:
    return (case(name, at(old, new), NO, NO),)


BASE = obj("id n", id=S, n=I, st=enum("a", "b"))
CLOSED = {**BASE, "additionalProperties": False}


def tree(value: Any, *, closed: bool = False) -> dict[str, Any]:
    return {"T": obj("v", closed=closed, v=value, kids=arr(REF))}


OBJECTS = (
    Case("identical", BASE, BASE, OK, OK),
    Case("only the description", BASE, {**BASE, "description": "x", "title": "y"}, OK, OK),
    Case("an extension", BASE, {**BASE, "x-pii": True}, OK, OK),
    Case("an example", BASE, {**BASE, "examples": [{"id": "a", "n": 1}]}, OK, OK),
    Case("optional added, open", BASE, obj("id n", **BASE["properties"], z=S), OK, OK),
    Case(
        "optional added, closed",
        CLOSED,
        obj("id n", closed=True, **BASE["properties"], z=S),
        OK,
        OK,
    ),
    Case("anything added", BASE, obj("id n", **BASE["properties"], z={}), OK, OK),
    Case("required added, open", BASE, obj("id n z", **BASE["properties"], z=S), NO, OK),
    Case(
        "required added, closed",
        CLOSED,
        obj("id n z", closed=True, **BASE["properties"], z=S),
        NO,
        OK,
    ),
    Case(
        "required added with a default",
        BASE,
        obj("id n z", **BASE["properties"], z={**S, "default": "x"}),
        NO,
        OK,
    ),
    Case("required added, not described", BASE, {**BASE, "required": ["id", "n", "z"]}, NO, OK),
    Case("optional removed, open", BASE, obj("id n", id=S, n=I), OK, OK),
    Case("optional removed, closed", CLOSED, obj("id n", closed=True, id=S, n=I), OK, OK),
    Case("required removed, open", BASE, obj("id", id=S, st=enum("a", "b")), OK, NO),
    Case(
        "required removed, closed", CLOSED, obj("id", closed=True, id=S, st=enum("a", "b")), OK, NO
    ),
    Case("required becomes optional", BASE, {**BASE, "required": ["id"]}, OK, NO),
    Case("optional becomes required", BASE, {**BASE, "required": ["id", "n", "st"]}, NO, OK),
    Case(
        "nothing is required any more",
        BASE,
        {k: v for k, v in BASE.items() if k != "required"},
        OK,
        NO,
    ),
    Case("required in another order", BASE, {**BASE, "required": ["n", "id"]}, OK, OK),
    Case("optional renamed", obj("id", id=S, a=S), obj("id", id=S, b=S), OK, OK),
    Case("required renamed", obj("id a", id=S, a=S), obj("id b", id=S, b=S), NO, NO),
    Case("open becomes closed", BASE, CLOSED, OK, OK),
    Case("closed becomes open", CLOSED, BASE, OK, OK),
    Case(
        "others become a map", obj("a", a=S), {**obj("a", a=S), "additionalProperties": I}, OK, OK
    ),
    Case(
        "a map becomes wider",
        {**obj("a", a=S), "additionalProperties": I},
        {**obj("a", a=S), "additionalProperties": N},
        OK,
        NO,
    ),
    Case(
        "a map becomes narrower",
        {**obj("a", a=S), "additionalProperties": N},
        {**obj("a", a=S), "additionalProperties": I},
        NO,
        OK,
    ),
    Case(
        "a map without names becomes wider",
        {"type": "object", "additionalProperties": S},
        {"type": "object", "additionalProperties": {"type": ["string", "null"]}},
        OK,
        NO,
    ),
    Case(
        "a map gets a name of its own kind",
        {"type": "object", "additionalProperties": I},
        {**obj(a=I), "additionalProperties": I},
        OK,
        OK,
    ),
    Case(
        "a map gets a name of another kind",
        {"type": "object", "additionalProperties": I},
        {**obj(a=S), "additionalProperties": I},
        NO,
        NO,
    ),
    Case(
        "a pattern of names added, closed",
        CLOSED,
        {**CLOSED, "patternProperties": {"^x-": S}},
        OK,
        OK,
    ),
    Case(
        "the values of a pattern narrowed",
        {"type": "object", "patternProperties": {"^x-": N}},
        {"type": "object", "patternProperties": {"^x-": I}},
        NO,
        OK,
    ),
    Case(
        "names limited",
        {"type": "object"},
        {"type": "object", "propertyNames": {"pattern": "^[a-z]+$"}},
        NO,
        OK,
    ),
    Case(
        "more properties asked for",
        {"type": "object"},
        {"type": "object", "minProperties": 1},
        NO,
        OK,
    ),
    Case(
        "fewer properties allowed",
        {"type": "object", "maxProperties": 5},
        {"type": "object", "maxProperties": 2},
        NO,
        OK,
    ),
    Case(
        "required together added",
        obj(a=S, b=S),
        {**obj(a=S, b=S), "dependentRequired": {"a": ["b"]}},
        NO,
        OK,
    ),
    Case(
        "required together removed",
        {**obj(a=S, b=S), "dependentRequired": {"a": ["b"]}},
        obj(a=S, b=S),
        OK,
        NO,
    ),
    Case("a default changed", obj(a={**S, "default": "x"}), obj(a={**S, "default": "y"}), OK, OK),
    Case("a default added", obj(a=S), obj(a={**S, "default": "y"}), OK, OK),
    Case(
        "a nested object gains a required property",
        *at(obj("x", x=S), obj("x y", x=S, y=S)),
        NO,
        OK,
    ),
    Case(
        "a nested object loses a required property",
        *at(obj("x y", x=S, y=S), obj("x", x=S)),
        OK,
        NO,
    ),
    Case(
        "three levels down a bound",
        *at(obj("b", b=obj("c", c=I)), obj("b", b=obj("c", c={**I, "minimum": 0}))),
        NO,
        OK,
    ),
    Case("all in an optional property", obj(p=obj("x", x=S)), obj(p=obj("x y", x=S, y=I)), NO, OK),
    Case("a property that must not be there", obj(a=S, b=S), obj(a=S, b=False), NO, OK),
    Case("an empty object gets an optional property", {"type": "object"}, obj(a=S), NO, OK),
)
VALUES = (
    *both("number and integer", N, I),
    *both("nullable", {"type": ["string", "null"]}, S),
    *both("several types", {"type": ["string", "integer"]}, S),
    *both("any and text", {}, S),
    *apart("integer becomes text", I, S),
    *apart("number becomes text", N, S),
    *apart("text becomes true or false", S, B),
    *apart("text becomes an object", S, obj("x", x=S)),
    *apart("text becomes a list", S, arr(S)),
    *apart("a list becomes one of its items", arr(S), S),
    *apart("nothing becomes text", NULL, S),
    *both("enum", enum("a", "b", "c"), enum("a", "b")),
    *both("enum and text", S, enum("a", "b")),
    *both("enum and const", enum("a", "b"), {"const": "a"}),
    *both("enum with null", enum("a", None), enum("a")),
    *both("enum of numbers", enum(1, 2, 3), enum(1, 2)),
    *both("const and text", S, {"const": "a"}),
    *same("enum in another order", enum("a", "b"), enum("b", "a")),
    *same("enum of one and const", enum("a"), {"const": "a"}),
    *same("typed enum", enum("a", "b"), {"type": "string", "enum": ["a", "b"]}),
    *apart("const changed", {"const": "a"}, {"const": "b"}),
    *apart("enum moved", enum("a", "b"), enum("b", "c")),
    *apart("enum replaced", enum("a"), enum(1)),
    case(
        "an open list of values grows",
        at({**S, "x-extensible-enum": ["a"]}, {**S, "x-extensible-enum": ["a", "b"]}),
        OK,
        OK,
    ),
    *both("minimum", {**I, "minimum": 0}, {**I, "minimum": 5}),
    *both("minimum and none", I, {**I, "minimum": 0}),
    *both("maximum", {**N, "maximum": 10}, {**N, "maximum": 5}),
    *both("exclusiveMinimum", {**N, "exclusiveMinimum": 0}, {**N, "exclusiveMinimum": 1}),
    *both("exclusiveMaximum and maximum", {**N, "maximum": 5}, {**N, "exclusiveMaximum": 5}),
    *same("whole numbers above", {**I, "minimum": 1}, {**I, "exclusiveMinimum": 0}),
    *both("multipleOf", {**I, "multipleOf": 2}, {**I, "multipleOf": 4}),
    *both("multipleOf and none", I, {**I, "multipleOf": 5}),
    *apart(
        "a range that moved", {**I, "minimum": 0, "maximum": 5}, {**I, "minimum": 3, "maximum": 9}
    ),
    *both("minLength", {**S, "minLength": 1}, {**S, "minLength": 3}),
    *both("minLength and none", S, {**S, "minLength": 1}),
    *both("maxLength", {**S, "maxLength": 9}, {**S, "maxLength": 5}),
    *both("pattern and none", S, {**S, "pattern": "^[A-Z]{3}$"}),
    *apart("pattern changed", {**S, "pattern": "^a"}, {**S, "pattern": "^b"}),
    *both("format and none", S, {**S, "format": "uuid"}),
    *both("format date", S, {**S, "format": "date"}),
    *apart("format changed", {**S, "format": "date"}, {**S, "format": "uuid"}),
    *both("not", S, {**S, "not": {"const": "x"}}),
    *both("not an enum", S, {**S, "not": enum("x", "y")}),
)
LISTS = (
    *both("items", arr(N), arr(I)),
    *both("items and any", {"type": "array"}, arr(S)),
    *both("items of an enum", arr(enum("a", "b")), arr(enum("a"))),
    *both("minItems", arr(S), arr(S, minItems=1)),
    *both("maxItems", arr(S, maxItems=5), arr(S, maxItems=2)),
    *both("uniqueItems", arr(S), arr(S, uniqueItems=True)),
    *both("contains", arr(S), arr(S, contains={"const": "x"})),
    *apart("items replaced", arr(S, minItems=1), arr(I, minItems=1)),
    case(
        "objects in a list get a required property",
        at(arr(obj("x", x=S)), arr(obj("x y", x=S, y=S))),
        NO,
        OK,
    ),
    case(
        "objects in a list get an optional property",
        at(arr(obj("x", x=S)), arr(obj("x", x=S, y=S))),
        OK,
        OK,
    ),
    *both(
        "a place of a tuple",
        {"type": "array", "prefixItems": [S, N], "minItems": 2},
        {"type": "array", "prefixItems": [S, I], "minItems": 2},
    ),
    *both(
        "a tuple that may go on",
        {"type": "array", "prefixItems": [S]},
        {"type": "array", "prefixItems": [S], "items": False},
    ),
    *both("a list in a list", arr(arr(N)), arr(arr(I))),
)
COMBINED = (
    *both("alternatives", any_of(S, I), any_of(S)),
    *both("exclusive alternatives", one_of(S, I, B), one_of(S, I)),
    *both("nullable by alternative", any_of(S, NULL), S),
    *both("an alternative with a tag", one_of(card(), IBAN, CASH), one_of(card(), IBAN)),
    *apart("one tag for another", one_of(card(), IBAN), one_of(card(), CASH)),
    *same("alternatives in another order", any_of(S, I), any_of(I, S)),
    *same("types and alternatives", {"type": ["string", "integer"]}, any_of(S, I)),
    case(
        "a tagged alternative gets an optional property",
        at(one_of(card(), IBAN), one_of(card(name=S), IBAN)),
        OK,
        OK,
    ),
    case(
        "a tagged alternative gets a required property",
        at(
            one_of(card(), IBAN),
            one_of(obj("kind pan cvc", kind={"const": "card"}, pan=S, cvc=S), IBAN),
        ),
        NO,
        OK,
    ),
    case(
        "a property of a tagged alternative changes",
        at(one_of(card(), IBAN), one_of(obj("kind pan", kind={"const": "card"}, pan=I), IBAN)),
        NO,
        NO,
    ),
    Case("parts become one", all_of(obj("a", a=S), obj("b", b=I)), obj("a b", a=S, b=I), OK, OK),
    Case("one becomes parts", obj("a b", a=S, b=I), all_of(obj("a", a=S), obj("b", b=I)), OK, OK),
    Case(
        "a part gets a required property",
        all_of(obj("a", a=S), obj("b", b=I)),
        all_of(obj("a", a=S), obj("b c", b=I, c=S)),
        NO,
        OK,
    ),
    Case(
        "a part gets an optional property",
        all_of(obj("a", a=S), obj("b", b=I)),
        all_of(obj("a", a=S), obj("b", b=I, c=S)),
        OK,
        OK,
    ),
    Case(
        "a part is added", all_of(obj("a", a=S)), all_of(obj("a", a=S), {"required": ["b"]}), NO, OK
    ),
    Case(
        "a property in a part narrows",
        all_of(obj("a", a=N), obj("b", b=I)),
        all_of(obj("a", a=I), obj("b", b=I)),
        NO,
        OK,
    ),
    Case(
        "a condition that stays",
        {**obj(t=S, x=I), "if": {"properties": {"t": {"const": "a"}}}, "then": {"required": ["x"]}},
        {
            **obj(t=S, x=I),
            "description": "new",
            "if": {"properties": {"t": {"const": "a"}}},
            "then": {"required": ["x"]},
        },
        OK,
        OK,
    ),
    Case(
        "a condition is added",
        obj("t", t=S, x=I),
        {
            **obj("t", t=S, x=I),
            "if": {"properties": {"t": {"const": "a"}}},
            "then": {"required": ["x"]},
        },
        NO,
        OK,
    ),
    Case(
        "a condition is removed",
        {
            **obj("t", t=S, x=I),
            "if": {"properties": {"t": {"const": "a"}}},
            "then": {"required": ["x"]},
        },
        obj("t", t=S, x=I),
        OK,
        NO,
    ),
    Case(
        "a property needs a part",
        obj(a=S, b=S),
        {**obj(a=S, b=S), "dependentSchemas": {"a": {"required": ["b"]}}},
        NO,
        OK,
    ),
)
REFERRED = (
    Case("written out", *at(REF, obj("x", x=S)), OK, OK, ({"T": obj("x", x=S)}, {})),
    Case("taken out", *at(obj("x", x=S), REF), OK, OK, ({}, {"T": obj("x", x=S)})),
    Case(
        "renamed",
        *at(REF, {"$ref": "#/$defs/U"}),
        OK,
        OK,
        ({"T": obj("x", x=S)}, {"U": obj("x", x=S)}),
    ),
    Case(
        "what it names gets a required property",
        *at(REF, REF),
        NO,
        OK,
        ({"T": obj("x", x=S)}, {"T": obj("x y", x=S, y=S)}),
    ),
    Case(
        "what it names gets an optional property",
        *at(REF, REF),
        OK,
        OK,
        ({"T": obj("x", x=S)}, {"T": obj("x", x=S, y=S)}),
    ),
    Case("what it names is another type", *at(REF, REF), NO, NO, ({"T": S}, {"T": I})),
    Case(
        "inherited: the base gets a required property",
        all_of(REF, obj("b", b=I)),
        all_of(REF, obj("b", b=I)),
        NO,
        OK,
        ({"T": obj("a", a=S)}, {"T": obj("a c", a=S, c=S)}),
    ),
    Case(
        "inherited: the base gets an optional property",
        all_of(REF, obj("b", b=I)),
        all_of(REF, obj("b", b=I)),
        OK,
        OK,
        ({"T": obj("a", a=S)}, {"T": obj("a", a=S, c=S)}),
    ),
    Case(
        "inherited: the base loses a property",
        all_of(REF, obj("b", b=I)),
        all_of(REF, obj("b", b=I)),
        OK,
        NO,
        ({"T": obj("a c", a=S, c=S)}, {"T": obj("a", a=S)}),
    ),
    Case(
        "nullable reference",
        *at(REF, any_of(REF, NULL)),
        OK,
        NO,
        ({"T": obj("x", x=S)}, {"T": obj("x", x=S)}),
    ),
    Case("recursive, the same", *at(REF, REF), OK, OK, (tree(I), tree(I))),
    Case(
        "recursive, closed, the same",
        *at(REF, {"$ref": "#/$defs/U"}),
        OK,
        OK,
        (
            tree(I, closed=True),
            {**tree(I, closed=True), "U": obj("v", closed=True, v=I, kids=arr(REF))},
        ),
    ),
    Case("recursive, wider", *at(REF, REF), OK, NO, (tree(I), tree(N))),
    Case("recursive, narrower", *at(REF, REF), NO, OK, (tree(N), tree(I))),
    Case("recursive, another type", *at(REF, REF), NO, NO, (tree(S), tree(I))),
)
CASES = (*OBJECTS, *VALUES, *LISTS, *COMBINED, *REFERRED)
