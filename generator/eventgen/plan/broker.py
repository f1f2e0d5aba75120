"""The contract a broker fulfils. A broker is one value of this type plus one template folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eventgen.diagnostics import Diagnostic
from eventgen.plan.kinds import FileKind, Subject


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a backend can do, asked for by name."""

    ordering: str  # how order per key is kept, in a few words
    replay: str  # where past events can be read again from
    max_message_bytes: int | None  # the server's default limit; None when there is none


@dataclass(frozen=True, slots=True)
class Broker:
    """One backend.

    `requires` are the distributions a generated service needs for it. `protocols` are what
    documents call it, in servers and bindings; empty when it stands in for any. `transport` names
    the runtime module whose `connect` makes the transport. `address` turns a channel address into
    the backend's own destination name (a topic, a queue). `options` picks from a channel's bindings
    what the transport reads. `explanations` are the documentation of what `check` reports, by name,
    as a rule has it in its docstring. Nothing here imports a client library.
    """

    name: str
    title: str
    requires: tuple[str, ...]
    protocols: tuple[str, ...]
    capabilities: Capabilities
    transport: str
    address: Callable[[str], str]
    options: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    files: tuple[FileKind, ...]
    check: Callable[[Subject], Iterable[Diagnostic]] = lambda _subject: ()
    explanations: Mapping[str, str] = field(default_factory=dict)
    templates: Path | None = None  # set by brokers that live outside eventgen
