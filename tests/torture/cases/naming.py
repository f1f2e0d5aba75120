"""Names on the wire that Python, pydantic or the generator might take for something else."""

from __future__ import annotations

import keyword
from collections.abc import Iterable

from tests.torture.cases._case import TEXT, WHOLE, Case, case, obj

_PYDANTIC = [
    "schema",
    "json",
    "copy",
    "dict",
    "model_config",
    "model_dump",
    "model_fields",
    "model_x",
    "validate",
    "construct",
    "fields",
    "parse_obj",
    "model_extra",
    "model_post_init",
    "register",
]
_DUNDERS = ["__init__", "__class__", "__dict__", "__slots__", "__pydantic_extra__", "__hash__"]
_SHADOWS = [
    "str",
    "int",
    "list",
    "dict",
    "type",
    "id",
    "object",
    "None",
    "True",
    "self",
    "cls",
    "super",
]
_MODULE = [
    "Field",
    "Annotated",
    "Any",
    "EventModel",
    "MISSING",
    "Literal",
    "datetime",
    "Decimal",
    "UUID",
]


def _all(title: str, names: Iterable[str]) -> Case:
    """Every one of the names is required; one absent is refused, and so is another type."""
    listed = list(names)
    good = dict.fromkeys(listed, "v")
    without = [{name: "v" for name in listed if name != one} for one in listed]
    wrong = [{**good, one: 1} for one in listed]
    return case(title, obj(listed, **dict.fromkeys(listed, TEXT)), [good], [*without, *wrong])


def _optional(title: str, names: Iterable[str]) -> Case:
    listed = list(names)
    good = [{}, dict.fromkeys(listed, 1), *({name: 1} for name in listed)]
    return case(title, obj(**dict.fromkeys(listed, WHOLE)), good, [{name: "x"} for name in listed])


CASES: tuple[Case, ...] = (
    _all("keywords", sorted(keyword.kwlist)),
    _optional("keywords, absent allowed", sorted(keyword.kwlist)),
    _all("soft keywords", sorted(keyword.softkwlist)),
    _all("attributes of a pydantic model", _PYDANTIC),
    _optional("attributes of a pydantic model, absent allowed", _PYDANTIC),
    _all("dunders", _DUNDERS),
    _all("builtins", _SHADOWS),
    _optional("builtins, absent allowed", _SHADOWS),
    _all("what the module imports", _MODULE),
    _all("no identifiers", ["x-y", "a b", "a.b", "a/b", "@type", "$id2", "#", "%", "a:b", "a[0]"]),
    _all("leading digits", ["1st", "2", "3-d", "0x"]),
    _all("leading underscores", ["_private", "__very", "_", "__", "_1"]),
    _all("unicode", ["straße", "名前", "é", "ключ", "αβ"]),
    _all("unicode that Python normalises", ["ﬁ", "ª", "\u017f", "\U0001d431"]),
    _all("combining characters", ["e\u0301", "n\u0303o"]),
    _all("emoji and signs", ["🎉", "→", "€", "½"]),
    _all("the empty name", [""]),
    _all("a space", [" ", "  "]),
    _all("several cases of one name", ["orderId", "order_id", "order-id", "OrderID", "ORDER_ID"]),
    _all("names that end alike", ["a_", "a__", "a"]),
    _all("names made of what others become", ["class_", "class", "field_1st", "1st"]),
    _all("quotes and backslashes", ['"', "'", "\\", '"""', "a\\nb"]),
    _all("braces", ["{", "}", "{{ x }}", "{% raw %}", "${HOME}", "{0}"]),
    _all("line breaks and controls", ["a\nb", "a\tb", "\u0000", "\u2028", "\u202e"]),
    _all("prototype", ["__proto__", "constructor", "toString", "hasOwnProperty"]),
    _all(
        "words of JSON Schema", ["$ref", "type", "properties", "required", "enum", "allOf", "items"]
    ),
    _all("a long name", ["a" * 300]),
    case(
        "a name that is its class's",
        obj(["order"], order=obj(["order"], order=obj(["order"], order=WHOLE))),
        [{"order": {"order": {"order": 1}}}],
        [{"order": {"order": {}}}],
    ),
    case(
        "an enum field named like another's class",
        obj(a=obj(kind={"enum": ["x", "y"]}), a_kind=TEXT),
        [{"a": {"kind": "x"}, "a_kind": "v"}],
        [{"a": {"kind": "z"}}],
    ),
    case(
        "the wire's names, not the fields'",
        {**obj(["orderId"], orderId=TEXT), "additionalProperties": False},
        [{"orderId": "x"}],
        [{"order_id": "x"}, {"OrderId": "x"}],
    ),
    case(
        "a field's name is an unknown one on the wire",
        obj(orderId=TEXT),
        [{"order_id": 1}, {"orderId": "x", "order_id": 2}],
        [{"orderId": 1}],
    ),
    case(
        "an alias and an unknown of its field's name",
        obj(["class"], **{"class": TEXT}),
        [{"class": "x", "class_": 1}],
        [{"class_": "x"}],
    ),
)
