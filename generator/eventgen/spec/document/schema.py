"""Assembles the shapes of one version into one JSON Schema, which gives the verdict."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from eventgen.spec.document.shapes import Shape, Shapes, Spec, of_version

if TYPE_CHECKING:
    import jsonschema_rs

# Schema formats whose schemas AsyncAPI defines itself: its own, and JSON Schema draft 07.
CHECKED_FORMAT = (
    r"^application/(vnd\.aai\.asyncapi(\+json|\+yaml)?(;version=.*)?"
    r"|schema(\+json|\+yaml)?;version=draft-07)$"
)
_OWN = frozenset(
    ("advice", "example", "instead", "list", "map", "object", "or", "refers", "required", "when")
)
_REFERENCE = {
    "type": "object",
    "required": ["$ref"],
    "properties": {"$ref": {"type": "string"}},
}
_IS_REFERENCE = {"type": "object", "required": ["$ref"]}


@cache
def validator(version: str, name: str) -> jsonschema_rs.Draft202012Validator:
    """What checks an object of a version, with everything that stands in it."""
    return _made(version, {"$ref": f"#/$defs/{name}"})


def validator_of(version: str, spec: Spec) -> jsonschema_rs.Draft202012Validator:
    """What checks a value of a field."""
    name = spec.get("object")
    return validator(version, name) if name else _made(version, _value(spec))


def _made(version: str, schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    import jsonschema_rs  # noqa: PLC0415 - 30 ms, needed for documents of AsyncAPI only

    whole = {**schema, "$defs": definitions(version)}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


@cache
def definitions(version: str) -> dict[str, Any]:
    """What may stand for each object of a version, by its name."""
    shapes = of_version(version)
    return {name: _definition(shapes, name) for name in shapes.objects}


def _definition(shapes: Shapes, name: str) -> dict[str, Any]:
    """What may stand where an object is expected."""
    shape = shapes.objects[name]
    schema = {"$ref": f"#/$defs/{shape.otherwise}"} if shape.otherwise else _object(shape)
    for value, variant in shapes.variants(name):
        told = {
            "type": "object",
            "required": [shape.by],
            "properties": {shape.by: {"const": value}},
        }
        schema = {"if": told, "then": _object(shapes.objects[variant]), "else": schema}
    for key, other in shapes.alternatives(name):
        told = {"type": "object", "required": [key]}
        schema = {"if": told, "then": {"$ref": f"#/$defs/{other}"}, "else": schema}
    return {"if": _IS_REFERENCE, "then": _REFERENCE, "else": schema} if shape.referable else schema


def _object(shape: Shape) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": ["object", "boolean"] if shape.may_be_boolean else "object",
        "required": list(shape.required),
        "properties": {
            key: _value(spec) for key, spec in shape.fields.items() if "when" not in spec
        },
    }
    if shape.extensible:
        schema["patternProperties"] = {"^x-": True}
    if not shape.is_open:
        whens = {key: True for key, spec in shape.fields.items() if "when" in spec}
        schema["properties"] |= whens
        schema["additionalProperties"] = False if shape.values is None else _value(shape.values)
    if shape.either:
        schema["anyOf"] = [{"required": [key]} for key in shape.either]
    for key, spec in shape.fields.items():
        if "when" in spec:
            schema["if"] = {"properties": {spec["when"]: {"pattern": CHECKED_FORMAT}}}
            schema["then"] = {"properties": {key: _value(spec)}}
    return schema


def _value(spec: Spec) -> dict[str, Any]:
    schema = {key: value for key, value in spec.items() if key not in _OWN}
    if "object" in spec:
        schema["$ref"] = f"#/$defs/{spec['object']}"
    elif "refers" in spec:
        schema |= _REFERENCE
    elif "list" in spec:
        schema |= {"type": "array", "items": _value(spec["list"])}
    elif "map" in spec:
        entries = {**schema, "type": "object", "additionalProperties": _value(spec["map"])}
        schema = {"if": _REFERENCE, "else": entries}
    if "or" in spec:
        other = "array" if "list" in spec["or"] else "object"
        schema = {"if": {"type": other}, "then": _value(spec["or"]), "else": schema}
    return schema
