"""What the contract cannot say: the choices of `eventgen.yaml`, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from eventgen.diagnostics import Severity, Span
from eventgen.model import Envelope, Handling, Ordering, Retry


class Perspective(Enum):
    """Whose view a 2.x document's `publish` and `subscribe` take."""

    APPLICATION = "application"
    SPECIFICATION = "specification"


class Database(Enum):
    """Where outbox, inbox and the service's own tables live."""

    POSTGRES = "postgres"
    SQLITE = "sqlite"


class Versions(Enum):
    """What handles several versions of one event."""

    SEPARATE = "separate"  # a handler for each
    UPCAST = "upcast"  # one handler of the newest, which the older ones are made into


@dataclass(frozen=True, slots=True)
class EventConfig:
    """What `eventgen.yaml` says of one event; None where it is silent."""

    envelope: Envelope | None = None
    versions: Versions | None = None


@dataclass(frozen=True, slots=True)
class ChannelConfig:
    """What `eventgen.yaml` says of one channel; None where it is silent.

    `places` is where it says what it says, by key.
    """

    ordering: Ordering | None = None
    retry: Retry | None = None
    handling: Handling | None = None
    places: Mapping[str, Span] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which findings are reported, by name, and how bad each is.

    An empty `select` stands for all.
    """

    select: frozenset[str] = frozenset()
    ignore: frozenset[str] = frozenset()
    severity: Mapping[str, Severity] = field(default_factory=dict)

    def wants(self, name: str) -> bool:
        """Whether findings of this name are reported."""
        return name not in self.ignore and (not self.select or name in self.select)

    def under(self, other: Selection) -> Selection:
        """This one where the other is silent: what `other` selects is not ignored any more."""
        return Selection(
            other.select or self.select,
            (self.ignore - other.select) | other.ignore,
            {**self.severity, **other.severity},
        )


class Convention(Enum):
    """How names are written. Each is shown by an event that was placed by an order."""

    DOTTED = "dotted"  # order.placed
    KEBAB = "kebab"  # order-placed
    SNAKE = "snake"  # order_placed
    PATH = "path"  # order/placed
    PASCAL = "pascal"  # OrderPlaced


@dataclass(frozen=True, slots=True)
class Naming:
    """The conventions that names follow; None where any is right."""

    events: Convention | None = None
    channels: Convention | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """One service's `eventgen.yaml`."""

    spec: str  # path of the specification, relative to the project
    broker: str
    database: Database
    service: str | None = None  # overrides the name in the specification
    v2_perspective: Perspective | None = None
    envelope: Envelope | None = None
    versions: Versions = Versions.SEPARATE
    events: Mapping[str, EventConfig] = field(default_factory=dict)  # by type or message id
    channels: Mapping[str, ChannelConfig] = field(default_factory=dict)  # by channel id or address
    check: Selection = Selection()
    naming: Naming = Naming()
