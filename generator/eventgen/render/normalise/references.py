"""Repairs that look at more than one schema: what a reference points at decides."""

from __future__ import annotations

from typing import Any

from eventgen.model.names import words
from eventgen.plan.sample_valid import is_valid
from eventgen.render.normalise.types import has_type
from eventgen.render.normalise.walk import (
    Document,
    Documents,
    children,
    kinds,
    rebuilt,
    target,
)

_ANNOTATIONS = frozenset({"default", "description"})


def inlined(documents: Documents) -> Documents:
    """Puts schemas that need no class in the place of references to them.

    With `OrderId: {type: string, format: uuid}`, a field is `order_id: UUID`; the engine would
    make a class OrderId with a `root` of it, and `event.order_id.root` of every use.
    """
    plain = {name for name, document in documents.items() if not _needs_class(document)}
    plain -= {name for name in plain if _reaches_itself(name, documents, plain)}

    def put(schema: Document) -> Document:
        name = target(schema.get("$ref", ""))
        if name not in plain:
            return schema
        siblings = {key: value for key, value in schema.items() if key != "$ref"}
        return {**rebuilt(documents[name], put), **siblings}

    return {name: rebuilt(document, put) for name, document in documents.items()}


def hoisted(documents: Documents) -> Documents:
    """Names the objects inside arrays, maps and unions that have a name themselves.

    Of `Lines: {type: array, items: {type: object, ...}}`, the items become `LinesItem`. Then an
    array of them can stand wherever Lines is referred to.
    """
    done: dict[str, Any] = dict(documents)
    for name in documents:
        _hoist(name, done)
    return done


def _hoist(name: str, done: dict[str, Any]) -> None:
    """Moves the inline classes of one document out of it, into documents of their own."""

    def move(schema: Any, word: str) -> Any:
        if not _needs_class(schema):
            return schema
        if _is_class(schema):
            free = _free(f"{name}{word}", done)
            done[free] = schema
            return {"$ref": f"#/$defs/{free}"}
        return inside(schema)

    def inside(schema: Document) -> Document:
        copy = dict(schema)
        for key, word in _WORDS.items():
            if isinstance(copy.get(key), dict):
                copy[key] = move(copy[key], word)
        for key in ("anyOf", "oneOf", "prefixItems"):
            if key in copy:
                copy[key] = [move(part, "Option") for part in copy[key]]
        return copy

    if not _is_class(done[name]):
        done[name] = inside(done[name])


def named_in_parts(documents: Documents) -> Documents:
    """Names the objects and enums of fields inside an `allOf` by their whole path.

    The engine does so elsewhere: the `status` of OrderPlaced is an `OrderPlacedStatus`. Inside an
    `allOf` it is a `Status`, or a `Status1` when there is another.
    """
    done: dict[str, Any] = dict(documents)
    for name, document in documents.items():
        done[name] = _with_names(document, name, done, composed=False)
    return done


def _with_names(schema: Any, path: str, done: dict[str, Any], *, composed: bool) -> Any:
    """The schema with what stands below it named. `composed`: it is, or is inside, an `allOf`."""
    if not isinstance(schema, dict):
        return schema
    copy, composed = dict(schema), composed or "allOf" in schema

    def moved(inner: Any, word: str) -> Any:
        if not isinstance(inner, dict) or not composed or not _is_class(inner):
            return _with_names(inner, f"{path}{word}", done, composed=composed)
        free = _free(f"{path}{word}", done)
        done[free] = inner  # so that nobody else takes the name
        done[free] = _with_names(inner, free, done, composed=False)
        return {**{k: inner[k] for k in _ANNOTATIONS & inner.keys()}, "$ref": f"#/$defs/{free}"}

    if "properties" in copy:
        copy["properties"] = {
            name: moved(inner, _word(name)) for name, inner in copy["properties"].items()
        }
    for key, word in _WORDS.items():
        if key in copy:
            copy[key] = moved(copy[key], word)
    for key in ("anyOf", "oneOf", "prefixItems"):
        if key in copy:
            word = "Option" if sum(map(_needs_class, copy[key])) > 1 else ""
            copy[key] = [moved(part, word) for part in copy[key]]
    if "allOf" in copy:
        parts = copy["allOf"]
        copy["allOf"] = [_with_names(part, path, done, composed=True) for part in parts]
    return copy


def _word(name: str) -> str:
    """The name of a property as a part of the name of a class: `order-id` is `OrderId`."""
    return "".join(word[0].upper() + word[1:] for word in words(name)) or "Field"


def enclosed(documents: Documents, roots: frozenset[str]) -> Documents:
    """Gives an enum that is a whole payload a model around it: only a model can be read and sent.

    Of `Signal: {enum: [stop, go]}` the enum becomes `SignalValue`, and Signal has it as its root.
    So does a payload that is an object or null.
    """
    done: dict[str, Any] = dict(documents)
    for name in sorted(roots & documents.keys()):
        inner = documents[name]
        nullable = {*kinds(inner)} == {"object", "null"}
        if _is_class(inner) and ("enum" in inner or nullable):
            free = _free(f"{name}Value", done)
            done[free] = {**inner, "type": "object"} if nullable else inner
            referred = {"$ref": f"#/$defs/{free}"}
            done[name] = {"anyOf": [referred, {"type": "null"}]} if nullable else referred
    return done


_WORDS = {"items": "Item", "additionalProperties": "Value"}


def _free(name: str, taken: Documents) -> str:
    """The name, with a number if there is such a class already, in whatever case."""
    lower = {other.lower() for other in taken}
    numbered = (f"{name}{number or ''}" for number in range(len(lower) + 1))
    return next(candidate for candidate in numbered if candidate.lower() not in lower)


def _is_class(schema: Document) -> bool:
    """Whether the schema itself becomes a class, and not only something inside it."""
    made_of = "allOf" in schema or bool(schema.get("properties"))
    return made_of or len(schema.get("enum", ())) > 1


def _needs_class(schema: Any) -> bool:
    if not isinstance(schema, dict):
        return False
    return _is_class(schema) or any(_needs_class(child) for child in children(schema))


def _reaches_itself(start: str, documents: Documents, through: set[str]) -> bool:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for name in references(documents[waiting.pop()]):
            if name == start:
                return True
            if name in through and name not in seen:
                seen.add(name)
                waiting.append(name)
    return False


def references(schema: Any) -> set[str]:
    """The names of the schemas that a document refers to directly."""
    if not isinstance(schema, dict):
        return set()
    found = {target(schema["$ref"])} if "$ref" in schema else set()
    return found.union(*(references(child) for child in children(schema)))


def reachable(documents: Documents, roots: frozenset[str]) -> Documents:
    """The documents that the roots need, and the roots, in the order they had."""
    seen: set[str] = set()
    waiting = [name for name in documents if name in roots]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += references(documents[name]) & documents.keys()
    return {name: document for name, document in documents.items() if name in seen}


def subclassed(documents: Documents) -> Documents:
    """Makes a schema that is only a reference a subclass of what it refers to.

    A message whose payload is `$ref: '#/components/schemas/Order'` is an event of its own, with
    Order's fields; the engine would wrap an Order in it.
    """
    return {name: _subclass(document, documents) for name, document in documents.items()}


def _subclass(document: Document, documents: Documents) -> Document:
    if not document.keys() <= {"$ref", *_ANNOTATIONS} or not _is_object(document, documents):
        return document
    described = {key: value for key, value in document.items() if key == "description"}
    return {**described, "allOf": [{"$ref": document["$ref"]}]}


def _is_object(document: Document, documents: Documents) -> bool:
    seen: set[str] = set()
    while "$ref" in document:
        name = target(document["$ref"])
        if name in seen or not isinstance(documents.get(name), dict):
            return False
        seen.add(name)
        document = documents[name]
    unions = document.keys() & {"anyOf", "oneOf"}
    return ("allOf" in document or kinds(document) == ("object",)) and not unions


def telling_discriminators(documents: Documents) -> Documents:
    """Drops a discriminator unless it tells the branches apart in the way pydantic wants it.

    Every branch must be a reference to an object that requires the property, with one constant
    that no other branch has. Else the module would not import; the union stays, and pydantic
    tries the branches. So does the mapping: the constants say what it says.
    """

    def check(schema: Document) -> Document:
        if "discriminator" not in schema:
            return schema
        others = {key: value for key, value in schema.items() if key != "discriminator"}
        name = schema["discriminator"]["propertyName"]
        branches = _branches(schema)
        values = [_constant(branch, name, documents) for branch in branches]
        if len(values) < 2 or None in values or len(set(values)) < len(values):
            return others
        return {**others, "discriminator": {"propertyName": name}}

    return {name: rebuilt(document, check) for name, document in documents.items()}


def _branches(schema: Document) -> list[Any]:
    return list(schema.get("oneOf") or schema.get("anyOf") or ())


def _constant(branch: Any, name: str, documents: Documents) -> str | None:
    """The string that a branch of a union has in a required property, if it has just one."""
    if not isinstance(branch, dict) or branch.keys() != {"$ref"}:
        return None
    document = documents.get(target(branch["$ref"]), {})
    found = document.get("properties", {}).get(name)
    if name not in document.get("required", ()) or not isinstance(found, dict):
        return None
    values = [found["const"]] if "const" in found else found.get("enum", [])
    return values[0] if len(values) == 1 and isinstance(values[0], str) else None


def valid_defaults(documents: Documents) -> Documents:
    """Drops the defaults that their own schema refuses: `minLength: 4, default: bad`.

    An event that is silent of such a field would be sent on with a value that nobody takes.
    """

    def check(schema: Document) -> Document:
        if "default" not in schema or is_valid(schema["default"], schema, documents):
            return schema
        return {key: value for key, value in schema.items() if key != "default"}

    return {name: rebuilt(document, check) for name, document in documents.items()}


def fitting_defaults(documents: Documents) -> Documents:
    """Keeps the defaults that can be written as a literal of the field's type.

    `default: null` of a string, or `default: 0` of a boolean, would make the annotation lie; the
    date of `default: 2024-01-01` would be a str. Such a field is left out when it is absent, as
    fields without a default are: in JSON Schema a default is a comment.
    """

    def check(schema: Document) -> Document:
        if "default" not in schema or _fits(schema["default"], schema, documents):
            return schema
        return {key: value for key, value in schema.items() if key != "default"}

    return {name: _at_root(rebuilt(d, check)) for name, d in documents.items()}


def _at_root(document: Document) -> Document:
    return {key: value for key, value in document.items() if key != "default"}


def _fits(value: Any, schema: Any, documents: Documents) -> bool:
    if not isinstance(schema, dict):
        return False
    if "$ref" in schema:
        referred = documents.get(target(schema["$ref"]), {})
        return "enum" in referred and _fits(value, referred, documents)
    if _branches(schema):
        return any(_fits(value, branch, documents) for branch in _branches(schema))
    members = [schema["const"]] if "const" in schema else schema.get("enum")
    if members is not None:
        return any(type(member) is type(value) and member == value for member in members)
    return any(has_type(value, kind) for kind in kinds(schema)) and _is_literal(
        value, schema, documents
    )


def _is_literal(value: Any, schema: Document, documents: Documents) -> bool:
    """Whether a value of the right type is written in Python as it is in JSON."""
    if isinstance(value, list):
        return all(_fits(item, schema.get("items"), documents) for item in value)
    if isinstance(value, dict):
        return not value and not schema.get("properties")
    # a date or a UUID is more than a string
    return value is None or "format" not in schema
