"""Formats, and the constraints that do not go with them."""

from __future__ import annotations

import re

from eventgen.plan.asserting import TYPED_FORMATS
from eventgen.render.normalise.text import noted
from eventgen.render.normalise.types import OF_ARRAYS, OF_NUMBERS, OF_OBJECTS, OF_TEXTS, has_type
from eventgen.render.normalise.walk import Document, everywhere, kinds

# What Rust reads as fewer characters than JavaScript does: complements, and sets of sets.
_NARROWER = re.compile(r"\\[BDSWbP]|\[\^[^\]]*\\[dpsw]|\[[^\]]*(?:\[|&&|--|~~)|\\s")


@everywhere
def base64_as_byte(schema: Document) -> Document:
    """Writes `contentEncoding: base64` as `format: byte`, the older spelling of the same thing."""
    others = {key: value for key, value in schema.items() if key != "contentEncoding"}
    if schema.get("contentEncoding") != "base64" or schema.get("type") != "string":
        return others
    return {**others, "format": "byte"}


@everywhere
def known_formats(schema: Document) -> Document:
    """Keeps the formats of strings that become a type of their own, and drops the others.

    `byte` is Base64 text; `local-time` and `local-timestamp` are Avro's, without offset; see the
    options of the engine. These stay str: `email` (pydantic's takes
    48 times as long), `password` (pydantic's SecretStr sends asterisks), `uri` (pydantic's changes
    what it reads), `duration` (a timedelta knows seconds and no months), `binary` (what JSON
    carries is text), and whatever an author invented.
    A format of a number (`int64`, `double`, `decimal`) is left out: a Decimal would be sent as a
    JSON string, where the schema wants a number.
    """
    if "format" not in schema:
        return schema
    if schema["format"] in TYPED_FORMATS and set(kinds(schema)) <= {"string", "null"}:
        return {key: value for key, value in schema.items() if key not in OF_TEXTS}
    return {key: value for key, value in schema.items() if key != "format"}


@everywhere
def compiling_patterns(schema: Document) -> Document:
    r"""Says in words a pattern that Rust's regular expressions do not have: `^(?!test)`.

    pydantic compiles patterns with them, and a model with one that does not compile cannot be
    imported. Python's own engine would do, but then for the whole class, and it lacks `\p{Lu}`. To
    Rust `\S` and `\W` mean less than to JSON Schema, whose `\s` and `\w` are of ASCII.
    """
    fixed = dict(schema)
    if "pattern" in fixed and not _compiles(fixed["pattern"]):
        fixed = noted(fixed, f"Pattern: {fixed.pop('pattern')}")
    if "patternProperties" in fixed:
        named = fixed.pop("patternProperties")
        fixed["patternProperties"] = {k: v for k, v in named.items() if _compiles(k)}
    return fixed


@everywhere
def integer_bounds(schema: Document) -> Document:
    """Writes `minimum: 1.0` of an integer as `1`, as the engine would print a float."""
    if "integer" not in kinds(schema):
        return schema
    whole = {key: int(schema[key]) for key in OF_NUMBERS if has_type(schema.get(key), "integer")}
    return {**schema, **whole}


@everywhere
def fitting_constraints(schema: Document) -> Document:
    """Drops constraints of a type the schema does not have: `type: integer, maxLength: 10`.

    They constrain nothing, and on the wrong Python type they stop the module from importing. A text
    that is a decimal number keeps those of numbers: its author meant the number.
    """
    types = kinds(schema)
    if not types:
        return schema
    useless: set[str] = set()
    if "string" not in types:
        useless |= OF_TEXTS | {"format"}
    if not {"number", "integer"} & {*types} and schema.get("format") != "decimal":
        useless |= OF_NUMBERS
    if "array" not in types:
        useless |= OF_ARRAYS
    if "object" not in types:
        useless |= OF_OBJECTS
    return {key: value for key, value in schema.items() if key not in useless}


def _compiles(pattern: str) -> bool:
    if _NARROWER.search(pattern):
        return False
    # As slow to import as the engine, and needed only when the engine is.
    from pydantic_core import SchemaError, SchemaValidator, core_schema  # noqa: PLC0415

    try:
        SchemaValidator(core_schema.str_schema(pattern=pattern))
    except SchemaError:
        return False
    return True
