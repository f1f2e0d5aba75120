"""What the application does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from eventgen.diagnostics import Span
from eventgen.model.about import About, Location, Places, Security
from eventgen.model.words import Name, Text


class Action(Enum):
    """What the application does, in its own view: it sends, or it receives."""

    SEND = "send"
    RECEIVE = "receive"


@dataclass(frozen=True, slots=True)
class ReplyAddress:
    """Where a request says that its answer goes."""

    description: Text
    location: Location | None  # None when the document's words for it are not understood
    places: Places


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a request: the channel it takes, or what the request says of it."""

    channel: Name | None
    messages: tuple[Name, ...]
    address: ReplyAddress | None
    places: Places


@dataclass(frozen=True, slots=True)
class Operation:
    """The application sends or receives certain messages on one channel."""

    name: Name
    id: Text  # its key in the document or its `operationId`; empty when it has none
    action: Action
    channel: Name
    messages: tuple[Name, ...]
    about: About
    reply: Reply | None
    security: Security
    bindings: Mapping[str, Any]
    places: Places

    @property
    def span(self) -> Span:
        """Where the operation stands."""
        return self.places.span
