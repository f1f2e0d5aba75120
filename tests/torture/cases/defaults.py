"""Defaults: of every type; where they are absent from the wire, a service writes them."""

from __future__ import annotations

from typing import Any

from tests.torture.cases._case import FLAG, NUMBER, TEXT, WHOLE, Case, case, obj

_DATE = {**TEXT, "format": "date"}


def _filled(title: str, schema: dict[str, Any], default: Any, wrong: Any) -> Case:
    """The default is a literal of the type: the event has it, and it is sent."""
    described = obj(a={**schema, "default": default})
    return case(title, described, [{}, {"a": default}], [{"a": wrong}], filled={"a": default})


def _left(title: str, schema: dict[str, Any], default: Any, right: Any, wrong: Any) -> Case:
    """The default is none that a field could have: what is absent stays absent."""
    return case(title, obj(a={**schema, "default": default}), [{}, {"a": right}], [{"a": wrong}])


CASES: tuple[Case, ...] = (
    _filled("a text", TEXT, "d", 1),
    _filled("an empty text", TEXT, "", None),
    _filled("a text with quotes", TEXT, '"""\\N', 1),
    _filled("a whole number", WHOLE, 3, "3"),
    _filled("zero", WHOLE, 0, "0"),
    _filled("a fraction", NUMBER, 0.25, "x"),
    _filled("a flag", FLAG, True, 1),
    _filled("a false flag", FLAG, False, 0),
    _filled("a member of an enum", {"type": "string", "enum": ["x", "y"]}, "y", "z"),
    _filled("a list", {"type": "array", "items": TEXT}, ["a"], [1]),
    _filled("an empty list", {"type": "array", "items": WHOLE}, [], ["x"]),
    _filled("an empty map", {"type": "object", "additionalProperties": WHOLE}, {}, {"a": "x"}),
    _filled("null of a nullable", {"type": ["string", "null"]}, None, 1),
    _left("null of a text", TEXT, None, "x", 1),
    _left("a text of a number", WHOLE, "3", 3, "3"),
    _left("no member of an enum", {"type": "string", "enum": ["x", "y"]}, "z", "x", "z"),
    _left("a text that is too short", {**TEXT, "minLength": 4}, "bad", "good", "bad"),
    _left("a text that does not match", {**TEXT, "pattern": "^a"}, "b", "a", "b"),
    _left("a number beyond its bound", {**NUMBER, "maximum": 3}, 5, 2, 5),
    _left("a number at its bound", {**WHOLE, "exclusiveMinimum": 0}, 0, 1, 0),
    _left("too long a list", {"type": "array", "items": WHOLE, "maxItems": 1}, [1, 2], [1], [1, 2]),
    _left(
        "a list with one twice",
        {"type": "array", "items": WHOLE, "uniqueItems": True},
        [1, 1],
        [1, 2],
        [1, 1],
    ),
    _left("a date", _DATE, "2024-01-01", "2024-02-02", "x"),
    _left("no date at all", _DATE, "x", "2024-02-02", "y"),
    _left("an object without what it requires", obj(["n"], n=WHOLE), {}, {"n": 1}, {}),
    case(
        "of a required property",
        obj(["a"], a={**WHOLE, "default": 1}),
        [{"a": 2}],
        [{}, {"a": "x"}],
    ),
    case("at the root", {**obj(a=WHOLE), "default": {"a": 1}}, [{}, {"a": 2}], [{"a": "x"}]),
    case(
        "inside an object that is absent",
        obj(o=obj(a={**WHOLE, "default": 1})),
        [{}],
        [{"o": {"a": "x"}}, {"o": None}],
    ),
    case(
        "several",
        obj(a={**WHOLE, "default": 1}, b={**TEXT, "default": "x"}, c=FLAG),
        [{}, {"a": 5}, {"b": "y", "c": True}],
        [{"a": None}],
        filled={"a": 1, "b": "x"},
    ),
)
