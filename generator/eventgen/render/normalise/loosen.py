"""Combinations of keywords that no Python type expresses, opened to what one does.

Each repair lets more through than the schema; an event with such a schema is checked with it too.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any

from eventgen.render.normalise.types import OF_ARRAYS, OF_NUMBERS, OF_TEXTS
from eventgen.render.normalise.walk import Document, Documents, everywhere, kinds

_ANNOTATIONS = frozenset({"default", "description"})
_UNIONS = ("anyOf", "oneOf")
_LARGEST = 2**53  # beyond it not every whole number is a float


@everywhere
def one_statement(schema: Document) -> Document:
    """Keeps the first of several statements about a value: a reference, its members, its parts.

    `{enum: [a, b], minLength: 2}` becomes the enum. Properties beside an `anyOf` are more to a
    reader than the branches, which often only say which of them are needed.
    """
    if "$ref" in schema and "properties" in schema:
        beside = {key: value for key, value in schema.items() if key not in {"$ref", *_ANNOTATIONS}}
        return {**_only(schema, _ANNOTATIONS), "allOf": [{"$ref": schema["$ref"]}, beside]}
    for key in ("$ref", "const", "enum"):
        if key in schema:
            return _only(schema, _ANNOTATIONS | {key} | ({"type"} if key == "enum" else set()))
    if "allOf" in schema or schema.get("properties"):
        return {
            key: value for key, value in schema.items() if key not in {*_UNIONS, "discriminator"}
        }
    for key in _UNIONS:
        if key in schema:
            return _only(schema, _ANNOTATIONS | {key, "discriminator"})
    return schema


@everywhere
def one_type(schema: Document) -> Document:
    """Splits `type: [boolean, string], minLength: 2` into a union, each with what concerns it."""
    named = [kind for kind in kinds(schema) if kind != "null"]
    if len(named) < 2 or "enum" in schema:
        return schema
    shared = _only(schema, _ANNOTATIONS)
    others = {key: value for key, value in schema.items() if key not in {*shared, "type"}}
    return {**shared, "anyOf": [{"type": kind, **others} for kind in kinds(schema)]}


@everywhere
def single_branch(schema: Document) -> Document:
    """Writes a union of one as the one, and `anyOf: [{type: string}, {type: null}]` as a type.

    The engine would make a class of a text with a limit that is a branch.
    """
    for key in _UNIONS:
        others = [branch for branch in schema.get(key, ()) if not _is_null(branch)]
        if key in schema and not others:
            return {**_only(schema, _ANNOTATIONS), "type": "null"}
        if len(others) != 1 or not isinstance(others[0], dict):
            continue
        (branch,) = others
        if len(schema[key]) == 1:
            return {**branch, **_only(schema, _ANNOTATIONS)}
        types = kinds(branch)
        if len(types) == 1 and types[0] != "object" and "enum" not in branch:
            return {**branch, **_only(schema, _ANNOTATIONS), "type": [*types, "null"]}
    return schema


def _is_null(branch: Any) -> bool:
    return isinstance(branch, dict) and kinds(branch) == ("null",)


@everywhere
def bare_inside(schema: Document) -> Document:
    """Drops the limits of texts, numbers and lists inside unions, lists and maps.

    The engine would make a class of each, and `event.tags[0].root` of the value.
    """
    fixed = dict(schema)
    for key in (*_UNIONS, "prefixItems"):
        if key in schema:
            fixed[key] = [_bare(one) for one in schema[key]]
    for key in ("items", "additionalProperties"):
        if key in schema:
            fixed[key] = _bare(schema[key])
    return fixed


def _bare(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    limits = OF_TEXTS | OF_NUMBERS | (OF_ARRAYS - {"items", "prefixItems"})
    return _without(schema, limits)


@everywhere
def apart_from_numbers(schema: Document) -> Document:
    """Writes `const: false` of a branch as its type: to Python 0 is false, and would be sent so."""
    unions = {key: [_unlike_number(one) for one in schema[key]] for key in _UNIONS if key in schema}
    return {**schema, **unions}


def _unlike_number(branch: Any) -> Any:
    if not isinstance(branch, dict) or not isinstance(branch.get("const"), int):
        return branch
    kind = "boolean" if isinstance(branch["const"], bool) else "integer"
    return {**_only(branch, _ANNOTATIONS), "type": kind}


def of_branches(documents: Documents) -> Documents:
    """The repairs of branches, once what has no class stands where it is referred to."""
    return {
        name: bare_inside(single_branch(apart_from_numbers(document)))
        for name, document in documents.items()
    }


@everywhere
def exact_bounds(schema: Document) -> Document:
    """Drops the limits that a float has not, and the multiples that it has not exactly.

    `multipleOf: 0.01` of 0.07 is a matter of rounding to Python, and not to JSON Schema.
    """
    if "number" in kinds(schema):
        kept = OF_NUMBERS - {"multipleOf"}
        return _without(
            schema, {key for key in OF_NUMBERS if key not in kept or _is_large(key, schema)}
        )
    if "integer" in kinds(schema):
        return _without(schema, {key for key in OF_NUMBERS if not _is_whole(schema.get(key, 0))})
    return schema


def _is_large(key: str, schema: Document) -> bool:
    return bool(abs(schema.get(key, 0)) > _LARGEST)


def _is_whole(value: float) -> bool:
    return value == int(value)


def _only(schema: Document, keys: frozenset[str]) -> Document:
    return {key: value for key, value in schema.items() if key in keys}


def _without(schema: Document, keys: AbstractSet[str]) -> Document:
    return {key: value for key, value in schema.items() if key not in keys}
