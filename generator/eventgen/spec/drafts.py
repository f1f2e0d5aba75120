"""What a dialect hands on: a service whose things have no final names and no gathered schemas.

Each draft has a `body`, the model's own object with all that the document says of it. What only a
whole service can say (names, and what refers to them) is empty there, and filled by `assemble`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eventgen.model import Name, Text

if TYPE_CHECKING:
    from eventgen.diagnostics import Span
    from eventgen.model import (
        Channel,
        Info,
        Message,
        Operation,
        Places,
        Route,
        SecurityScheme,
        Server,
    )
    from eventgen.model.config import ChannelConfig
    from eventgen.spec.formats.converted import Converted
    from eventgen.spec.tree import Node

UNNAMED = Name(Text(""), "", "", "", "")


@dataclass(frozen=True, slots=True, eq=False)
class DraftServer:
    """Somewhere the channels live. `id` is the key in the document."""

    id: str
    body: Server


@dataclass(frozen=True, slots=True, eq=False)
class DraftMessage:
    """One kind of event. `names` are what it may be called, best first."""

    names: tuple[str, ...]
    payload: Node | None
    headers: Node | None
    modern: bool  # whether its schemas follow a draft after 07, where `$ref` may have siblings
    body: Message  # its `envelope` is what the document says of it
    tie: str = ""
    converted: Converted | None = None  # a payload that is not written in JSON Schema

    @property
    def span(self) -> Span:
        """Where it stands."""
        return self.body.span


@dataclass(frozen=True, slots=True, eq=False)
class DraftChannel:
    """A place events go through, with every message that may. `id` is the key in the document."""

    id: str
    settings: ChannelConfig
    messages: tuple[DraftMessage, ...]
    servers: tuple[DraftServer, ...]
    body: Channel

    @property
    def address(self) -> str:
        """Its address, or the key that stands in for it."""
        return self.body.address.value

    @property
    def span(self) -> Span:
        """Where it stands."""
        return self.body.span


@dataclass(frozen=True, slots=True, eq=False)
class DraftRoute:
    """Where an operation's answers go, or what it failed at."""

    channel: DraftChannel | None
    messages: tuple[DraftMessage, ...]
    body: Route


@dataclass(frozen=True, slots=True, eq=False)
class DraftOperation:
    """What the application does with some messages of a channel."""

    names: tuple[str, ...]
    channel: DraftChannel
    messages: tuple[DraftMessage, ...]
    routes: Mapping[str, DraftRoute]  # by the field of `Operation`: reply, retry_route ...
    body: Operation

    @property
    def span(self) -> Span:
        """Where it stands."""
        return self.body.span


@dataclass(frozen=True, slots=True)
class Draft:
    """A whole document. `names` are what the service may be called, best first."""

    names: tuple[str, ...]
    info: Info
    servers: tuple[DraftServer, ...]
    channels: tuple[DraftChannel, ...]
    operations: tuple[DraftOperation, ...]
    spare: tuple[DraftMessage, ...]  # in components, and in no channel or operation
    security: tuple[SecurityScheme, ...]
    extensions: Mapping[str, Any]
    places: Places
