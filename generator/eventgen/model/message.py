"""The kinds of events, and the schemas of what they carry."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from eventgen.diagnostics import Span
from eventgen.model.about import About, Location, Places
from eventgen.model.words import Name, Text

# `order.placed.v2`, `order-placed-v2`, `OrderPlacedV2`
_VERSION = re.compile(r"(?:[._/-][vV]|(?<=[a-z0-9])V)([0-9]{1,6})\Z")
_NUMBER = re.compile(r"v?([0-9]{1,9})")


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


class Wrapping(Enum):
    """What an event's attributes travel in."""

    CLOUDEVENTS = "cloudevents"  # headers
    PLAIN = "plain"  # a JSON object around the payload
    NONE = "none"  # the payload itself, which is an envelope already


@dataclass(frozen=True, slots=True)
class Envelope:
    """How an event's attributes travel, and where that was said.

    `paths` has the property of the payload that carries each attribute, for `NONE` alone. `type` is
    the one value that the property for the type may have, if there is one. `origin` is in words
    where nobody said it, and empty where it is the usual.
    """

    wrapping: Wrapping = Wrapping.CLOUDEVENTS
    paths: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    type: Text | None = None
    origin: Span | str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One kind of event. `type` is the CloudEvents type on the wire."""

    name: Name
    id: Text  # its key in the document or its `messageId`; empty when it has none
    type: Text
    about: About
    version: Text  # semantic version of the event; "1.0.0" when the document does not say
    key: tuple[str, ...]  # property names from the root of the payload to the partition key
    envelope: Envelope
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
    def wire_type(self) -> Text:
        """The type that tells the event from others on the wire."""
        return self.envelope.type or self.type

    @property
    def family(self) -> str:
        """What all versions of the event are called: its type without the version behind it."""
        return _VERSION.sub("", self.type.value) or self.type.value

    @property
    def major(self) -> int:
        """The first number of the version: the one in the type, or else of `version`."""
        found = _VERSION.search(self.type.value) or _NUMBER.match(self.version.value)
        return 0 if found is None else int(found[1])

    @property
    def payloads(self) -> tuple[Any, ...]:
        """The payloads of the examples that have one."""
        return tuple(one.parts["payload"] for one in self.examples if "payload" in one.parts)
