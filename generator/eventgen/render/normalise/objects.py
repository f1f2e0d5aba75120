"""Objects and what they are composed of."""

from __future__ import annotations

from typing import Any

from eventgen.render.normalise.walk import Document, everywhere

_ANNOTATIONS = frozenset({"default", "description"})


@everywhere
def no_required_variants(schema: Document) -> Document:
    """Drops unions that only say which properties are needed: `oneOf: [{required: [a]}, ...]`.

    The engine makes a class of every branch and a union of them; the properties are the same.
    """
    fixed = dict(schema)
    for key in {"anyOf", "oneOf"} & schema.keys():
        if any(_only_requires(branch) for branch in schema[key]):
            del fixed[key]
    return fixed


def _only_requires(branch: Any) -> bool:
    keys = branch.keys() if isinstance(branch, dict) else set()
    return "required" in keys and keys <= {"description", "required", "type"}


@everywhere
def no_empty_parts(schema: Document) -> Document:
    """Drops parts of an `allOf` in which nothing is left: `{not: ...}`, `{if: ..., then: ...}`.

    Parts that only describe, like the second of `[{$ref: ...}, {description: ...}]`, describe all.
    """
    if "allOf" not in schema:
        return schema
    others = {key: value for key, value in schema.items() if key != "allOf"}
    parts = [part for part in schema["allOf"] if part not in ({}, True)]
    for prose in (part for part in parts if _is_annotation(part)):
        others = {**prose, **others}
    parts = [part for part in parts if not _is_annotation(part)]
    return {**others, "allOf": parts} if parts else others


def _is_annotation(part: Any) -> bool:
    return isinstance(part, dict) and part.keys() <= _ANNOTATIONS


@everywhere
def plain_references(schema: Document) -> Document:
    """Writes `allOf: [{$ref}]` of a property, the old way to describe a reference, as `$ref`.

    The engine would make a class of it. The outermost schema gets its own class in any case, see
    `subclassed`.
    """
    parts = schema.get("allOf", ())
    if len(parts) != 1 or not schema.keys() <= {"allOf", "type", *_ANNOTATIONS}:
        return schema
    others = {key: value for key, value in schema.items() if key not in {"allOf", "type"}}
    return {**parts[0], **others} if isinstance(parts[0], dict) else others


@everywhere
def no_patterns_of_names(schema: Document) -> Document:
    """Opens an object whose properties are described by patterns of their names.

    The engine would refuse the names that match none of them, which only `additionalProperties`
    may. Where that does, and there is one pattern and no name, all values are of its kind.
    """
    if "patternProperties" not in schema:
        return schema
    kept = {
        k: v for k, v in schema.items() if k not in {"patternProperties", "additionalProperties"}
    }
    values = list(schema["patternProperties"].values())
    closed = schema.get("additionalProperties") is False and not schema.get("properties")
    return {**kept, "additionalProperties": values[0]} if closed and len(values) == 1 else kept


@everywhere
def untyped_extras(schema: Document) -> Document:
    """Leaves the type of additional properties open where there are named ones.

    The base class keeps unknown fields. To type them the engine assigns to `__annotations__`,
    which neither people nor type checkers can read.
    """
    if schema.get("properties") == {}:
        return {key: value for key, value in schema.items() if key != "properties"}
    extras = schema.get("additionalProperties")
    if extras in (None, False) or "properties" not in schema:
        return schema
    return {key: value for key, value in schema.items() if key != "additionalProperties"}
