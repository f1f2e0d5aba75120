"""Objects: what is required, what is absent, what is null, and what nobody asked for."""

from __future__ import annotations

from tests.torture.cases._case import FLAG, NULL, NUMBER, TEXT, WHOLE, Case, case, field, obj

_NAMES = {"first": TEXT, "last": TEXT}

CASES: tuple[Case, ...] = (
    case(
        "every type of a property",
        obj(["t", "w", "n", "f"], t=TEXT, w=WHOLE, n=NUMBER, f=FLAG),
        [{"t": "", "w": 0, "n": 0.5, "f": False}, {"t": "x", "w": -1, "n": 2, "f": True}],
        [
            {"t": 1, "w": 0, "n": 0, "f": True},
            {"t": "x", "w": "0", "n": 0, "f": True},
            {"t": "x", "w": 0, "n": "0", "f": True},
            {"t": "x", "w": 0, "n": 0, "f": 1},
            {"t": "x", "w": 0, "n": 0, "f": "true"},
            {"t": "x", "w": 0, "n": 0},
        ],
    ),
    case("an object with nothing said", {"type": "object"}, [{}, {"a": [1]}], [[], "x", 1, None]),
    case("a property that may be absent", obj(a=TEXT), [{}, {"a": "x"}], [{"a": None}, {"a": 1}]),
    case("several that may be absent", obj(a=TEXT, b=WHOLE), [{}, {"b": 1}], [{"b": None}]),
    case("required, and absent is not null", obj(["a"], a=TEXT), [{"a": ""}], [{}, {"a": None}]),
    case(
        "required and nullable",
        obj(["a"], a={"type": ["string", "null"]}),
        [{"a": None}, {"a": "x"}],
        [{}, {"a": 1}],
    ),
    case(
        "absent, null or a text",
        obj(a={"type": ["string", "null"]}),
        [{}, {"a": None}, {"a": "x"}],
        [{"a": 1}, {"a": []}],
    ),
    case("null alone", obj(["a"], a=NULL), [{"a": None}], [{}, {"a": 0}, {"a": ""}, {"a": False}]),
    case(
        "null in a oneOf",
        obj(["a"], a={"oneOf": [NULL, WHOLE]}),
        [{"a": None}, {"a": 7}],
        [{"a": "7"}, {}],
    ),
    case(
        "null in an anyOf, absent allowed",
        obj(a={"anyOf": [TEXT, NULL]}),
        [{}, {"a": None}, {"a": "x"}],
        [{"a": 7}],
    ),
    case(
        "null in an enum", obj(a={"enum": ["x", None]}), [{}, {"a": None}, {"a": "x"}], [{"a": "y"}]
    ),
    case(
        "nullable object",
        obj(["a"], a={**obj(["b"], b=TEXT), "type": ["object", "null"]}),
        [{"a": None}, {"a": {"b": "x"}}],
        [{"a": {}}, {"a": "x"}],
    ),
    case(
        "required without a property of that name",
        {"type": "object", "required": ["a"]},
        [{"a": 1}, {"a": None}],
        [{}, {"b": 1}],
    ),
    case(
        "required beside other properties",
        {**obj(b=TEXT), "required": ["a"]},
        [{"a": 1}, {"a": 1, "b": "x"}],
        [{}, {"b": "x"}],
    ),
    case(
        "nested objects",
        obj(["o"], o=obj(["p"], p=obj(["q"], q=WHOLE))),
        [{"o": {"p": {"q": 1}}}],
        [{"o": {"p": {}}}, {"o": {"p": {"q": "1"}}}, {"o": 1}],
    ),
    case(
        "nested, absent allowed",
        obj(o=obj(p=obj(q=WHOLE))),
        [{}, {"o": {}}, {"o": {"p": {}}}],
        [{"o": None}, {"o": {"p": None}}],
    ),
    case(
        "unknown properties are kept",
        obj(a=TEXT),
        [{"a": "x", "b": {"c": [1, None, 2.5]}}, {"b": 1}],
        [{"a": 1, "b": 2}],
    ),
    case(
        "unknown properties inside are kept",
        obj(o=obj(a=TEXT)),
        [{"o": {"z": 1}}, {"o": {"a": "x", "z": {"y": None}}}],
        [{"o": {"a": 0, "z": 1}}],
    ),
    case(
        "no properties but those",
        {**obj(a=TEXT), "additionalProperties": False},
        [{}, {"a": "x"}],
        [{"b": 1}, {"a": "x", "b": None}],
    ),
    case(
        "no properties at all",
        {"type": "object", "additionalProperties": False},
        [{}],
        [{"a": 1}, [], None],
    ),
    case(
        "no others inside",
        obj(["o"], o={**obj(a=TEXT), "additionalProperties": False}),
        [{"o": {}}, {"o": {"a": "x"}, "z": 1}],
        [{"o": {"z": 1}}],
    ),
    case(
        "closed with an empty list of properties",
        {"type": "object", "properties": {}, "additionalProperties": False},
        [{}],
        [{"a": 1}],
    ),
    case(
        "a map of numbers",
        {"type": "object", "additionalProperties": NUMBER},
        [{}, {"a": 1, "b": 0.5}],
        [{"a": "1"}, {"a": None}, {"a": 1, "b": True}],
    ),
    case(
        "a map of objects",
        {"type": "object", "additionalProperties": obj(["a"], a=TEXT)},
        [{}, {"x": {"a": "y"}}],
        [{"x": {}}, {"x": 1}, {"x": {"a": 1}}],
    ),
    case(
        "a map of maps",
        obj(
            ["m"],
            m={
                "type": "object",
                "additionalProperties": {"type": "object", "additionalProperties": WHOLE},
            },
        ),
        [{"m": {}}, {"m": {"a": {"b": 1}}}],
        [{"m": {"a": 1}}, {"m": {"a": {"b": "1"}}}],
    ),
    case(
        "a map of lists of nullable texts",
        obj(
            ["m"],
            m={
                "type": "object",
                "additionalProperties": {"type": "array", "items": {"type": ["string", "null"]}},
            },
        ),
        [{"m": {"a": ["x", None]}}],
        [{"m": {"a": [1]}}, {"m": {"a": None}}],
    ),
    case(
        "others of one type beside a name",
        {**obj(["a"], a=TEXT), "additionalProperties": WHOLE},
        [{"a": "x"}, {"a": "x", "b": 1}],
        [{"a": "x", "b": "y"}, {"b": 1}],
    ),
    case(
        "others are objects",
        {**obj(a=TEXT), "additionalProperties": obj(["n"], n=WHOLE)},
        [{"b": {"n": 1}}],
        [{"b": {}}, {"b": 1}],
    ),
    case(
        "others of any type, said so",
        {**obj(["a"], a=TEXT), "additionalProperties": True},
        [{"a": "x", "b": None}],
        [{"b": None}],
    ),
    case(
        "others anything, by an empty schema",
        {**obj(a=TEXT), "additionalProperties": {}},
        [{"b": [1]}],
        [{"a": 1}],
    ),
    case("at least one property", {"type": "object", "minProperties": 1}, [{"a": 1}], [{}]),
    case(
        "at most one property",
        {"type": "object", "maxProperties": 1},
        [{}, {"a": 1}],
        [{"a": 1, "b": 2}],
    ),
    case(
        "two of three",
        {**obj(a=TEXT, b=TEXT, c=TEXT), "minProperties": 2, "maxProperties": 2},
        [{"a": "x", "c": "y"}],
        [{"a": "x"}, {"a": "", "b": "", "c": ""}],
    ),
    field(
        "a map with at least two entries",
        {"type": "object", "additionalProperties": WHOLE, "minProperties": 2},
        [{"a": 1, "b": 2}],
        [{"a": 1}, {}],
    ),
    case(
        "a property that must not be",
        {**obj(a=TEXT), "properties": {"a": TEXT, "b": False}},
        [{"a": "x"}, {}],
        [{"b": 1}, {"a": "x", "b": None}],
    ),
    case(
        "a property that may be anything",
        {"type": "object", "properties": {"a": True, "b": {}}, "required": ["a"]},
        [{"a": None}, {"a": 1, "b": [{}]}],
        [{}, {"b": 1}],
    ),
    case(
        "two with the same inline object",
        obj(["a", "b"], a=obj(["x"], x=TEXT), b=obj(["x"], x=TEXT)),
        [{"a": {"x": "1"}, "b": {"x": "2"}}],
        [{"a": {"x": "1"}, "b": {}}],
    ),
    case(
        "two inline objects of one name",
        obj(a=obj(item=obj(["x"], x=TEXT)), b=obj(item=obj(["y"], y=WHOLE))),
        [{"a": {"item": {"x": "1"}}, "b": {"item": {"y": 1}}}],
        [{"a": {"item": {"y": 1}}}, {"b": {"item": {"x": "1"}}}],
    ),
    case(
        "properties without a type",
        {"properties": {"a": WHOLE}, "required": ["a"]},
        [{"a": 1}],
        [{}, {"a": "1"}],
    ),
    case(
        "read only and write only",
        obj(["a"], a={**TEXT, "readOnly": True}, b={**TEXT, "writeOnly": True}),
        [{"a": "x", "b": "y"}],
        [{"b": "y"}],
    ),
    case(
        "words that assert nothing",
        {
            **obj(["a"], a={**TEXT, "title": "T", "examples": ["e"], "$comment": "c", "x-own": 1}),
            "description": 'a """ \\ quote',
        },
        [{"a": "x"}],
        [{}],
    ),
    case(
        "an object or null",
        {**obj(["a"], a=TEXT), "type": ["object", "null"]},
        [{"a": "x"}, None],
        [{}, "x"],
    ),
    case(
        "properties of two types",
        obj(["a"], a={"type": ["object", "string"], "properties": {"b": WHOLE}}),
        [{"a": "x"}, {"a": {"b": 1}}, {"a": {}}],
        [{"a": {"b": "1"}}, {"a": 1}],
    ),
    case("a name twice in required", {**obj(a=TEXT), "required": ["a"]}, [{"a": "x"}], [{}]),
    case(
        "deep optional chain",
        obj(a=obj(b=obj(c=obj(["d"], d=FLAG)))),
        [{"a": {"b": {"c": {"d": True}}}}, {"a": {"b": {}}}],
        [{"a": {"b": {"c": {}}}}],
    ),
    case(
        "many properties",
        obj(["p0", "p39"], **{f"p{n}": WHOLE for n in range(40)}),
        [{f"p{n}": n for n in range(40)}, {"p0": 0, "p39": 1}],
        [{"p0": 0}, {**{f"p{n}": n for n in range(40)}, "p20": "x"}],
    ),
    case(
        "required of names only in additional",
        {"type": "object", "additionalProperties": TEXT, "required": ["a"]},
        [{"a": "x"}, {"a": "x", "b": "y"}],
        [{}, {"b": "y"}, {"a": 1}],
    ),
    case(
        "both names required",
        obj(["first", "last"], **_NAMES),
        [{"first": "a", "last": "b"}],
        [{"first": "a"}, {"last": "b"}, {}],
    ),
)
