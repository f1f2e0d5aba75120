"""What type a schema has, said so that the engine says the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eventgen.render.normalise.walk import Document, everywhere, kinds

OF_ARRAYS = frozenset({"items", "prefixItems", "minItems", "maxItems"})
OF_NUMBERS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
OF_OBJECTS = frozenset(
    {
        "additionalProperties",
        "maxProperties",
        "minProperties",
        "patternProperties",
        "properties",
        "propertyNames",
        "required",
    }
)
OF_TEXTS = frozenset({"minLength", "maxLength", "pattern"})
_ANNOTATIONS = frozenset({"default", "description"})
_OF_ONE_TYPE = OF_ARRAYS | OF_NUMBERS | OF_OBJECTS | OF_TEXTS | {"format", "contentEncoding"}


def no_boolean_root(document: Any) -> Any:
    """A document that is `true` or `false` describes anything: the engine wants an object."""
    return document if isinstance(document, dict) else {}


@everywhere
def no_false_parts(schema: Document) -> Document:
    """Drops what never matches: `properties: {b: false}`, `anyOf: [{...}, false]`.

    The engine reads `false` as `Any`, which is the opposite.
    """
    fixed = dict(schema)
    if "properties" in fixed:
        fixed["properties"] = {k: v for k, v in fixed["properties"].items() if v is not False}
    for key in {"anyOf", "oneOf"} & fixed.keys():
        fixed[key] = [branch for branch in fixed[key] if branch is not False]
        if not fixed[key]:
            del fixed[key]
    return fixed


@everywhere
def nullable_as_type(schema: Document) -> Document:
    """Writes OpenAPI's `type: string, nullable: true` as `type: [string, "null"]`."""
    others = {key: value for key, value in schema.items() if key != "nullable"}
    if schema.get("nullable") is not True or "null" in kinds(schema):
        return others
    if kinds(schema):
        return {**others, "type": [*kinds(schema), "null"]}
    if "$ref" not in others:
        return others
    return {**_only(others, _ANNOTATIONS), "anyOf": [{"$ref": others["$ref"]}, {"type": "null"}]}


def objects_at_root(document: Document) -> Document:
    """Adds the type that `properties` imply: what a message or a component is, is an object."""
    return {"type": "object", **document} if _is_untyped_object(document) else document


@everywhere
def objects_in_parts(schema: Document) -> Document:
    """Adds the type to the untyped parts of an `allOf` that is about objects."""
    if "allOf" not in schema or not any(
        _is_about_objects(one) for one in (schema, *schema["allOf"])
    ):
        return schema
    parts = [_as_object(one) if isinstance(one, dict) else one for one in schema["allOf"]]
    return {**schema, "allOf": parts}


def _as_object(part: Document) -> Document:
    only_requires = "required" in part and part.keys() <= {"required", *_ANNOTATIONS}
    return {"type": "object", **part} if only_requires else objects_at_root(part)


def _is_about_objects(schema: Any) -> bool:
    return isinstance(schema, dict) and ("$ref" in schema or kinds(schema) == ("object",))


@everywhere
def stated_types(schema: Document) -> Document:
    """Drops the keywords that concern one type where none is stated: `{minLength: 2}` takes 1.

    `properties` without a type become those of an object, or anything else.
    """
    if {"type", "const", "enum", "$ref"} & schema.keys():
        return schema
    if _is_untyped_object(schema):
        shared = _only(schema, _ANNOTATIONS)
        others = {key: value for key, value in schema.items() if key not in shared}
        return {**shared, "anyOf": [{"type": "object", **others}, {}]}
    return {key: value for key, value in schema.items() if key not in _OF_ONE_TYPE}


def _is_untyped_object(schema: Document) -> bool:
    return bool(schema.get("properties")) and not {
        "type", "const", "enum", "$ref", "allOf", "anyOf", "oneOf",
    } & schema.keys()  # fmt: skip


@everywhere
def hashable_enum(schema: Document) -> Document:
    """Drops an enum whose members Python cannot tell apart, and members that stand twice.

    Those that cannot be hashed, as objects and arrays, and those that are equal to Python and not
    in JSON: 1 and true.
    """
    if "enum" not in schema:
        return schema
    others = {key: value for key, value in schema.items() if key != "enum"}
    members = schema["enum"]
    if any(isinstance(member, dict | list) for member in members):
        return others
    distinct = {(isinstance(member, bool), member): member for member in members}
    if len({*members}) < len(distinct):
        return others
    return {**others, "enum": list(distinct.values())}


@everywhere
def nullable_enum(schema: Document) -> Document:
    """Splits `enum: [a, null]` into the enum of `a`, or null.

    The engine makes null a member of the enum, or wraps the enum in a class of its own.
    """
    members, types = schema.get("enum"), kinds(schema)
    if members is None or (None not in members and "null" not in types):
        return schema
    named = [member for member in members if member is not None]
    others = {key: value for key, value in schema.items() if key not in {"enum", "type"}}
    enum = {**_typed([kind for kind in types if kind != "null"]), "enum": named}
    if None not in members or (types and "null" not in types):
        return {**others, **enum} if named else {**others, **_typed(list(types))}
    if not named:
        return {**others, "type": "null"}
    return {**_only(schema, _ANNOTATIONS), "anyOf": [enum, {"type": "null"}]}


@everywhere
def enum_over_type(schema: Document) -> Document:
    """Drops a type that no member of the enum has: `type: string, enum: [200, 404]`.

    Nothing would ever match. The members are what the author sends; the type is the slip.
    """
    members, types = schema.get("enum"), kinds(schema)
    if not members or not types:
        return schema
    fitting = [member for member in members if any(has_type(member, kind) for kind in types)]
    if fitting:
        return {**schema, "enum": fitting}
    return {key: value for key, value in schema.items() if key != "type"}


@everywhere
def constants(schema: Document) -> Document:
    """Writes `const: null` as the type it is, and gives up constants Python has no literal for.

    The engine prints `float` for `const: 1.5` anyway; said as a type, it does so without comment.
    """
    if "const" not in schema:
        return schema
    value = schema["const"]
    if isinstance(value, str | bool | int):
        return {**_only(schema, _ANNOTATIONS), "const": value}
    named = next(kind for kind in ("null", "number", "object", "array") if has_type(value, kind))
    return {**_only(schema, _ANNOTATIONS), "type": named}


def has_type(value: Any, kind: str) -> bool:
    """Whether a JSON value is of a JSON Schema type."""
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer":
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    types: Mapping[str, tuple[type, ...]] = {
        "array": (list, tuple),
        "null": (type(None),),
        "number": (int, float),
        "object": (dict,),
        "string": (str,),
    }
    return isinstance(value, types.get(kind, ()))


def _only(schema: Document, keys: frozenset[str]) -> Document:
    return {key: value for key, value in schema.items() if key in keys}


def _typed(types: list[str]) -> Document:
    return {"type": types[0] if len(types) == 1 else types} if types else {}
