"""Holds examples against their schemas, and patterns against the regular expressions of JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eventgen.model import Message, Service


@dataclass(frozen=True, slots=True)
class Fault:
    """The first thing that is wrong. `path` leads to it, its parts joined by dots."""

    text: str
    path: str


def mismatches(service: Service) -> Iterator[tuple[Message, int, Fault]]:
    """Each example (counted from 1) that its message's payload does not allow."""
    definitions = _definitions(service)
    for message in service.messages:
        if not message.payloads:
            continue
        schema = {"$ref": f"#/$defs/{message.schema}", "$defs": definitions}
        for number, example in enumerate(message.payloads, start=1):
            fault = _mismatch(schema, example)
            if fault is not None:
                yield message, number, fault


def is_pattern(pattern: str) -> bool:
    """Whether a `pattern` of JSON Schema is a regular expression."""
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        pass
    else:
        return True
    # What Python does not know, as `\\p{L}`, the validator may.
    import jsonschema_rs  # noqa: PLC0415 - 80 ms, needed for few documents

    try:
        jsonschema_rs.Draft202012Validator({"pattern": pattern})
    except (jsonschema_rs.ValidationError, ValueError):
        return False
    return True


def _definitions(service: Service) -> dict[str, Any]:
    return {schema.name: schema.document for schema in service.schemas}


def _mismatch(schema: dict[str, Any], example: Any) -> Fault | None:
    import jsonschema_rs  # noqa: PLC0415 - 80 ms, needed only when there is something to check

    try:
        validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    except (jsonschema_rs.ValidationError, ValueError):
        return None  # the schema's own fault is reported for itself
    error = next(validator.iter_errors(example), None)
    if error is None:
        return None
    return Fault(_first_line(error.message), _path(error.instance_path))


def _path(parts: list[str | int]) -> str:
    return ".".join(str(part) for part in parts)


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "it is not valid"
