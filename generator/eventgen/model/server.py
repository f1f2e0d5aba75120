"""Where the channels live."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eventgen.model.about import About, Places, Security
from eventgen.model.words import Name, Text


@dataclass(frozen=True, slots=True)
class Variable:
    """A `{name}` in a server's host or pathname."""

    name: str
    about: About
    enum: tuple[Text, ...]
    default: Text | None
    examples: tuple[Text, ...]
    places: Places


@dataclass(frozen=True, slots=True)
class Server:
    """Where the document says the channels live. For people: addresses come from settings."""

    name: Name
    host: Text  # may hold `{variables}`, as may `pathname`
    pathname: Text
    protocol: Text
    protocol_version: Text
    about: About
    variables: tuple[Variable, ...]
    security: Security
    bindings: Mapping[str, Any]
    places: Places
