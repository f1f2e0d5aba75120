"""Arrays: lists, tuples, what they contain, and what must not stand twice."""

from __future__ import annotations

from typing import Any

from tests.support.payloads import DRAFT_2020_12
from tests.torture.cases._case import NUMBER, TEXT, WHOLE, Case, case, field, obj


def _array(**keywords: Any) -> dict[str, Any]:
    return {"type": "array", **keywords}


CASES: tuple[Case, ...] = (
    field("any list", _array(), [[], [1, "x", None, [[]]]], [{}, "x", None, 1]),
    field("a list of texts", _array(items=TEXT), [[], ["a", ""]], [[1], ["a", None], {}, "a"]),
    field("a list of anything", _array(items={}), [[], [1, "x"]], [{}, None]),
    field("a list of anything, true", _array(items=True), [[], [None]], ["x"]),
    field("a list of nothing", _array(items=False), [[]], [[1], [None]]),
    field(
        "a list of objects",
        _array(items=obj(["a"], a=WHOLE)),
        [[], [{"a": 1}, {"a": 2, "b": 3}]],
        [[{}], [{"a": "1"}], [1]],
    ),
    field(
        "a list of lists",
        _array(items=_array(items=WHOLE)),
        [[], [[]], [[1], [2, 3]]],
        [[1], [["1"]]],
    ),
    field(
        "a list of lists of objects",
        _array(items=_array(items=obj(["z"], z=TEXT))),
        [[[{"z": "a"}]]],
        [[[{}]], [{"z": "a"}]],
    ),
    field(
        "a list of nullable objects",
        _array(items={"anyOf": [obj(["a"], a=TEXT), {"type": "null"}]}),
        [[None, {"a": "x"}]],
        [[{}], [1]],
    ),
    field("at least one", _array(minItems=1), [[1]], [[]]),
    field("at most two", _array(items=WHOLE, maxItems=2), [[], [1, 2]], [[1, 2, 3]]),
    field("exactly two", _array(items=WHOLE, minItems=2, maxItems=2), [[1, 2]], [[1], [1, 2, 3]]),
    field(
        "counts written as fractions", _array(minItems=1.0, maxItems=2.0), [[1]], [[], [1, 2, 3]]
    ),
    field(
        "none twice",
        _array(items=WHOLE, uniqueItems=True),
        [[], [1, 2], [3, 1, 2]],
        [[1, 1], [1, 2, 1], [1, 1.0]],
    ),
    field(
        "none twice, of any type",
        _array(uniqueItems=True),
        [[1, True], [0, False], ["1", 1], [{"a": 1}, {"a": True}]],
        [[None, None], [[1], [1]], [{"a": 1, "b": 2}, {"b": 2, "a": 1}]],
    ),
    field("some twice", _array(items=WHOLE, uniqueItems=False), [[1, 1]], [["1"]]),
    field(
        "objects, none twice",
        _array(items=obj(a=WHOLE), uniqueItems=True),
        [[{"a": 1}, {"a": 2}, {}]],
        [[{"a": 1}, {"a": 1}]],
    ),
    field("items without a type", {"items": WHOLE}, [[], [1]], [["x"]]),
    field("counts without a type", {"maxItems": 1}, [[], [1], "xx", 5, None], [[1, 2]]),
    field(
        "a tuple",
        _array(items=[TEXT, WHOLE]),
        [["x", 1], ["x"], [], ["x", 1, None]],
        [[1, "x"], ["x", "y"]],
    ),
    field(
        "a tuple and no more",
        _array(items=[TEXT, WHOLE], additionalItems=False),
        [["x", 1], ["x"], []],
        [["x", 1, 2]],
    ),
    field(
        "a tuple and the rest",
        _array(items=[TEXT, WHOLE], additionalItems={"type": "boolean"}),
        [["x", 1], ["x", 1, True, False]],
        [["x", 1, 2]],
    ),
    field(
        "a tuple of one and the rest",
        _array(items=[TEXT], additionalItems=WHOLE),
        [["x"], ["x", 1, 2], []],
        [["x", "y"], [1]],
    ),
    field(
        "a tuple of a length",
        _array(items=[TEXT, WHOLE], minItems=2, maxItems=2),
        [["x", 1]],
        [["x"], ["x", 1, 1], [1, 1]],
    ),
    field(
        "a tuple of objects",
        _array(items=[obj(["a"], a=TEXT), obj(["b"], b=WHOLE)], minItems=2, additionalItems=False),
        [[{"a": "x"}, {"b": 1}]],
        [[{"b": 1}, {"a": "x"}], [{"a": "x"}]],
    ),
    field(
        "a tuple with a nullable",
        _array(items=[{"type": ["string", "null"]}, WHOLE], minItems=2, maxItems=2),
        [[None, 1], ["x", 1]],
        [[1, 1]],
    ),
    field(
        "prefixItems",
        _array(prefixItems=[TEXT, WHOLE]),
        [["x", 1], [], ["x", 1, None]],
        [[1], ["x", "y"]],
        language=DRAFT_2020_12,
    ),
    field(
        "prefixItems and no more",
        _array(prefixItems=[TEXT, WHOLE], items=False),
        [["x", 1], ["x"]],
        [["x", 1, 2]],
        language=DRAFT_2020_12,
    ),
    field(
        "prefixItems and the rest",
        _array(prefixItems=[TEXT], items=WHOLE),
        [["x"], ["x", 1, 2]],
        [["x", "y"]],
        language=DRAFT_2020_12,
    ),
    field(
        "prefixItems of a length",
        _array(prefixItems=[NUMBER, NUMBER], items=False, minItems=2),
        [[1, 2.5]],
        [[1], [1, 2, 3]],
        language=DRAFT_2020_12,
    ),
    field(
        "prefixItems, one may be anything",
        _array(prefixItems=[True, WHOLE]),
        [[None, 1]],
        [[None, "x"]],
        language=DRAFT_2020_12,
    ),
    field(
        "prefixItems, one never",
        _array(prefixItems=[TEXT, False]),
        [["x"], []],
        [["x", 1]],
        language=DRAFT_2020_12,
    ),
    field("contains", _array(contains={"const": "x"}), [["x"], [1, "x"]], [[], ["y"]]),
    field(
        "contains and items",
        _array(items=TEXT, contains={"pattern": "^a"}),
        [["ab", "b"]],
        [["b"], ["ab", 1]],
    ),
    field(
        "contains at least two",
        _array(contains={"type": "integer"}, minContains=2),
        [[1, "x", 2]],
        [[1], ["x"]],
        language=DRAFT_2020_12,
    ),
    field(
        "contains at most one",
        _array(contains={"type": "integer"}, maxContains=1),
        [[1], [1, "x"]],
        [[1, 2], []],
        language=DRAFT_2020_12,
    ),
    field(
        "contains none is enough",
        _array(contains={"type": "integer"}, minContains=0, maxContains=1),
        [[], [1]],
        [[1, 2]],
        language=DRAFT_2020_12,
    ),
    field(
        "contains objects",
        _array(items=obj(k=TEXT), contains=obj(["k"], k={"const": "id"})),
        [[{"k": "id"}, {}]],
        [[{}], []],
    ),
    field(
        "unevaluatedItems",
        _array(prefixItems=[TEXT], unevaluatedItems=False),
        [["x"], []],
        [["x", 1]],
        language=DRAFT_2020_12,
    ),
    field(
        "unevaluatedItems behind allOf",
        _array(allOf=[{"prefixItems": [TEXT, WHOLE]}], unevaluatedItems=False),
        [["x", 1]],
        [["x", 1, 2], [1]],
        language=DRAFT_2020_12,
    ),
    field(
        "unevaluatedItems of a type",
        _array(prefixItems=[TEXT], unevaluatedItems=WHOLE),
        [["x", 1, 2]],
        [["x", "y"]],
        language=DRAFT_2020_12,
    ),
    field(
        "a list or a text", {"type": ["array", "string"], "items": WHOLE}, [[1], "x"], [["x"], 1]
    ),
    field("a nullable list", {"type": ["array", "null"], "items": WHOLE}, [None, [1]], [["x"], 1]),
    field(
        "a list of patterns",
        _array(items={**TEXT, "pattern": "^a", "minLength": 2}),
        [["ab"]],
        [["a"], ["bb"]],
    ),
    field(
        "a list of lists of a length",
        _array(items=_array(items=NUMBER, minItems=2, maxItems=2)),
        [[[1, 2]]],
        [[[1]], [[1, 2, 3]]],
    ),
    case(
        "a payload that is a list",
        _array(items=obj(["a"], a=WHOLE)),
        [[], [{"a": 1}]],
        [{}, [{}], None],
    ),
    case(
        "a payload that is a list, none twice",
        _array(items=WHOLE, uniqueItems=True, minItems=1),
        [[1, 2]],
        [[], [1, 1]],
    ),
    case(
        "a payload that is a tuple",
        _array(items=[TEXT, WHOLE], additionalItems=False, minItems=2),
        [["x", 1]],
        [["x"], [1, "x"], ["x", 1, 1]],
    ),
    case(
        "a list that may be absent",
        obj(a=_array(items=WHOLE)),
        [{}, {"a": []}],
        [{"a": None}, {"a": [None]}],
    ),
)
