"""One schema of a table, with values that it accepts and values that it rejects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.support.payloads import DRAFT_07


@dataclass(frozen=True, slots=True)
class Case:
    """`accepted` go over the wire and come out the same, but for what `filled` adds to each."""

    title: str
    schema: Any
    accepted: tuple[Any, ...]
    rejected: tuple[Any, ...]
    language: str = DRAFT_07
    filled: Any = None  # defaults of the root, which a service writes where they are absent


def case(
    title: str, schema: Any, accepted: Iterable[Any], rejected: Iterable[Any], **others: Any
) -> Case:
    """A schema that is a whole payload."""
    return Case(title, schema, tuple(accepted), tuple(rejected), **others)


def field(
    title: str, schema: Any, accepted: Iterable[Any], rejected: Iterable[Any], **others: Any
) -> Case:
    """A schema of the property `it` of a payload; the values are that property's."""
    definitions = {}
    if isinstance(schema, dict) and "definitions" in schema:
        definitions = {"definitions": schema["definitions"]}
        schema = {key: value for key, value in schema.items() if key != "definitions"}
    return Case(
        title,
        {**definitions, **obj(["it"], it=schema)},
        tuple({"it": value} for value in accepted),
        tuple({"it": value} for value in rejected),
        **others,
    )


def obj(required: Iterable[str] = (), /, **properties: Any) -> dict[str, Any]:
    """The schema of an object; `required` are names of properties."""
    names = list(required)
    listed = {"required": names} if names else {}
    return {"type": "object", "properties": properties, **listed}


def ref(name: str) -> dict[str, str]:
    """A reference to a definition."""
    return {"$ref": f"#/definitions/{name}"}


TEXT = {"type": "string"}
WHOLE = {"type": "integer"}
NUMBER = {"type": "number"}
FLAG = {"type": "boolean"}
NULL = {"type": "null"}
