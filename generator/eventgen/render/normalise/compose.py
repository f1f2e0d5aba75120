"""Objects composed of others, where inheritance would not do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from eventgen.render.normalise.walk import Document, Documents, kinds, rebuilt, target

_ANNOTATIONS = frozenset({"default", "description"})
_OBJECT = frozenset({"description", "properties", "required", "type"})
_TELLING = frozenset({"$ref", "anyOf", "const", "enum", "oneOf", "type"})


def flattened(documents: Documents) -> Documents:
    """Copies the properties of parts of an `allOf` that describe the same property differently.

    `allOf: [{$ref: Envelope}, {properties: {data: {$ref: Order}}}]` says that the `data` of the
    envelope, any object, is an Order here. A subclass may not change the type of a field like
    that; type checkers refuse it. So this becomes a class of its own, with all the fields.
    """

    def flatten(schema: Document) -> Document:
        parts = schema.get("allOf", [])
        shared = _contested([schema, *parts], documents)
        if not shared:
            return schema
        kept = [part for part in parts if not _concerns(part, shared, documents)]
        merged = [part for part in parts if _concerns(part, shared, documents)]
        whole = {key: value for key, value in schema.items() if key != "allOf"}
        for part in reversed(merged):
            whole = _joined(_whole(part, documents, frozenset()), whole)
        return {**whole, **({"allOf": kept} if kept else {})}

    return {name: rebuilt(document, flatten) for name, document in documents.items()}


def _contested(parts: list[Any], documents: Documents) -> set[str]:
    """The properties that several of the parts have, and not all in the same way."""
    views = [_whole(part, documents, frozenset()).get("properties", {}) for part in parts[1:]]
    views.append(parts[0].get("properties", {}))
    counted = Counter(name for view in views for name in view)
    several = [name for name, count in counted.items() if count > 1]
    return {name for name in several if not _agree([view[name] for view in views if name in view])}


def _agree(found: list[Any]) -> bool:
    return all(one == found[0] for one in found)


def _concerns(part: Any, shared: set[str], documents: Documents) -> bool:
    whole = _whole(part, documents, frozenset())
    inline = "$ref" not in part and part.keys() <= _OBJECT
    return inline or bool(shared & whole.get("properties", {}).keys())


def _whole(schema: Any, documents: Documents, around: frozenset[str]) -> Document:
    """What a part says of an object, with all that it refers to."""
    if not isinstance(schema, dict):
        return {}
    whole = {key: value for key, value in schema.items() if key in _OBJECT}
    name = target(schema.get("$ref", ""))
    bases = list(schema.get("allOf", []))
    if name in documents and name not in around:
        bases.append(documents[name])
    for base in reversed(bases):
        whole = _joined(_whole(base, documents, around | {name}), whole)
    return whole


def _joined(base: Document, own: Document) -> Document:
    """An object with the properties of both; where both have one, its own is the narrower."""
    required = [*base.get("required", ()), *own.get("required", ())]
    properties = {**base.get("properties", {}), **own.get("properties", {})}
    joined = {**base, **own, "type": "object", "properties": properties}
    return {**joined, **({"required": list(dict.fromkeys(required))} if required else {})}


def of_objects(documents: Documents) -> Documents:
    """Keeps of an `allOf` the parts that are objects; where there are none, the first that tells.

    `allOf: [{$ref: Base}, {oneOf: [...]}]` is a Base and something more: a class of Base's fields.
    `allOf: [{type: string}, {pattern: ...}]` is a text. Of a part that another part extends, the
    class would inherit twice.
    """

    def choose(schema: Document) -> Document:
        if "allOf" not in schema:
            return schema
        own = {key: value for key, value in schema.items() if key not in _ANNOTATIONS | {"allOf"}}
        parts = [part for part in schema["allOf"] if isinstance(part, dict)]
        objects = [part for part in parts if _is_object(part, documents, frozenset())]
        if objects and kinds(own) in ((), ("object",)):
            above = {name for part in objects for name in list(_bases(part, documents))[1:]}
            kept = [part for part in objects if target(part.get("$ref", "")) not in above]
            return {**schema, "allOf": [one for n, one in enumerate(kept) if one not in kept[:n]]}
        telling = [part for part in (own, *parts) if part.keys() & _TELLING] or [{}]
        return {**telling[0], **{key: schema[key] for key in _ANNOTATIONS & schema.keys()}}

    return {name: rebuilt(document, choose) for name, document in documents.items()}


def _is_object(part: Any, documents: Documents, around: frozenset[str]) -> bool:
    if not isinstance(part, dict):
        return False
    if "$ref" in part:
        name = target(part["$ref"])
        return name not in around and _is_object(documents.get(name), documents, around | {name})
    if "allOf" in part:
        return any(_is_object(one, documents, around) for one in part["allOf"])
    return kinds(part) == ("object",)


def _bases(part: Any, documents: Documents, around: frozenset[str] = frozenset()) -> Iterator[str]:
    """The names that a part of an `allOf` refers to, itself or through what it refers to."""
    if not isinstance(part, dict):
        return
    name = target(part.get("$ref", ""))
    if name in documents and name not in around:
        yield name
        yield from _bases(documents[name], documents, around | {name})
    for one in part.get("allOf", ()):
        yield from _bases(one, documents, around)
