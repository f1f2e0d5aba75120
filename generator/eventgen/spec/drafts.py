"""What a dialect hands on: a service whose things have no final names and no gathered schemas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eventgen.diagnostics import Span
    from eventgen.model import Action, Parameter
    from eventgen.model.config import ChannelConfig
    from eventgen.spec.tree import Node


@dataclass(frozen=True, slots=True, eq=False)
class DraftMessage:
    """One kind of event. `names` are what it may be called, best first."""

    names: tuple[str, ...]
    type: str
    title: str
    description: str
    version: str
    key: tuple[str, ...]
    payload: Node | None
    headers: Node | None
    modern: bool  # whether its schemas follow a draft after 07, where `$ref` may have siblings
    content_type: str
    examples: tuple[Any, ...]
    bindings: Mapping[str, Any]
    span: Span
    tie: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class DraftChannel:
    """A place events go through, with every message that may."""

    id: str  # the key in the document
    address: str
    description: str
    parameters: tuple[Parameter, ...]
    settings: ChannelConfig
    bindings: Mapping[str, Any]
    messages: tuple[DraftMessage, ...]
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class DraftOperation:
    """What the application does with some messages of a channel."""

    names: tuple[str, ...]
    action: Action
    channel: DraftChannel
    messages: tuple[DraftMessage, ...]
    description: str
    bindings: Mapping[str, Any]
    span: Span


@dataclass(frozen=True, slots=True)
class DraftServer:
    """Somewhere the channels live."""

    id: str
    host: str
    protocol: str
    description: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A whole document. `names` are what the service may be called, best first."""

    names: tuple[str, ...]
    title: str
    version: str
    description: str
    servers: tuple[DraftServer, ...]
    channels: tuple[DraftChannel, ...]
    operations: tuple[DraftOperation, ...]
    span: Span
