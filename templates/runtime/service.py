"""What a generated service tells the runtime about itself: plain, frozen values."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypeVar

from pydantic import BaseModel

from .errors import ConfigurationError
from .wrapping import BINARY, Wrapping

if TYPE_CHECKING:
    from .check import Check
    from .context import Context
    from .database import Database
    from .transport import Transport

Ordering = Literal["key", "none"]

_Event = TypeVar("_Event", bound=BaseModel)
_MAJOR = re.compile(r"v?([0-9]{1,9})(?![0-9])", re.ASCII)
_Model: TypeAlias = type[BaseModel]  # by a name of its own: `EventType.type` hides `type`


class Wire(Protocol):
    """A form of payloads on the wire other than JSON. Their content is plain data, as JSON has it.

    Both ways it raises ValueError for what its schema does not allow.
    """

    def encode(self, payload: Any) -> bytes:
        """The bytes of a payload."""

    def decode(self, body: bytes, version: str | None = None) -> Any:
        """The payload in these bytes, which were written with that version of the event."""


@dataclass(frozen=True, slots=True)
class EventType:
    """One kind of event, as it is on the wire.

    `type` is the CloudEvents type. `key` is the path of property names (as on the wire) from the
    root of the payload to the partition key; empty when the event has none. `check` holds what its
    schema says beyond the model, when it does. Without `wire` the payload is JSON on the wire.
    `envelope` is the way its attributes are sent.
    """

    type: str
    version: str
    model: _Model
    key: tuple[str, ...] = ()
    content_type: str = "application/json"
    check: Check | None = None
    wire: Wire | None = None
    envelope: Wrapping = BINARY


@dataclass(frozen=True, slots=True)
class Channel:
    """Where events go. `destination` is the broker's own name for it; it may hold `{parameters}`.

    `parameters` maps each parameter to the path of the payload property that carries it; an empty
    path means the publisher must give it.
    """

    name: str
    address: str
    destination: str
    parameters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ordering: Ordering = "key"
    options: Mapping[str, Any] = field(default_factory=dict)  # what the broker's file reads


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Delayed attempts of a failing event: `initial * factor ** n` seconds, at most `maximum`."""

    attempts: int = 10
    initial: float = 1.0
    factor: float = 4.0
    maximum: float = 3600.0


@dataclass(frozen=True, slots=True)
class Route:
    """Which handler takes events of one type and major version.

    `upcast` makes of such an event the one that the handler takes, where that is a newer version.
    """

    event: EventType
    handler: Callable[[Any, Context[Any]], Awaitable[None]]
    upcast: Callable[[Any], Any] | None = None


def route(
    event: EventType,
    model: type[_Event],
    handler: Callable[[_Event, Context[Any]], Awaitable[None]],
) -> Route:
    """A route whose handler provably takes this event: anything else is a type error.

    What a type checker cannot see at start-up is refused here.
    """
    if event.model is not model or not iscoroutinefunction(handler):
        name = getattr(handler, "__qualname__", repr(handler))
        raise ConfigurationError(
            f"{name} must be `async def {name}(event: {model.__name__}, ctx: Context) -> None`"
        )
    return Route(event, handler)


@dataclass(frozen=True, slots=True)
class Subscription:
    """The events of one channel this service handles. `name` is the inbox's consumer name.

    `concurrency` events of different keys are handled at the same time, in transactions of at most
    `batch` events. A handler that takes longer than `timeout` seconds is cancelled, and has failed.
    `rate` is the most events a second that one process of the service takes.
    """

    name: str
    channel: Channel
    routes: tuple[Route, ...]
    retry: RetryPolicy = RetryPolicy()
    concurrency: int = 16
    batch: int = 50
    timeout: float = 60.0
    rate: float | None = None
    # Made of the routes once, because every message asks for them.
    wrappings: tuple[Wrapping, ...] = field(init=False, repr=False, compare=False)
    _by_type: Mapping[str, tuple[Route, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Sort the routes by type, the oldest version first."""
        wrappings: list[Wrapping] = []
        by_type: dict[str, tuple[Route, ...]] = {}
        for one in sorted(self.routes, key=lambda one: major(one.event.version) or 0):
            by_type[one.event.type] = (*by_type.get(one.event.type, ()), one)
            if one.event.envelope != BINARY and one.event.envelope not in wrappings:
                wrappings.append(one.event.envelope)
        object.__setattr__(self, "wrappings", tuple(wrappings))
        object.__setattr__(self, "_by_type", by_type)

    def route(self, type_: str, version: str = "") -> Route | None:
        """The route of an event type, or None when this service does not handle it.

        Of several versions the one with the same major number; the oldest when none is said.
        """
        routes = self._by_type.get(type_)
        if routes is None:
            return None
        number = major(version)
        if number is None:
            return routes[0]
        return next((one for one in routes if major(one.event.version) in (number, None)), None)


def major(version: str) -> int | None:
    """The first number of a version; None when it has none."""
    found = _MAJOR.match(version)
    return int(found[1]) if found else None


@dataclass(frozen=True, slots=True)
class Publication:
    """One kind of event this service publishes, and the channel it goes to."""

    event: EventType
    channel: Channel


@dataclass(frozen=True, slots=True)
class Service:
    """Everything the runtime knows about the service it runs.

    `transport` makes the chosen broker's transport from the environment prefix and the database;
    `examples` holds a valid payload (JSON) of each event, by the name of its model, for `dev`.
    """

    name: str
    version: str
    package: str
    broker: str
    transport: Callable[[Service, Database], Transport]
    publications: tuple[Publication, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    examples: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def env_prefix(self) -> str:
        """What the service's environment variables begin with: `ORDERS_`."""
        return self.package.upper() + "_"

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Each channel the service uses, once, by name."""
        used = {p.channel.name: p.channel for p in self.publications}
        used.update({s.channel.name: s.channel for s in self.subscriptions})
        return tuple(used[name] for name in sorted(used))

    @property
    def checks(self) -> tuple[Check, ...]:
        """What is checked with its schema of all the events, published and handled."""
        events = [publication.event for publication in self.publications]
        events += [route.event for one in self.subscriptions for route in one.routes]
        return tuple(event.check for event in events if event.check is not None)
