"""What the application does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from eventgen.diagnostics import Span
from eventgen.model.about import About, Location, Places, Security
from eventgen.model.channel import Retry
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
class Route:
    """Where messages go when an operation answers, tries again or gives up.

    Only an answer may have an `address`: its request then says where it goes.
    """

    channel: Name | None  # None only for an answer whose request says where it goes
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
    reply: Route | None
    retry: Retry | None  # how often a failing event is tried, when the operation says
    retry_route: Route | None
    dead_letter: Route | None
    security: Security
    bindings: Mapping[str, Any]
    places: Places

    @property
    def span(self) -> Span:
        """Where the operation stands."""
        return self.places.span
