"""What every object of a document may say: words about itself, where it stands, who it trusts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from eventgen.diagnostics import Span
from eventgen.model.words import Text


@dataclass(frozen=True, slots=True)
class Places:
    """Where an object and its parts stand in the document, for findings to point at.

    `parts` holds the way to a part, as keys from the object down: `("bindings", "kafka", "topic")`.
    A scalar is found at its value, a mapping or list at its key.
    """

    span: Span
    parts: Mapping[tuple[str, ...], Span]

    def at(self, *way: str) -> Span:
        """Where a part stands, or else the nearest thing around it."""
        for length in range(len(way), 0, -1):
            if way[:length] in self.parts:
                return self.parts[way[:length]]
        return self.span


@dataclass(frozen=True, slots=True)
class Docs:
    """Where more is written."""

    url: Text
    description: Text


@dataclass(frozen=True, slots=True)
class Tag:
    """A word that groups things."""

    name: Text
    description: Text
    docs: Docs | None


@dataclass(frozen=True, slots=True)
class About:
    """An object's own words. `extensions` are its `x-` fields but `x-eventgen`, as plain data."""

    title: Text
    summary: Text
    description: Text
    tags: tuple[Tag, ...]
    docs: Docs | None
    extensions: Mapping[str, Any]

    @property
    def words(self) -> Text:
        """What to tell people of it: the description, or else the summary."""
        return self.description or self.summary


class Part(Enum):
    """The two halves of a message that a value may be taken from."""

    HEADERS = "headers"
    PAYLOAD = "payload"


@dataclass(frozen=True, slots=True)
class Location:
    """Where a message carries a value: property names from the root of its headers or payload."""

    part: Part
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SecurityScheme:
    """A way to be let in. `fields` are all it says, as plain data."""

    name: Text  # what the document calls it; empty when it stands where it is used
    type: Text  # userPassword, oauth2, scramSha256, ...
    about: About
    fields: Mapping[str, Any]
    places: Places


@dataclass(frozen=True, slots=True)
class Permit:
    """One scheme that is asked for, and the scopes it must grant."""

    scheme: SecurityScheme
    scopes: tuple[Text, ...]


# Any one of the alternatives lets in; each asks for all of its permits.
Security = tuple[tuple[Permit, ...], ...]
