"""What one kind of output file is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from eventgen.model import Service
from eventgen.model.config import Config


class Owner(Enum):
    """Who may change a file after it was first written."""

    TOOL = "generated"  # rewritten by every `generate`; hand edits are refused, not lost
    APPENDED = "appended"  # written when it is missing; whoever has it keeps it, as it was written
    PERSON = "once"  # written when it is missing, then never touched
    STARTER = "starter"  # like PERSON, but whoever deletes it does not get it back
    EJECTED = "ejected"  # was TOOL's, until a person took it over: never touched while it is there
    GIFT = "gift"  # written by `new` only, and not remembered: part of the example


@dataclass(frozen=True, slots=True)
class Subject:
    """What a planner works from: one service, and the choices made for it."""

    service: Service
    config: Config
    example: bool = False  # the bundled orders example, with handlers that do something real


@dataclass(frozen=True, slots=True)
class FileKind:
    """A row of an outputs table.

    `template` is a path below `templates/`; one that ends in `.j2` is rendered with the view,
    any other is copied verbatim. `path` is formatted with `package` and, from each item, `item`
    (its `Name`, or None). `each` lists the views to render it with, one file for each.
    """

    template: str
    path: str
    each: Callable[[Subject], Iterable[View]]
    owner: Owner = Owner.TOOL


@dataclass(frozen=True, slots=True)
class View:
    """What a template prints, and the name that tells its file from its siblings."""

    value: Any
    item: str = ""


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """One file of one generation."""

    path: str  # relative to the project, with forward slashes
    template: str
    view: Any
    owner: Owner


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """One file as it is to stand on disk: LF line ends, UTF-8."""

    path: str
    text: str
    owner: Owner
