"""References: to definitions, to the root, in circles, and in chains."""

from __future__ import annotations

from tests.support.payloads import DRAFT_2020_12
from tests.torture.cases._case import FLAG, TEXT, WHOLE, Case, case, field, obj, ref

_TREE = obj(["v"], v=WHOLE, kids={"type": "array", "items": ref("Node")})
_JSON = {"anyOf": [TEXT, {"type": "array", "items": ref("J")}]}
_LIST = {
    **obj(["head"], head=WHOLE),
    "properties": {"head": WHOLE, "tail": {"anyOf": [ref("L"), {"type": "null"}]}},
}

CASES: tuple[Case, ...] = (
    case(
        "a definition",
        {"definitions": {"A": obj(["x"], x=TEXT)}, **obj(["a"], a=ref("A"))},
        [{"a": {"x": "y"}}],
        [{"a": {}}, {"a": "y"}, {}],
    ),
    case(
        "one definition twice",
        {"definitions": {"A": obj(["x"], x=TEXT)}, **obj(["a", "b"], a=ref("A"), b=ref("A"))},
        [{"a": {"x": "1"}, "b": {"x": "2"}}],
        [{"a": {"x": "1"}, "b": {}}],
    ),
    case(
        "a definition of a text",
        {"definitions": {"Id": {**TEXT, "minLength": 2}}, **obj(["a"], a=ref("Id"))},
        [{"a": "ab"}],
        [{"a": "a"}, {"a": 1}],
    ),
    case(
        "a definition of a list",
        {
            "definitions": {"Ids": {"type": "array", "items": TEXT, "minItems": 1}},
            **obj(["a"], a=ref("Ids")),
        },
        [{"a": ["x"]}],
        [{"a": []}, {"a": [1]}],
    ),
    case(
        "a definition of a map",
        {
            "definitions": {"M": {"type": "object", "additionalProperties": WHOLE}},
            **obj(["a"], a=ref("M")),
        },
        [{"a": {}}, {"a": {"x": 1}}],
        [{"a": {"x": "1"}}],
    ),
    case(
        "a definition of an enum",
        {"definitions": {"E": {"type": "string", "enum": ["x", "y"]}}, **obj(["a"], a=ref("E"))},
        [{"a": "x"}],
        [{"a": "z"}],
    ),
    case(
        "a definition of anything",
        {"definitions": {"Any": {}}, **obj(["a"], a=ref("Any"))},
        [{"a": None}, {"a": [1]}],
        [{}],
    ),
    case(
        "a definition that is true",
        {"definitions": {"T": True}, **obj(["a"], a=ref("T"))},
        [{"a": None}],
        [{}],
    ),
    case(
        "a definition that is false",
        {"definitions": {"F": False}, **obj(a=ref("F"))},
        [{}],
        [{"a": None}, {"a": 1}],
    ),
    case(
        "a chain of references",
        {
            "definitions": {"A": ref("B"), "B": ref("C"), "C": {**WHOLE, "minimum": 1}},
            **obj(["a"], a=ref("A")),
        },
        [{"a": 1}],
        [{"a": 0}, {"a": "x"}],
    ),
    case(
        "a chain to an object",
        {
            "definitions": {"A": ref("B"), "B": obj(["x"], x=TEXT)},
            **obj(["a"], a=ref("A"), b=ref("B")),
        },
        [{"a": {"x": "y"}}],
        [{"a": {}}, {"a": {"x": "y"}, "b": {}}],
    ),
    case(
        "a nullable reference",
        {
            "definitions": {"A": obj(["x"], x=TEXT)},
            **obj(["a"], a={"anyOf": [ref("A"), {"type": "null"}]}),
        },
        [{"a": None}, {"a": {"x": "y"}}],
        [{"a": {}}, {"a": 1}],
    ),
    case(
        "a list of references",
        {
            "definitions": {"A": obj(["x"], x=TEXT)},
            **obj(["a"], a={"type": "array", "items": ref("A")}),
        },
        [{"a": []}, {"a": [{"x": "y"}]}],
        [{"a": [{}]}],
    ),
    case(
        "a map of references",
        {
            "definitions": {"A": obj(["x"], x=TEXT)},
            **obj(["a"], a={"type": "object", "additionalProperties": ref("A")}),
        },
        [{"a": {"k": {"x": "y"}}}],
        [{"a": {"k": {}}}],
    ),
    case(
        "a reference in an allOf with words",
        {
            "definitions": {"A": obj(["x"], x=TEXT)},
            **obj(["a"], a={"allOf": [ref("A")], "description": "words"}),
        },
        [{"a": {"x": "y"}}],
        [{"a": {}}],
    ),
    case(
        "siblings count for nothing in draft-07",
        {"definitions": {"S": TEXT}, **obj(["a"], a={**ref("S"), "minLength": 3})},
        [{"a": "x"}],
        [{"a": 1}],
    ),
    case(
        "siblings count in 2020-12",
        {"definitions": {"S": TEXT}, **obj(["a"], a={**ref("S"), "minLength": 3})},
        [{"a": "xyz"}],
        [{"a": "x"}, {"a": 1}],
        language=DRAFT_2020_12,
    ),
    case(
        "siblings of an object in 2020-12",
        {
            "definitions": {"A": obj(["x"], x=TEXT)},
            **obj(["a"], a={**ref("A"), "properties": {"y": WHOLE}, "required": ["y"]}),
        },
        [{"a": {"x": "v", "y": 1}}],
        [{"a": {"x": "v"}}, {"a": {"y": 1}}, {"a": {"x": "v", "y": "w"}}],
        language=DRAFT_2020_12,
    ),
    case(
        "a reference and maxItems in 2020-12",
        {
            "definitions": {"A": {"type": "array", "items": WHOLE}},
            **obj(["a"], a={**ref("A"), "maxItems": 1}),
        },
        [{"a": [1]}],
        [{"a": [1, 2]}, {"a": ["x"]}],
        language=DRAFT_2020_12,
    ),
    case(
        "the root again",
        obj(child={"$ref": "#"}),
        [{}, {"child": {"child": {}}}],
        [{"child": 1}, {"child": {"child": None}}],
    ),
    case(
        "the root again, required value",
        obj(["v"], v=WHOLE, next={"$ref": "#"}),
        [{"v": 1}, {"v": 1, "next": {"v": 2}}],
        [{"v": 1, "next": {}}, {}],
    ),
    case(
        "the root in a list",
        obj(["n"], n=TEXT, kids={"type": "array", "items": {"$ref": "#"}}),
        [{"n": "a", "kids": [{"n": "b", "kids": []}]}],
        [{"n": "a", "kids": [{}]}],
    ),
    case(
        "a tree",
        {"definitions": {"Node": _TREE}, **obj(["root"], root=ref("Node"))},
        [{"root": {"v": 1, "kids": [{"v": 2}, {"v": 3, "kids": []}]}}],
        [{"root": {"v": 1, "kids": [{"v": "x"}]}}, {"root": {}}],
    ),
    case(
        "a closed tree",
        {
            "definitions": {"Node": {**_TREE, "additionalProperties": False}},
            **obj(["root"], root=ref("Node")),
        },
        [{"root": {"v": 1, "kids": [{"v": 2}]}}],
        [{"root": {"v": 1, "kids": [{"v": 2, "z": 1}]}}],
    ),
    case(
        "a tree with none twice",
        {
            "definitions": {
                "Node": obj(
                    ["v"],
                    v=WHOLE,
                    kids={"type": "array", "items": ref("Node"), "uniqueItems": True},
                )
            },
            **obj(["root"], root=ref("Node")),
        },
        [{"root": {"v": 1, "kids": [{"v": 1}, {"v": 2}]}}],
        [{"root": {"v": 1, "kids": [{"v": 2}, {"v": 2}]}}],
    ),
    case(
        "two that refer to each other",
        {"definitions": {"A": obj(b=ref("B")), "B": obj(a=ref("A"))}, **obj(x=ref("A"))},
        [{}, {"x": {"b": {"a": {}}}}],
        [{"x": {"b": {"a": 1}}}, {"x": {"b": None}}],
    ),
    case(
        "three in a circle",
        {
            "definitions": {
                "A": obj(["b"], b={"anyOf": [ref("B"), {"type": "null"}]}),
                "B": obj(c=ref("C")),
                "C": obj(a=ref("A")),
            },
            **obj(x=ref("A")),
        },
        [{"x": {"b": None}}, {"x": {"b": {"c": {"a": {"b": None}}}}}],
        [{"x": {"b": {"c": {"a": {}}}}}],
    ),
    case(
        "a text or a list of the same",
        {"definitions": {"J": _JSON}, **obj(["j"], j=ref("J"))},
        [{"j": "a"}, {"j": ["a", ["b", []]]}],
        [{"j": 1}, {"j": [1]}, {"j": [["a", None]]}],
    ),
    case(
        "any JSON, said in full",
        {
            "definitions": {
                "J": {
                    "anyOf": [
                        {"type": ["string", "number", "boolean", "null"]},
                        {"type": "array", "items": ref("J")},
                        {"type": "object", "additionalProperties": ref("J")},
                    ]
                }
            },
            **obj(["j"], j=ref("J")),
        },
        [{"j": {"a": [1, None, {"b": True}]}}, {"j": 0.5}],
        [{}],
    ),
    case(
        "a linked list",
        {"definitions": {"L": _LIST}, **obj(["l"], l=ref("L"))},
        [{"l": {"head": 1, "tail": {"head": 2, "tail": None}}}, {"l": {"head": 1}}],
        [{"l": {"head": 1, "tail": {}}}, {"l": None}],
    ),
    case(
        "a tree of maps",
        {
            "definitions": {
                "Dir": {"type": "object", "additionalProperties": {"anyOf": [WHOLE, ref("Dir")]}}
            },
            **obj(["d"], d=ref("Dir")),
        },
        [{"d": {}}, {"d": {"a": 1, "b": {"c": {}}}}],
        [{"d": {"a": "x"}}, {"d": {"b": {"c": None}}}],
    ),
    case(
        "a recursive allOf",
        {
            "definitions": {
                "Base": obj(["id"], id=TEXT),
                "Group": {
                    "allOf": [ref("Base"), obj(members={"type": "array", "items": ref("Group")})]
                },
            },
            **obj(["g"], g=ref("Group")),
        },
        [{"g": {"id": "a", "members": [{"id": "b"}]}}],
        [{"g": {"id": "a", "members": [{}]}}],
    ),
    case(
        "definitions with odd names",
        {
            "definitions": {
                "com.acme.Order": obj(["a"], a=TEXT),
                "a/b~c": obj(["z"], z=WHOLE),
                "x y": FLAG,
            },
            **obj(
                ["o", "p", "q"],
                o=ref("com.acme.Order"),
                p={"$ref": "#/definitions/a~1b~0c"},
                q={"$ref": "#/definitions/x%20y"},
            ),
        },
        [{"o": {"a": "x"}, "p": {"z": 1}, "q": True}],
        [
            {"o": {}, "p": {"z": 1}, "q": True},
            {"o": {"a": "x"}, "p": {}, "q": True},
            {"o": {"a": "x"}, "p": {"z": 1}, "q": 1},
        ],
    ),
    case(
        "definitions that differ in case",
        {
            "definitions": {"item": obj(["a"], a=TEXT), "Item": obj(["b"], b=TEXT)},
            **obj(["x", "y"], x=ref("item"), y=ref("Item")),
        },
        [{"x": {"a": "1"}, "y": {"b": "2"}}],
        [{"x": {"b": "1"}, "y": {"b": "2"}}, {"x": {"a": "1"}, "y": {"a": "2"}}],
    ),
    case(
        "definitions named like builtins",
        {
            "definitions": {
                "list": obj(["a"], a=TEXT),
                "str": obj(["b"], b=WHOLE),
                "Any": obj(["c"], c=FLAG),
            },
            **obj(["l", "s", "y"], l=ref("list"), s=ref("str"), y=ref("Any")),
        },
        [{"l": {"a": "x"}, "s": {"b": 1}, "y": {"c": True}}],
        [{"l": {}, "s": {"b": 1}, "y": {"c": True}}],
    ),
    case(
        "a reference into a property",
        {
            **obj(["a"], a=obj(["x"], x={**WHOLE, "minimum": 1})),
            "properties": {
                "a": obj(["x"], x={**WHOLE, "minimum": 1}),
                "b": {"$ref": "#/properties/a/properties/x"},
            },
        },
        [{"a": {"x": 1}, "b": 2}],
        [{"a": {"x": 1}, "b": 0}],
    ),
    case(
        "$defs of 2020-12",
        {"$defs": {"T": obj(["a"], a=TEXT)}, **obj(["t"], t={"$ref": "#/$defs/T"})},
        [{"t": {"a": "x"}}],
        [{"t": {}}],
        language=DRAFT_2020_12,
    ),
    case(
        "a payload that is a reference",
        {"definitions": {"A": obj(["x"], x=TEXT)}, "allOf": [ref("A")]},
        [{"x": "y"}],
        [{}, 1],
    ),
    field(
        "a nested definition",
        {
            "type": "object",
            "definitions": {"In": WHOLE},
            "properties": {"n": ref("In")},
            "required": ["n"],
        },
        [{"n": 1}],
        [{"n": "x"}, {}],
    ),
)
