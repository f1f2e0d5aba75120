"""The defaults and examples in schemas, held against the schemas they stand in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eventgen.spec.keywords import property_at, subschemas
from eventgen.spec.validate import Schemas

if TYPE_CHECKING:
    from eventgen.diagnostics import Span
    from eventgen.model import Schema, Service, Spare


@dataclass(frozen=True, slots=True)
class _Sample:
    """A value, and the way to the schema it stands in, and from there to it."""

    value: Any
    holder: tuple[str, ...]
    inside: tuple[str, ...]  # default; or examples and an index


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One fault of a default or example, in a sentence, and where it is."""

    text: str
    span: Span


def mismatches(service: Service, *, whole: bool) -> Iterator[Mismatch]:
    """Each fault of a default or example.

    `whole` are the values of schemas that have a name or are a payload, but for text and `example`;
    the others are those of the schemas in them.
    """
    for holder in (service, service.spare):
        yield from _in(holder, whole=whole)


def _in(holder: Service | Spare, *, whole: bool) -> Iterator[Mismatch]:
    schemas = Schemas(holder)
    for schema in holder.schemas:
        for sample in _samples(schema) if schema.places.parts else ():
            if _is_whole(schema, sample) is not whole:
                continue
            pointer = "/".join(_escaped(part) for part in ("$defs", schema.name, *sample.holder))
            for fault in schemas.faults(pointer, sample.value):
                at = schema.places.at(*sample.holder, *sample.inside, *fault.way)
                what = "the default" if sample.inside == ("default",) else "an example"
                subject = f"{what} of {_subject(sample)}"
                yield Mismatch(f"{subject} is not what its schema allows: {fault.text}", at)


def _is_whole(schema: Schema, sample: _Sample) -> bool:
    is_example = ("example",) in schema.places.parts and sample.inside != ("default",)
    return not sample.holder and not isinstance(sample.value, str) and not is_example


def _samples(schema: Schema) -> Iterator[_Sample]:
    for way, here in subschemas(schema.document):
        if "default" in here:
            yield _Sample(here["default"], way, ("default",))
        for index, value in enumerate(here.get("examples", ())):
            yield _Sample(value, way, ("examples", str(index)))


def _subject(sample: _Sample) -> str:
    name = property_at(sample.holder)
    return f"`{name}`" if name else "this schema"


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1").replace("%", "%25")
