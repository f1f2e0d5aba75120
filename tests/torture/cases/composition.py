"""Schemas put together: all of them, any, exactly one, none, and one if another."""

from __future__ import annotations

from tests.torture.cases._case import FLAG, NULL, NUMBER, TEXT, WHOLE, Case, case, field, obj, ref

_BASE = {"definitions": {"Base": obj(["id"], id=TEXT), "Audit": obj(by=TEXT)}}
_KIND = {"type": "string", "enum": ["a", "b"]}

CASES: tuple[Case, ...] = (
    case(
        "allOf of a base and more",
        {**_BASE, "allOf": [ref("Base"), obj(["n"], n=WHOLE)]},
        [{"id": "x", "n": 1}],
        [{"n": 1}, {"id": "x"}, {"id": 1, "n": 1}],
    ),
    case(
        "allOf of three",
        {**_BASE, "allOf": [ref("Base"), ref("Audit"), obj(n=WHOLE)]},
        [{"id": "x"}, {"id": "x", "by": "y", "n": 1}],
        [{}, {"id": "x", "by": 1}],
    ),
    case(
        "allOf beside properties",
        {**_BASE, "allOf": [ref("Base")], **obj(["n"], n=WHOLE)},
        [{"id": "x", "n": 1}],
        [{"id": "x"}, {"n": 1}],
    ),
    case("allOf of one", {**_BASE, "allOf": [ref("Base")]}, [{"id": "x"}], [{}, {"id": None}]),
    case(
        "allOf that requires more",
        {
            "definitions": {"Base": obj(id=TEXT, n=WHOLE)},
            "allOf": [ref("Base"), {"required": ["id"]}],
        },
        [{"id": "x"}],
        [{}, {"n": 1}],
    ),
    case(
        "allOf that narrows to a constant",
        {
            "definitions": {"Base": obj(["kind"], kind=TEXT)},
            "allOf": [ref("Base"), obj(kind={"const": "x"})],
        },
        [{"kind": "x"}],
        [{"kind": "y"}, {}],
    ),
    case(
        "allOf that narrows a bound",
        {
            "definitions": {"Base": obj(["n"], n={**WHOLE, "minimum": 0})},
            "allOf": [ref("Base"), obj(n={"maximum": 9})],
        },
        [{"n": 0}, {"n": 9}],
        [{"n": -1}, {"n": 10}, {"n": "1"}],
    ),
    case(
        "allOf that narrows an object",
        {
            "definitions": {
                "Envelope": obj(["data"], data={"type": "object"}),
                "Order": obj(["no"], no=WHOLE),
            },
            "allOf": [ref("Envelope"), obj(data=ref("Order"))],
        },
        [{"data": {"no": 1}}],
        [{"data": {}}, {"data": {"no": "1"}}, {}],
    ),
    field(
        "allOf of limits",
        {"allOf": [TEXT, {"minLength": 2}, {"maxLength": 3}]},
        ["ab", "abc"],
        ["a", "abcd", 1],
    ),
    field(
        "allOf of numbers",
        {"allOf": [{"type": "number", "minimum": 1}, {"multipleOf": 2}]},
        [2, 4],
        [0, 3, "2"],
    ),
    field("allOf that nothing fits", {"allOf": [TEXT, WHOLE]}, [], ["x", 1, None]),
    field("allOf with false", {"allOf": [TEXT, False]}, [], ["x", 1]),
    field("allOf with true", {"allOf": [True, TEXT]}, ["x"], [1]),
    field(
        "allOf of enums", {"allOf": [{"enum": ["a", "b"]}, {"enum": ["b", "c"]}]}, ["b"], ["a", "c"]
    ),
    case(
        "allOf of closed objects with other names",
        {"allOf": [{**obj(a=TEXT), "additionalProperties": False}, obj(b=TEXT)]},
        [{}, {"a": "x"}],
        [{"b": "x"}, {"a": "x", "b": "y"}],
    ),
    case(
        "allOf nested",
        {**_BASE, "allOf": [{"allOf": [ref("Base"), obj(["m"], m=FLAG)]}, obj(["n"], n=WHOLE)]},
        [{"id": "x", "m": True, "n": 1}],
        [{"id": "x", "n": 1}, {"m": True, "n": 1}],
    ),
    case(
        "allOf of the same base twice",
        {
            "definitions": {
                "Base": obj(["id"], id=TEXT),
                "Mid": {"allOf": [ref("Base"), obj(m=TEXT)]},
            },
            "allOf": [ref("Base"), ref("Mid")],
        },
        [{"id": "x", "m": "y"}],
        [{"m": "y"}],
    ),
    field(
        "anyOf of a text and a number", {"anyOf": [TEXT, WHOLE]}, ["x", 1], [1.5, None, True, []]
    ),
    field(
        "anyOf of objects",
        {"anyOf": [obj(["a"], a=TEXT), obj(["b"], b=WHOLE)]},
        [{"a": "x"}, {"b": 1}, {"a": "x", "b": 1}],
        [{}, {"a": 1}, {"b": "1"}],
    ),
    field(
        "anyOf of limits",
        {"anyOf": [{**WHOLE, "maximum": 1}, {**WHOLE, "minimum": 5}]},
        [0, 1, 5],
        [2, 4, "x"],
    ),
    field(
        "anyOf of formats",
        {"anyOf": [{**TEXT, "format": "uuid"}, {**TEXT, "format": "date"}]},
        ["2024-01-01", "12345678-1234-1234-1234-123456789abc"],
        ["x", 1],
    ),
    field("anyOf of null twice", {"anyOf": [NULL, NULL]}, [None], [[], 0, "x"]),
    field(
        "anyOf of false and a whole number",
        {"anyOf": [{"const": False}, WHOLE]},
        [False, 0, 1],
        [True, "x"],
    ),
    field("anyOf of a flag and zero", {"anyOf": [{"const": 0}, FLAG]}, [0, False, True], [1]),
    field("anyOf with everything", {"anyOf": [TEXT, {}]}, ["x", 1, None], []),
    field("anyOf with nothing", {"anyOf": [TEXT, False]}, ["x"], [1, None]),
    field(
        "anyOf beside a type",
        {"type": "string", "anyOf": [{"pattern": "^a"}, {"minLength": 3}]},
        ["a", "bcd"],
        ["bc", 1],
    ),
    case(
        "anyOf of what is required",
        {**obj(a=TEXT, b=TEXT), "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
        [{"a": "x"}, {"b": "x"}, {"a": "x", "b": "y"}],
        [{}, {"c": 1}],
    ),
    field("oneOf of types", {"oneOf": [TEXT, WHOLE, NULL]}, ["x", 1, None], [1.5, []]),
    field(
        "oneOf that overlaps", {"oneOf": [WHOLE, {**NUMBER, "minimum": 2}]}, [1, 2.5], [3, 1.5, "x"]
    ),
    field(
        "oneOf of multiples",
        {"oneOf": [{**WHOLE, "multipleOf": 3}, {**WHOLE, "multipleOf": 5}]},
        [3, 5, 9],
        [15, 1, 0],
    ),
    field("oneOf of the same twice", {"oneOf": [TEXT, TEXT]}, [], ["x", 1]),
    field(
        "oneOf of open objects",
        {"oneOf": [obj(["a"], a=TEXT), obj(["b"], b=TEXT)]},
        [{"a": "x"}, {"b": "x"}],
        [{}, {"a": "x", "b": "y"}],
    ),
    field(
        "oneOf of closed objects",
        {
            "oneOf": [
                {**obj(["a"], a=TEXT), "additionalProperties": False},
                {**obj(["b"], b=TEXT), "additionalProperties": False},
            ]
        },
        [{"a": "x"}, {"b": "x"}],
        [{"a": "x", "b": "y"}, {}],
    ),
    case(
        "oneOf of what is required",
        {**obj(a=TEXT, b=TEXT), "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
        [{"a": "x"}, {"b": "x"}],
        [{}, {"a": "x", "b": "y"}],
    ),
    case(
        "oneOf at the root",
        {"oneOf": [obj(["a"], a=TEXT), obj(["b"], b=WHOLE)]},
        [{"a": "x"}, {"b": 1}],
        [{}, {"a": 1}, {"a": "x", "b": 1}],
    ),
    case(
        "anyOf at the root",
        {"anyOf": [obj(["a"], a=TEXT), {"type": "array", "items": WHOLE}]},
        [{"a": "x"}, [1]],
        [{}, ["x"], 1],
    ),
    case(
        "oneOf beside a base",
        {**_BASE, "allOf": [ref("Base")], "oneOf": [obj(["a"], a=TEXT), obj(["b"], b=TEXT)]},
        [{"id": "x", "a": "y"}, {"id": "x", "b": "y"}],
        [{"id": "x"}, {"a": "y"}, {"id": "x", "a": "y", "b": "z"}],
    ),
    field(
        "a list of oneOf",
        {"type": "array", "items": {"oneOf": [TEXT, obj(["a"], a=TEXT)]}},
        [["x", {"a": "y"}]],
        [[{}], [1]],
    ),
    field(
        "oneOf of lists",
        {
            "oneOf": [
                {"type": "array", "items": TEXT, "minItems": 1},
                {"type": "array", "items": WHOLE, "minItems": 1},
            ]
        },
        [["x"], [1]],
        [[], ["x", 1]],
    ),
    field("not a type", {"not": TEXT}, [1, None, []], ["x", ""]),
    field("not a value", {**WHOLE, "not": {"const": 0}}, [1, -1], [0, "x"]),
    field("not anything", {"not": {}}, [], [1, None, "x"]),
    field("not nothing", {"not": False}, [1, None, "x"], []),
    case(
        "not with a property",
        {**obj(a=TEXT), "not": {"required": ["b"]}},
        [{}, {"a": "x"}],
        [{"b": 1}, {"a": "x", "b": None}],
    ),
    field("not not", {"not": {"not": TEXT}}, ["x"], [1]),
    field(
        "not any of",
        {**TEXT, "not": {"anyOf": [{"const": "a"}, {"pattern": "^b"}]}},
        ["c"],
        ["a", "bc", 1],
    ),
    case(
        "if then",
        {
            **obj(["t"], t=_KIND, x=WHOLE),
            "if": {"properties": {"t": {"const": "a"}}},
            "then": {"required": ["x"]},
        },
        [{"t": "a", "x": 1}, {"t": "b"}],
        [{"t": "a"}, {"t": "c"}],
    ),
    case(
        "if then else",
        {
            **obj(["t"], t=_KIND, x=WHOLE, y=WHOLE),
            "if": {"properties": {"t": {"const": "a"}}},
            "then": {"required": ["x"]},
            "else": {"required": ["y"]},
        },
        [{"t": "a", "x": 1}, {"t": "b", "y": 1}],
        [{"t": "a", "y": 1}, {"t": "b", "x": 1}],
    ),
    case(
        "if else",
        {**obj(n=WHOLE, s=TEXT), "if": {"required": ["n"]}, "else": {"required": ["s"]}},
        [{"n": 1}, {"s": "x"}],
        [{}],
    ),
    case(
        "if alone asserts nothing",
        {**obj(n=WHOLE), "if": {"required": ["n"]}},
        [{}, {"n": 1}],
        [{"n": "x"}],
    ),
    case(
        "several ifs",
        {
            **obj(t=_KIND, x=WHOLE, y=WHOLE),
            "allOf": [
                {
                    "if": {"properties": {"t": {"const": k}}, "required": ["t"]},
                    "then": {"required": [r]},
                }
                for k, r in (("a", "x"), ("b", "y"))
            ],
        },
        [{}, {"t": "a", "x": 1}, {"t": "b", "y": 1}],
        [{"t": "a"}, {"t": "b", "x": 1}],
    ),
    field(
        "if in a field",
        {**WHOLE, "if": {"minimum": 10}, "then": {"multipleOf": 10}},
        [3, 10, 20],
        [11, 15],
    ),
    case(
        "if narrows a property",
        {
            **obj(["country", "zip"], country=TEXT, zip=TEXT),
            "if": {"properties": {"country": {"const": "DE"}}},
            "then": {"properties": {"zip": {"pattern": "^[0-9]{5}$"}}},
        },
        [{"country": "DE", "zip": "10115"}, {"country": "UK", "zip": "SW1"}],
        [{"country": "DE", "zip": "SW1"}],
    ),
)
