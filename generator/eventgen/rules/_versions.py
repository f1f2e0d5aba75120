"""Where the version of an event stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eventgen.diagnostics import Span
    from eventgen.model import Message

_WAY = ("x-eventgen", "version")


def is_given(message: Message) -> bool:
    """Whether the document says the version."""
    return _WAY in message.places.parts


def place(message: Message) -> Span:
    """The version, or the event itself."""
    return message.places.parts.get(_WAY, message.span)
