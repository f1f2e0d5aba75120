"""The places that events go through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from eventgen.diagnostics import Span
from eventgen.model.about import About, Location, Part, Places
from eventgen.model.words import Name, Text


class Ordering(Enum):
    """What a channel promises about order."""

    KEY = "key"  # events of one key are handled in the order they were committed
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A `{name}` in a channel address."""

    name: str
    about: About
    enum: tuple[Text, ...]  # the values it may have; empty when any
    default: Text | None
    examples: tuple[Text, ...]
    location: Location | None  # where an event carries the value, when the document says
    schema: Any  # JSON Schema of the value, as plain data, or None
    places: Places

    @property
    def path(self) -> tuple[str, ...]:
        """The property of the payload that carries the value; empty when none does."""
        inside = self.location is not None and self.location.part is Part.PAYLOAD
        return self.location.path if self.location is not None and inside else ()


@dataclass(frozen=True, slots=True)
class Retry:
    """How often, and how far apart, a failing event is tried. Delays in seconds."""

    attempts: int = 10
    initial: float = 1.0
    factor: float = 4.0
    maximum: float = 3600.0


@dataclass(frozen=True, slots=True)
class Handling:
    """How the events of a channel are handled by its subscriber."""

    concurrency: int = 16  # events of different keys at the same time
    batch: int = 50  # events that may share a transaction
    timeout: float = 60.0  # seconds a handler may take
    rate: float | None = None  # events a second, at most


@dataclass(frozen=True, slots=True)
class Channel:
    """A place events go through. `address` may hold `{parameters}`."""

    name: Name
    id: Text  # its key in the document
    address: Text
    addressed: bool  # whether the document gives the address; the channel's key stands in for it
    about: About
    parameters: tuple[Parameter, ...]
    messages: tuple[Name, ...]  # those that may go through it
    servers: tuple[Name, ...]  # those it is limited to; empty when none is named
    ordering: Ordering
    retry: Retry
    handling: Handling
    bindings: Mapping[str, Any]  # protocol -> the author's binding object, as plain data
    places: Places

    @property
    def span(self) -> Span:
        """Where the channel stands."""
        return self.places.span
