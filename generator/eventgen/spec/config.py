"""Reads `eventgen.yaml`, the choices that a specification cannot state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from eventgen.diagnostics import Diagnostic, Severity, Span, has_errors
from eventgen.model import Envelope
from eventgen.model.config import (
    Config,
    Convention,
    Database,
    EventConfig,
    Naming,
    Perspective,
    Selection,
    Versions,
)
from eventgen.spec import settings
from eventgen.spec.fields import Choice, Entries, Field, Table, Texts, Words
from eventgen.spec.refs import Files, project_root
from eventgen.spec.shape import Reading
from eventgen.spec.tree import Node

FILE = "eventgen.yaml"
_OFF = "off"
_CONVENTIONS = tuple(one.value for one in Convention)
_VERSIONS = Field(
    "versions",
    Choice(tuple(one.value for one in Versions)),
    "What handles several versions of one event. `separate`: a handler for each. `upcast`: one for"
    f" the newest, which your upcasters make of the others. `{Versions.SEPARATE.value}` when this"
    " is not given.",
)
_EVENT = Table("the event `{}`", (settings.ENVELOPE, _VERSIONS))
CONFIG = Table(
    FILE,
    (
        Field(
            "service",
            Words(),
            "The service's name. The specification's own when this is not given.",
        ),
        Field(
            "spec",
            Words(),
            "The specification: AsyncAPI or the short form, relative to this file.",
            missing="name the specification: `spec: asyncapi.yaml`",
        ),
        Field(
            "broker",
            Words(),
            "What carries the events. `eventgen brokers` lists what there is.",
            missing="name one of those that `eventgen brokers` lists",
        ),
        Field(
            "database",
            Choice(tuple(one.value for one in Database)),
            "Where outbox, inbox and the service's own tables are."
            f" `{Database.POSTGRES.value}` when this is not given.",
        ),
        Field(
            "v2_perspective",
            Choice(tuple(one.value for one in Perspective)),
            "Whose view `publish` and `subscribe` of an AsyncAPI 2 document take."
            " `application`: this service publishes what stands under `publish`."
            " `specification`: others do, and this service receives it.",
        ),
        Field(
            "check",
            Table(
                "`check`",
                (
                    Field("select", Texts(), "The findings to report. All when this is not given."),
                    Field("ignore", Texts(), "The findings not to report."),
                    Field(
                        "severity",
                        Entries(Choice((Severity.ERROR.value, Severity.WARNING.value, _OFF))),
                        "How bad a finding is, by its name. `off` reports none of it.",
                    ),
                    Field(
                        "event_names",
                        Choice(_CONVENTIONS),
                        "How events are named: `dotted` is `order.placed`, `path` is"
                        " `order/placed`. Any name is right when this is not given.",
                    ),
                    Field(
                        "channel_names",
                        Choice(_CONVENTIONS),
                        "How the addresses of channels are written, in the same words.",
                    ),
                ),
            ),
            "Which findings `eventgen check` reports, and how bad each is.",
        ),
        settings.ENVELOPE,
        _VERSIONS,
        Field(
            "events",
            Entries(_EVENT),
            "What holds for one event only, by its name on the wire or its key.",
        ),
        Field(
            "channels",
            Entries(settings.CHANNEL),
            "What this service wants of a channel, by its key or address in the specification.",
        ),
    ),
)
_NOTHING = Config(spec="", broker="", database=Database.POSTGRES)


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A configuration, or None when it has errors; and where each of its keys stands.

    Whether there is a broker of that name is for the caller to say, at `places["broker"]`; and
    whether there are findings of the names that `check` has, at their places in `named`.
    """

    config: Config | None
    findings: tuple[Diagnostic, ...]
    places: Mapping[str, Span]
    named: Mapping[str, Span]


def load(path: Path, display: str) -> LoadedConfig:
    """Read one service's `eventgen.yaml`. `display` is how messages name the file."""
    files = Files(project_root(path))
    document = files.open(path, display)
    if document is None:
        return LoadedConfig(None, tuple(files.findings), {}, {})
    reading = Reading(files, _NOTHING, files.findings)
    root = reading.object(document.root, f"`{display}`")
    if root is None:
        return LoadedConfig(None, tuple(reading.findings), {}, {})
    config = _read(reading, root)
    findings = tuple(reading.findings)
    places = {key: value.span for key, value in root.value.items()}
    named = _named(root)
    return LoadedConfig(None if has_errors(findings) else config, findings, places, named)


def _read(reading: Reading, root: Node) -> Config:
    found = CONFIG.of(reading, root)
    words = {key: value.words for key, value in found.value.items()}
    perspective = words.get("v2_perspective")
    channels = {} if found.get("channels") is None else found.value["channels"].value
    events = {} if found.get("events") is None else found.value["events"].value
    return Config(
        spec=words.get("spec", ""),
        broker=words.get("broker", ""),
        database=Database(words.get("database", Database.POSTGRES)),
        service=words.get("service"),
        v2_perspective=None if perspective is None else Perspective(perspective),
        envelope=_envelope(found),
        versions=Versions(words.get("versions", Versions.SEPARATE)),
        events={name: _event(node) for name, node in events.items() if node.value is not None},
        channels={
            name: settings.channel(reading, node)
            for name, node in channels.items()
            if node.value is not None
        },
        check=_selection(found.get("check")),
        naming=_naming(found.get("check")),
    )


def _event(node: Node) -> EventConfig:
    versions = node.get("versions")
    return EventConfig(_envelope(node), None if versions is None else Versions(versions.words))


def _envelope(node: Node) -> Envelope | None:
    found = node.get("envelope")
    return None if found is None else settings.envelope(found, node.place("envelope"))


def _selection(node: Node | None) -> Selection:
    if node is None:
        return Selection()
    lists = {
        key: frozenset(item.words for item in node.value[key].value)
        for key in ("select", "ignore")
        if key in node.value
    }
    degrees = node.value["severity"].value if "severity" in node.value else {}
    chosen = {name: word.words for name, word in degrees.items() if word.words}
    return Selection(
        select=lists.get("select", frozenset()),
        ignore=lists.get("ignore", frozenset())
        | {name for name, word in chosen.items() if word == _OFF},
        severity={name: Severity(word) for name, word in chosen.items() if word != _OFF},
    )


def _naming(node: Node | None) -> Naming:
    chosen = {
        key: None if node is None or key not in node.value else Convention(node.value[key].words)
        for key in ("event_names", "channel_names")
    }
    return Naming(chosen["event_names"], chosen["channel_names"])


def _named(root: Node) -> dict[str, Span]:
    """The names of findings under `check`, wherever they stand there."""
    check = root.get("check")
    places: dict[str, Span] = {}
    for key in ("select", "ignore", "severity"):
        found = None if check is None else check.get(key)
        if found is not None and isinstance(found.value, list):
            places |= {item.value: item.span for item in found.value if isinstance(item.value, str)}
        elif found is not None:
            places |= found.keys
    return places
