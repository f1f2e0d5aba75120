"""Holds values against schemas, and patterns against the regular expressions of JSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from eventgen.spec.keywords import KINDS_OF_TYPES
from eventgen.spec.shape import kind

if TYPE_CHECKING:
    import jsonschema_rs

    from eventgen.model import Service, Spare

_DOCUMENT = "urn:eventgen:service"
_LONGEST = 100  # characters of what the validator says
_MOST_OPTIONS = 6
# What only Python, or only others, may understand: `\Z`, `(?P<name>...)`, `a++`, sets of sets.
_NOT_SHARED = re.compile(
    r"\\[^\WdDwWsSbBnrtfvu]|\(\?[^:=!]|[*+?}][+]|\[[^\]]*(?:\[|--|&&|~~|\|\|)", re.ASCII
)
_BRACES = re.compile(r"\\[pPuk]\{[^}]*\}|\\.|\[(?:\\.|[^\]\\])*\]|\{\d+(?:,\d*)?\}|[{}]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a value. `way` leads to it, by keys and indices."""

    text: str
    way: tuple[str, ...]


class Schemas:
    """The schemas of a service, each made ready once, when it is first asked for."""

    def __init__(self, holder: Service | Spare) -> None:
        self._holder = holder
        self._ready: dict[str, jsonschema_rs.Validator | None] = {}

    def faults(self, pointer: str, value: Any) -> Iterator[Fault]:
        """What is wrong with a value by the schema at a pointer: `$defs/Order`, or deeper.

        Headers of a message are at `headers/` and its name in snake case.
        """
        if pointer not in self._ready:
            self._ready[pointer] = self._validator(pointer)
        validator = self._ready[pointer]
        try:
            errors = [] if validator is None else list(validator.iter_errors(value))
        except ValueError:  # half a surrogate pair, which is no text to the validator
            return
        for error in errors:
            way = tuple(str(part) for part in error.instance_path)
            yield Fault(_words(error, value), way)

    def _validator(self, pointer: str) -> jsonschema_rs.Validator | None:
        """None where the schema itself is not valid: that is reported for itself."""
        import jsonschema_rs  # noqa: PLC0415 - 80 ms, needed only when there is something to check

        schema = {"$ref": f"{_DOCUMENT}#/{pointer}"}
        try:
            return jsonschema_rs.Draft202012Validator(
                schema, registry=self._registry, validate_formats=True
            )
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError):
            return None

    @cached_property
    def _registry(self) -> jsonschema_rs.Registry:
        import jsonschema_rs  # noqa: PLC0415 - as above

        document = {
            "$defs": {schema.name: schema.document for schema in self._holder.schemas},
            "headers": {
                message.name.snake: message.headers
                for message in self._holder.messages
                if message.headers is not None
            },
        }
        return jsonschema_rs.Registry([(_DOCUMENT, document)])


def is_pattern(pattern: str) -> bool:
    """Whether a `pattern` of JSON Schema is a regular expression."""
    if not _NOT_SHARED.search(pattern):
        try:
            re.compile(pattern)
        except (re.error, RecursionError, OverflowError):
            pass
        else:
            return True
    # What Python does not know, as `\\p{L}`, the validator may, and the other way round.
    import jsonschema_rs  # noqa: PLC0415 - 80 ms, needed for few documents

    try:
        jsonschema_rs.Draft202012Validator({"pattern": pattern})
    except (jsonschema_rs.ValidationError, ValueError):
        return False
    return True


def plain_braces(pattern: str) -> str:
    r"""The pattern with braces escaped that are no counts: `^{id}$`, which browsers read so too."""
    return _BRACES.sub(lambda found: f"\\{found[0]}" if found[0] in "{}" else found[0], pattern)


def _words(error: jsonschema_rs.ValidationError, whole: Any) -> str:
    value = whole
    for part in error.instance_path:
        value = value[part]
    path = ".".join(str(part) for part in error.instance_path)
    subject = f"`{path}`" if path else "it"
    told = _TOLD.get(error.kind.name)
    if told is None:
        return f"{subject} is not right, {_shortened(error.message)}"
    return f"{subject} {told(error.kind, value)}"


def _type(found: Any, value: Any) -> str:
    return f"is {kind(value)}, not {' or '.join(KINDS_OF_TYPES[name] for name in found.types)}"


def _enum(found: Any, value: Any) -> str:
    options = found.options
    if len(options) > _MOST_OPTIONS:
        return f"is {_literal(value)}, which is not one of its {len(options)} values"
    return f"is {_literal(value)}, not one of {', '.join(map(_literal, options))}"


def _additional(found: Any, _value: Any) -> str:
    return "may not have " + ", ".join(f"`{name}`" for name in found.unexpected[:_MOST_OPTIONS])


def _limit(words: str) -> Callable[[Any, Any], str]:
    """What is told of a limit; `{}` stands for it."""
    return lambda found, value: f"is {_literal(value)}, {words.format(_text(found.limit))}"


_TOLD: dict[str, Callable[[Any, Any], str]] = {
    "additionalProperties": _additional,
    "anyOf": lambda _, value: f"is {_literal(value)}, which none of its alternatives allows",
    "const": lambda found, value: f"is {_literal(value)}, not {_literal(found.expected_value)}",
    "enum": _enum,
    "exclusiveMaximum": _limit("not less than {}"),
    "exclusiveMinimum": _limit("not more than {}"),
    "format": lambda found, value: f"is {_literal(value)}, which is no `{found.format}`",
    "maxItems": _limit("longer than {}"),
    "maxLength": _limit("longer than {}"),
    "maximum": _limit("more than {}"),
    "minItems": _limit("shorter than {}"),
    "minLength": _limit("shorter than {}"),
    "minimum": _limit("less than {}"),
    "oneOf": lambda _, value: f"is {_literal(value)}, which not exactly one alternative allows",
    "pattern": lambda found, value: f"is {_literal(value)}, not as in `{found.pattern}`",
    "required": lambda found, _: f"has no `{found.property}`",
    "type": _type,
    "unevaluatedProperties": _additional,
}


def _literal(value: Any) -> str:
    return kind(value) if isinstance(value, (dict, list)) else f"`{_shortened(_text(value))}`"


def _text(value: Any) -> str:
    """A scalar in words. Python refuses to write numbers of thousands of digits."""
    try:
        return str(value)
    except ValueError:
        return "a huge number"


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 4] + " ..."
