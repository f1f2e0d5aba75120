"""The kinds of events, and the schemas of what they carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eventgen.diagnostics import Span
from eventgen.model.about import About, Location, Places
from eventgen.model.words import Name, Text


@dataclass(frozen=True, slots=True)
class Schema:
    """One JSON Schema (2020-12, as plain data) whose references are all `#/$defs/<name>`.

    `name` is the Python class it becomes, unique in the service.
    """

    name: str
    document: Any
    places: Places  # of its defaults and examples

    @property
    def span(self) -> Span:
        """Where the schema stands."""
        return self.places.span


@dataclass(frozen=True, slots=True)
class Avro:
    """A payload in Avro. Schemas are plain data, each complete in itself, with names in full."""

    schema: Any
    writers: Mapping[str, Any]  # by version of the event: what others write, where it differs


@dataclass(frozen=True, slots=True)
class Protobuf:
    """A payload in Protobuf: a serialized FileDescriptorSet, and the full name of the message."""

    descriptors: bytes
    message: str


@dataclass(frozen=True, slots=True)
class Foreign:
    """A schema in another language than JSON Schema: plain data, or the text of a file."""

    format: Text  # as the document has it: application/vnd.apache.avro;version=1.9.0
    document: Any
    span: Span
    wire: Avro | Protobuf | None = None  # None: nothing can be generated from it


@dataclass(frozen=True, slots=True)
class Correlation:
    """Where a message carries what ties it to others."""

    about: About
    location: Location | None  # None when the document's words for it are not understood
    places: Places


@dataclass(frozen=True, slots=True)
class Example:
    """One example of a message. `parts` may hold `payload` and `headers`, as plain data."""

    name: Text
    summary: Text
    parts: Mapping[str, Any]
    places: Places


@dataclass(frozen=True, slots=True)
class Message:
    """One kind of event. `type` is the CloudEvents type on the wire."""

    name: Name
    id: Text  # its key in the document or its `messageId`; empty when it has none
    type: Text
    about: About
    version: Text  # semantic version of the event; "1.0.0" when the document does not say
    key: tuple[str, ...]  # property names from the root of the payload to the partition key
    schema: str  # name of the payload schema in Service.schemas
    schema_format: Text  # as the document has it; empty when it does not say
    foreign_payload: Foreign | None  # without `wire`, `schema` allows anything
    headers: Any  # JSON Schema of the application headers, or None
    foreign_headers: Foreign | None
    content_type: Text
    correlation: Correlation | None
    examples: tuple[Example, ...]
    deprecated: bool
    bindings: Mapping[str, Any]
    places: Places

    @property
    def span(self) -> Span:
        """Where the message stands."""
        return self.places.span

    @property
    def payloads(self) -> tuple[Any, ...]:
        """The payloads of the examples that have one."""
        return tuple(one.parts["payload"] for one in self.examples if "payload" in one.parts)
