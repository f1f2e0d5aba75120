"""Holds a document of AsyncAPI against the shape that its version gives to every object."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from eventgen.diagnostics import Diagnostic, Severity
from eventgen.spec.document.explain import Fault, Finding, explain
from eventgen.spec.document.schema import validator_of
from eventgen.spec.document.shapes import Shapes, of_version
from eventgen.spec.document.walk import Place, expected, reads_as_reference, walk
from eventgen.spec.tree import Node, plain

if TYPE_CHECKING:
    from eventgen.spec.shape import Reading

# Findings that any value may give. Where a reader has something better to say, it speaks.
_GENERAL = frozenset(
    (
        "missing-key", "out-of-range", "text-without-quotes", "unknown-choice", "unknown-key",
        "wrong-kind",
    )
)  # fmt: skip
# Warnings about what the specification does not allow, and whose meaning is clear all the same.
_MEANT = frozenset(("required-on-property",))
_SCHEMAS = frozenset(("any-schema", "schema"))
_SURROGATE = re.compile("[\ud800-\udfff]")


def check(root: Node, version: str, reading: Reading) -> tuple[Finding, ...]:
    """Everything about the shape of a document, and of what it refers to.

    `version` is written as `2.6`. References that name nothing are reported to `reading`.
    """
    shapes = of_version(version)
    seen: set[tuple[int, str]] = set()
    waiting = [Place(root, {"object": "document"}, "the document")]
    found: list[Finding] = []
    while waiting:
        unit = waiting.pop()
        name = expected(unit).get("object", "")
        if name and (id(unit.node), name) in seen:
            continue
        found += _unit(shapes, unit)
        for place in walk(shapes, unit, seen, leaves=False):
            if reads_as_reference(shapes, place):
                _tell_siblings(reading, place)
                waiting += _referred(reading, place)
    return tuple(_once_per_binding_field(found))


def settle(shape: Iterable[Finding], others: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """Both kinds of findings, without those that say the same about one place.

    A reader's own finding wins over a general one about the shape; a general one of a reader is
    what the shape has said already.
    """
    shape, others = tuple(shape), tuple(others)
    special = {_place(one) for one in others if _is_special(one)}
    kept = [one for one in shape if not special.intersection(map(_at, one.also))]
    yield from (one.diagnostic for one in kept)
    said = {_at(span) for one in kept for span in (*one.also, *one.covers)}
    more = (one for one in others if one.name not in _GENERAL or _place(one) not in said)
    yield from {(one.name, one.message, _place(one)): one for one in more}.values()


def _is_special(found: Diagnostic) -> bool:
    if found.name in _GENERAL:
        return False
    return found.severity is Severity.ERROR or found.name in _MEANT


def _unit(shapes: Shapes, unit: Place) -> Iterator[Finding]:
    """The findings about one value and all that it holds, references not followed."""
    checker = validator_of(shapes.version, expected(unit))
    data = plain(unit.node)
    try:
        is_valid = checker.is_valid(data)
    except UnicodeEncodeError:
        data = _sayable(data)
        is_valid = checker.is_valid(data)
    if is_valid:
        return
    faults = [
        Fault(error.kind.name, error.kind.as_dict(), tuple(error.instance_path))
        for error in checker.iter_errors(data)
    ]
    yield from explain(shapes, walk(shapes, unit, set(), leaves=True), faults)


def _referred(reading: Reading, place: Place) -> Iterator[Place]:
    target = reading.follow(place.node, place.schema)
    if target is None or target.document.language:
        return
    spec = expected(place)
    if "refers" in spec:
        spec = {"object": spec["refers"]}
    what = f"`{target.way[-1]}`" if target.way else "the file"
    yield Place(target.node, spec, what)


def _tell_siblings(reading: Reading, place: Place) -> None:
    """What stands beside `$ref` in an object; a schema's siblings are told of where they are read.

    AsyncAPI 3.0.0, Reference Object: "additional properties SHALL be ignored".
    """
    if expected(place).get("object") in _SCHEMAS:
        return
    node = place.node
    ignored = [key for key in node.value if key != "$ref" and not key.startswith("x-")]
    if ignored:
        names = ", ".join(f"`{key}`" for key in ignored)
        reading.warn(
            "ref-siblings-ignored",
            f"{names} beside a `$ref` {'counts' if len(ignored) == 1 else 'count'} for nothing",
            node.place(ignored[0]),
            help=f"write it where `{node.reference}` leads, or remove it",
        )


def _once_per_binding_field(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Warnings about bindings, each the first time only."""
    said: set[str] = set()
    for one in findings:
        if one.diagnostic.severity is Severity.WARNING:
            if one.diagnostic.message in said:
                continue
            said.add(one.diagnostic.message)
        yield one


def _sayable(value: Any) -> Any:
    """Without halves of characters, which YAML's escapes can name and the checker cannot take."""
    if isinstance(value, str):
        return _SURROGATE.sub("?", value)
    if isinstance(value, dict):
        return {key: _sayable(one) for key, one in value.items() if not _SURROGATE.search(key)}
    if isinstance(value, list):
        return [_sayable(one) for one in value]
    return value


def _at(span: Any) -> tuple[int, int, int]:
    return id(span.source), span.line, span.column


def _place(found: Diagnostic) -> tuple[int, int, int] | None:
    return None if found.primary is None else _at(found.primary.span)
