"""One service: everything a generation needs to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eventgen.diagnostics import Span
from eventgen.model.about import About, Places, SecurityScheme
from eventgen.model.channel import Channel
from eventgen.model.message import Message, Schema
from eventgen.model.operation import Action, Operation
from eventgen.model.server import Server
from eventgen.model.words import Name, Text


@dataclass(frozen=True, slots=True)
class Link:
    """A person or team, or a licence, and where to find it."""

    name: Text
    url: Text
    email: Text


@dataclass(frozen=True, slots=True)
class Info:
    """What the document says of the service as a whole. `about.title` is its title."""

    id: Text
    version: Text
    terms: Text  # address of the terms of service
    contact: Link | None
    license: Link | None
    content_type: Text  # of messages that do not say their own
    about: About
    places: Places


@dataclass(frozen=True, slots=True)
class Spare:
    """Messages that are described but go through no channel. Nothing is generated from them.

    The names of `messages` and `schemas` are unique among themselves.
    """

    messages: tuple[Message, ...]
    schemas: tuple[Schema, ...]


@dataclass(frozen=True, slots=True)
class Service:
    """Everything a generation needs to know about one service, sorted by name throughout."""

    name: Name
    info: Info
    servers: tuple[Server, ...]
    channels: tuple[Channel, ...]
    messages: tuple[Message, ...]
    operations: tuple[Operation, ...]
    schemas: tuple[Schema, ...]
    spare: Spare
    security: tuple[SecurityScheme, ...]  # those the document names, used or not
    extensions: Mapping[str, Any]  # the `x-` fields at the root of the document
    places: Places

    @property
    def span(self) -> Span:
        """The whole document."""
        return self.places.span

    def channel(self, name: Name) -> Channel:
        """The channel an operation refers to."""
        return next(channel for channel in self.channels if channel.name == name)

    def message(self, name: Name) -> Message:
        """The message an operation refers to."""
        return next(message for message in self.messages if message.name == name)

    def sent(self) -> tuple[tuple[Channel, Message], ...]:
        """Each (channel, message) the service publishes."""
        return self._of(Action.SEND)

    def received(self) -> tuple[tuple[Channel, Message], ...]:
        """Each (channel, message) the service handles."""
        return self._of(Action.RECEIVE)

    def _of(self, action: Action) -> tuple[tuple[Channel, Message], ...]:
        pairs = {
            (operation.channel.snake, message.snake): (operation.channel, message)
            for operation in self.operations
            if operation.action is action
            for message in operation.messages
        }
        channels = {one.name: one for one in self.channels}
        messages = {one.name: one for one in self.messages}
        return tuple(
            (channels[channel], messages[message])
            for _, (channel, message) in sorted(pairs.items())
        )
