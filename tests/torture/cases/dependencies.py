"""Properties that ask for others, by name, by pattern, or left over."""

from __future__ import annotations

from tests.support.payloads import DRAFT_2020_12
from tests.torture.cases._case import TEXT, WHOLE, Case, case, field, obj

_AB = obj(a=TEXT, b=TEXT)

CASES: tuple[Case, ...] = (
    case(
        "dependencies of names",
        {**_AB, "dependencies": {"a": ["b"]}},
        [{}, {"b": "x"}, {"a": "x", "b": "y"}],
        [{"a": "x"}],
    ),
    case(
        "dependencies of a schema",
        {**_AB, "dependencies": {"a": {"properties": {"b": {"minLength": 2}}, "required": ["b"]}}},
        [{}, {"b": "x"}, {"a": "x", "b": "yy"}],
        [{"a": "x"}, {"a": "x", "b": "y"}],
    ),
    case(
        "dependencies both ways",
        {**_AB, "dependencies": {"a": ["b"], "b": ["a"]}},
        [{}, {"a": "x", "b": "y"}],
        [{"a": "x"}, {"b": "y"}],
    ),
    case(
        "a dependency of nothing", {**_AB, "dependencies": {"a": []}}, [{}, {"a": "x"}], [{"a": 1}]
    ),
    case(
        "a dependency that is false",
        {**_AB, "dependencies": {"a": False}},
        [{}, {"b": "x"}],
        [{"a": "x"}],
    ),
    case(
        "dependentRequired",
        {**_AB, "dependentRequired": {"a": ["b"]}},
        [{}, {"b": "x"}, {"a": "x", "b": "y"}],
        [{"a": "x"}],
        language=DRAFT_2020_12,
    ),
    case(
        "dependentRequired of several",
        {**_AB, "dependentRequired": {"a": ["b", "c"]}},
        [{"b": "x"}, {"a": "x", "b": "y", "c": 1}],
        [{"a": "x", "b": "y"}, {"a": "x", "c": 1}],
        language=DRAFT_2020_12,
    ),
    case(
        "dependentSchemas",
        {**_AB, "dependentSchemas": {"a": {"required": ["b"]}}},
        [{}, {"a": "x", "b": "y"}],
        [{"a": "x"}],
        language=DRAFT_2020_12,
    ),
    case(
        "dependentSchemas that forbid",
        {**_AB, "dependentSchemas": {"a": {"properties": {"b": False}}}},
        [{"a": "x"}, {"b": "y"}],
        [{"a": "x", "b": "y"}],
        language=DRAFT_2020_12,
    ),
    case(
        "dependentRequired inside",
        obj(["o"], o={**_AB, "dependentRequired": {"b": ["a"]}}),
        [{"o": {}}, {"o": {"a": "x", "b": "y"}}],
        [{"o": {"b": "y"}}],
        language=DRAFT_2020_12,
    ),
    case(
        "dependentRequired without a type",
        {"dependentRequired": {"a": ["b"]}},
        [{}, {"a": 1, "b": 2}],
        [{"a": 1}],
        language=DRAFT_2020_12,
    ),
    case(
        "names by a pattern",
        {"type": "object", "patternProperties": {"^x-": TEXT}},
        [{}, {"x-a": "1"}, {"y": 1}],
        [{"x-a": 1}],
    ),
    case(
        "names by a pattern and no others",
        {"type": "object", "patternProperties": {"^x-": TEXT}, "additionalProperties": False},
        [{}, {"x-a": "1"}],
        [{"y": "1"}, {"x-a": 1}],
    ),
    case(
        "names by two patterns",
        {
            "type": "object",
            "patternProperties": {"^s": TEXT, "^n": WHOLE},
            "additionalProperties": False,
        },
        [{"s1": "x", "n1": 1}],
        [{"s1": 1}, {"n1": "x"}, {"z": 1}],
    ),
    case(
        "names by patterns that overlap",
        {"type": "object", "patternProperties": {"a": WHOLE, "aa": {"maximum": 3}}},
        [{"a": 9}, {"aa": 3}, {"b": "x"}],
        [{"aa": 4}, {"a": "x"}],
    ),
    case(
        "patterns and names",
        {**obj(["a"], a=TEXT), "patternProperties": {"^x-": WHOLE}},
        [{"a": "v"}, {"a": "v", "x-n": 1, "z": None}],
        [{"x-n": 1}, {"a": "v", "x-n": "1"}],
    ),
    case(
        "patterns and names and no others",
        {**obj(["a"], a=TEXT), "patternProperties": {"^x-": WHOLE}, "additionalProperties": False},
        [{"a": "v"}, {"a": "v", "x-n": 1}],
        [{"a": "v", "z": 1}, {"a": "v", "x-n": "1"}],
    ),
    case(
        "patterns and others of a type",
        {"type": "object", "patternProperties": {"^x-": WHOLE}, "additionalProperties": TEXT},
        [{"x-n": 1, "z": "v"}],
        [{"x-n": "v"}, {"z": 1}],
    ),
    case(
        "a pattern that meets a name",
        {**obj(ab=TEXT), "patternProperties": {"^a": {"minLength": 2}}},
        [{"ab": "xy"}, {"ac": 1}],
        [{"ab": "x"}, {"ac": "x"}],
    ),
    case(
        "a pattern that forbids",
        {"type": "object", "patternProperties": {"^_": False}},
        [{"a": 1}],
        [{"_a": 1}],
    ),
    case(
        "a pattern with look-ahead",
        {"type": "object", "patternProperties": {"^(?!x)": WHOLE}},
        [{"a": 1, "xa": "v"}],
        [{"a": "v"}],
    ),
    field(
        "a map by a pattern of names",
        {
            "type": "object",
            "patternProperties": {"^[a-z]{2}$": TEXT},
            "additionalProperties": False,
            "minProperties": 1,
        },
        [{"de": "x"}],
        [{}, {"DE": "x"}, {"de": 1}],
    ),
    case(
        "a pattern of objects",
        {"type": "object", "patternProperties": {"^id": obj(["n"], n=WHOLE)}},
        [{"id1": {"n": 1}}, {"z": 1}],
        [{"id1": {}}, {"id1": 1}],
    ),
    case(
        "names of a pattern",
        {"type": "object", "propertyNames": {"pattern": "^[a-z]+$"}},
        [{}, {"ab": 1}],
        [{"AB": 1}, {"a": 1, "b1": 2}],
    ),
    case(
        "names of a length",
        {"type": "object", "propertyNames": {"maxLength": 2}, "additionalProperties": WHOLE},
        [{"ab": 1}],
        [{"abc": 1}, {"ab": "x"}],
    ),
    case(
        "names of an enum",
        {"type": "object", "propertyNames": {"enum": ["a", "b"]}},
        [{"a": 1}, {"a": 1, "b": 2}],
        [{"c": 1}],
    ),
    case(
        "names of a format",
        {"type": "object", "propertyNames": {"format": "date"}, "additionalProperties": WHOLE},
        [{"2024-01-01": 1}],
        [{"x": 1}],
    ),
    case("no names", {"type": "object", "propertyNames": False}, [{}], [{"a": 1}]),
    case(
        "names beside properties",
        {**obj(a=TEXT), "propertyNames": {"maxLength": 3}},
        [{"a": "x", "abc": 1}],
        [{"abcd": 1}],
    ),
    case(
        "unevaluatedProperties",
        {**obj(a=TEXT), "unevaluatedProperties": False},
        [{}, {"a": "x"}],
        [{"b": 1}],
        language=DRAFT_2020_12,
    ),
    case(
        "unevaluatedProperties behind allOf",
        {
            "type": "object",
            "allOf": [obj(["a"], a=TEXT), obj(b=TEXT)],
            "unevaluatedProperties": False,
        },
        [{"a": "x"}, {"a": "x", "b": "y"}],
        [{"a": "x", "c": 1}, {"b": "y"}],
        language=DRAFT_2020_12,
    ),
    case(
        "unevaluatedProperties of a type",
        {**obj(a=TEXT), "unevaluatedProperties": WHOLE},
        [{"a": "x", "b": 1}],
        [{"b": "x"}],
        language=DRAFT_2020_12,
    ),
    case(
        "unevaluatedProperties behind anyOf",
        {
            **obj(a=TEXT),
            "anyOf": [
                {"properties": {"b": WHOLE}, "required": ["b"]},
                {"properties": {"c": WHOLE}, "required": ["c"]},
            ],
            "unevaluatedProperties": False,
        },
        [{"b": 1}, {"a": "x", "c": 1}, {"b": 1, "c": 1}],
        [{"a": "x"}, {"b": 1, "d": 1}, {"b": 1, "c": "x"}],
        language=DRAFT_2020_12,
    ),
    case(
        "unevaluatedProperties behind if",
        {
            **obj(k=TEXT),
            "if": {"properties": {"k": {"const": "a"}}, "required": ["k"]},
            "then": {"properties": {"x": WHOLE}},
            "unevaluatedProperties": False,
        },
        [{"k": "a", "x": 1}, {"k": "b"}],
        [{"k": "b", "x": 1}],
        language=DRAFT_2020_12,
    ),
    case(
        "unevaluatedProperties behind a reference",
        {
            "$defs": {"Base": obj(["id"], id=TEXT)},
            "type": "object",
            "allOf": [{"$ref": "#/$defs/Base"}],
            "properties": {"n": WHOLE},
            "unevaluatedProperties": False,
        },
        [{"id": "x", "n": 1}],
        [{"id": "x", "z": 1}, {"n": 1}],
        language=DRAFT_2020_12,
    ),
    case(
        "additionalProperties does not see allOf",
        {"allOf": [obj(a=TEXT)], "properties": {"b": TEXT}, "additionalProperties": False},
        [{}, {"b": "x"}],
        [{"a": "x"}, {"c": 1}],
    ),
    case(
        "additional ones of a type beside allOf",
        {"allOf": [obj(a=TEXT)], "additionalProperties": TEXT},
        [{"a": "x", "b": "y"}],
        [{"b": 1}, {"a": 1}],
    ),
)
