"""Numbers: large ones, whole ones that are written as fractions, limits and multiples."""

from __future__ import annotations

from tests.torture.cases._case import NUMBER, TEXT, WHOLE, Case, case, field, obj

_HUGE = 10**40

CASES: tuple[Case, ...] = (
    field("a whole number", WHOLE, [0, -1, 2**31, 2**63, -(2**64)], [1.5, "1", True, None, []]),
    field("a huge whole number", WHOLE, [_HUGE, -_HUGE, _HUGE + 1], [str(_HUGE), 0.1]),
    field("a whole number written as a fraction", WHOLE, [3.0, 0.0, 1e3, -2.0], [3.1, 1e-1]),
    field("a number", NUMBER, [0, 1.5, -2, 1e300, 1e-300], ["1", True, None, {}]),
    field("a number, whole", NUMBER, [1, 100, -7], ["1.0", False]),
    field("int32 does not limit", {**WHOLE, "format": "int32"}, [1, 2**40], ["1", 1.5]),
    field("int64 does not limit", {**WHOLE, "format": "int64"}, [2**62, 2**70], [0.5, True]),
    field("double", {**NUMBER, "format": "double"}, [0.1, 3], ["0.1", None]),
    field(
        "decimal number stays a number",
        {**NUMBER, "format": "decimal"},
        [19.99, 3],
        ["19.99", None],
    ),
    field("at least", {**WHOLE, "minimum": 3}, [3, 4, _HUGE], [2, -1, 2.5]),
    field("at most", {**WHOLE, "maximum": 3}, [3, -5], [4, _HUGE]),
    field("more than", {**NUMBER, "exclusiveMinimum": 0}, [0.001, 1], [0, -1, 0.0]),
    field("less than", {**NUMBER, "exclusiveMaximum": 1}, [0.999, 0, -5], [1, 1.0, 2]),
    field("between", {**NUMBER, "minimum": -1.5, "maximum": 1.5}, [-1.5, 0, 1.5], [-1.6, 1.51]),
    field("a whole number at least a fraction", {**WHOLE, "minimum": 0.5}, [1, 2], [0, -1]),
    field("a whole number below a fraction", {**WHOLE, "exclusiveMaximum": 2.5}, [2, 0], [3]),
    field(
        "a bound written as a fraction", {**WHOLE, "minimum": 1.0, "maximum": 3.0}, [1, 3], [0, 4]
    ),
    field("a multiple", {**WHOLE, "multipleOf": 5}, [0, 5, -10], [1, 7]),
    field("a multiple of a half", {**NUMBER, "multipleOf": 0.5}, [0.5, 1, 2.5], [0.25, 0.75]),
    field("a whole multiple of a half", {**WHOLE, "multipleOf": 0.5}, [1, 2], [0.5]),
    field("cents", {**NUMBER, "multipleOf": 0.25}, [19.75, 0.5, 0], [19.99, 0.1]),
    field(
        "a multiple and bounds",
        {**WHOLE, "multipleOf": 3, "minimum": 3, "maximum": 9},
        [3, 9],
        [0, 4, 12],
    ),
    field("a large bound", {**WHOLE, "maximum": 2**63 - 1}, [2**63 - 1, 0], [2**63]),
    field("a bound that no float has", {**WHOLE, "minimum": 2**53 + 1}, [2**53 + 1], [2**53]),
    field("a number beyond a large bound", {**NUMBER, "minimum": 2**60}, [2**60, 2**61], [0]),
    field(
        "a nullable number with bounds",
        {"type": ["integer", "null"], "minimum": 1},
        [None, 1],
        [0, "1"],
    ),
    field(
        "a number or a text",
        {"type": ["number", "string"], "minimum": 1},
        [1, 2.5, "0", ""],
        [0, None, True],
    ),
    field("a whole number or a text", {"type": ["integer", "string"]}, [1, "1"], [1.5, True, None]),
    field("whole or a flag", {"type": ["integer", "boolean"]}, [1, True, 0, False], ["1", 1.5]),
    field("number or whole", {"type": ["integer", "number"]}, [1, 1.5], ["1"]),
    field(
        "a list of bounded numbers",
        {"type": "array", "items": {**WHOLE, "minimum": 1}},
        [[], [1, 2]],
        [[0], [1, 0]],
    ),
    field(
        "a map of bounded numbers",
        {"type": "object", "additionalProperties": {**NUMBER, "maximum": 1}},
        [{"a": 1}, {"a": 0.5}],
        [{"a": 2}],
    ),
    field("bounds without a type", {"minimum": 3}, [3, "x", None, True, []], [2, 2.9]),
    field("a multiple without a type", {"multipleOf": 2}, [4, "x", None], [3]),
    field("negative zero", NUMBER, [-0.0, 0], ["-0"]),
    field("bounds that leave one", {**WHOLE, "minimum": 7, "maximum": 7}, [7], [6, 8]),
    field(
        "small steps",
        {**NUMBER, "exclusiveMinimum": 0.1, "exclusiveMaximum": 0.3},
        [0.2, 0.1000001],
        [0.1, 0.3],
    ),
    field("a bound of a text counts for nothing", {**WHOLE, "maxLength": 1}, [12345], ["1"]),
    field(
        "decimal as a text",
        {**TEXT, "format": "decimal"},
        ["1.50", "-0.1", "10", "123456789012345678901234567890.123456789"],
        ["x", "1,5", "", 1.5],
    ),
    case("a payload that is a number", {**NUMBER, "minimum": 0}, [0, 1.5], [-1, "1"]),
    case("a payload that is a whole number", WHOLE, [1, _HUGE], ["1", 0.5, None]),
    case(
        "a money object",
        obj(
            ["amount", "currency"],
            amount={**TEXT, "format": "decimal"},
            currency={**TEXT, "pattern": "^[A-Z]{3}$"},
        ),
        [{"amount": "0.10", "currency": "EUR"}],
        [{"amount": 0.1, "currency": "EUR"}, {"amount": "0.10", "currency": "eur"}],
    ),
)
