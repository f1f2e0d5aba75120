"""Payloads in other languages than JSON Schema: which there are, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eventgen.spec.formats import avro_reading, protobuf_reading
from eventgen.spec.formats.converted import Asked, Converted

if TYPE_CHECKING:
    from eventgen.spec.shape import Reading
    from eventgen.spec.tree import Node

SUPPORTED = "JSON Schema, Avro or Protobuf"


@dataclass(frozen=True, slots=True)
class Language:
    """A schema language. Without `read` its schemas are kept, and nothing is made of them."""

    word: str  # by which a `schemaFormat` names it
    title: str
    format: str = ""  # what stands for a file in it
    read: Callable[[Reading, Asked], Converted | None] | None = None


_LANGUAGES = (
    Language("avro", "Avro", "application/vnd.apache.avro", avro_reading.convert),
    Language("protobuf", "Protobuf", "application/vnd.google.protobuf", protobuf_reading.convert),
    Language("raml", "RAML"),
    Language("xml", "XML"),
)


def language(words: str) -> Language | None:
    """The language that a `schemaFormat` names."""
    lowered = words.lower()
    return next((one for one in _LANGUAGES if one.word in lowered), None)


def is_read(words: str) -> bool:
    """Whether the schemas of the language that `words` names become models."""
    found = language(words)
    return found is not None and found.read is not None


def is_avro(words: str) -> bool:
    """Whether `words` names Avro, whose values are read with the schema they were written with."""
    found = language(words)
    return found is not None and found.title == "Avro"


def of_file(reading: Reading, schema: Node) -> str:
    """The format of a schema that is a file: `$ref: order.avsc`. Empty for JSON Schema."""
    target = None if schema.reference is None else reading.follow(schema)
    written = "" if target is None else target.document.language
    return next((one.format for one in _LANGUAGES if one.title == written), "")


def convert(reading: Reading, words: str, asked: Asked) -> Converted | None:
    """A payload in the language that `words` names; None when nothing can be made of it."""
    found = language(words)
    return None if found is None or found.read is None else found.read(reading, asked)
