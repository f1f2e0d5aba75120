"""Reads `eventgen.yaml`, the choices that a specification cannot state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from eventgen.diagnostics import Diagnostic, Severity, Span, has_errors
from eventgen.model.config import ChannelConfig, Config, Database, Perspective, Selection
from eventgen.spec import settings
from eventgen.spec.refs import Files, project_root
from eventgen.spec.shape import Reading, kind
from eventgen.spec.tree import Node

FILE = "eventgen.yaml"
_OFF = "off"
_KEYS = ("spec", "broker", "database", "service", "v2_perspective", "channels", "check")
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
    reading.known(root, _KEYS, "eventgen.yaml")
    for key, remedy in (
        ("spec", "name the specification: `spec: asyncapi.yaml`"),
        ("broker", "name one of those that `eventgen brokers` lists"),
    ):
        if root.get(key) is None:
            text = f"`{key}` is missing"
            reading.error("missing-key", text, _beginning(root.span), help=remedy)
        elif not reading.text(root, key):
            reading.error("missing-key", f"`{key}` is empty", root.place(key), help=remedy)
    database = settings.choice(reading, root, "database", [one.value for one in Database])
    perspective = settings.choice(
        reading, root, "v2_perspective", [one.value for one in Perspective]
    )
    return Config(
        spec=reading.text(root, "spec"),
        broker=reading.text(root, "broker"),
        database=Database.POSTGRES if database is None else Database(database),
        service=reading.text(root, "service") or None,
        v2_perspective=None if perspective is None else Perspective(perspective),
        channels=_channels(reading, root),
        check=_selection(reading, root),
    )


def _channels(reading: Reading, root: Node) -> dict[str, ChannelConfig]:
    channels = {}
    for name, node in reading.entries(reading.mapping(root, "channels")):
        found = reading.object(node, f"the configuration of the channel `{name}`")
        if found is not None:
            reading.known(found, ("ordering", "retry"), f"the channel `{name}`")
            channels[name] = settings.channel(reading, found)
    return channels


def _selection(reading: Reading, root: Node) -> Selection:
    found = reading.mapping(root, "check")
    if found is None:
        return Selection()
    reading.known(found, ("select", "ignore", "severity"), "`check`")
    degrees = reading.mapping(found, "severity")
    words = [*(one.value for one in Severity), _OFF]
    chosen = {
        name: settings.choice(reading, degrees, name, words)
        for name, _ in reading.entries(degrees)
        if degrees is not None
    }
    return Selection(
        select=frozenset(_texts(reading, found, "select")),
        ignore=frozenset(_texts(reading, found, "ignore"))
        | {name for name, word in chosen.items() if word == _OFF},
        severity={
            name: Severity(word) for name, word in chosen.items() if word not in (None, _OFF)
        },
    )


def _texts(reading: Reading, node: Node, key: str) -> Iterator[str]:
    for item in reading.items(node, key):
        if isinstance(item.value, str):
            yield item.value
        else:
            text = f"an item of `{key}` is text, and this is {kind(item.value)}"
            reading.error("wrong-kind", text, item.span)


def _named(root: Node) -> dict[str, Span]:
    """The names of findings under `check`, wherever they stand there."""
    check = root.get("check")
    places: dict[str, Span] = {}
    for key in ("select", "ignore", "severity"):
        found = None if check is None else check.get(key)
        if found is not None and isinstance(found.value, list):
            places |= {item.words: item.span for item in found.value}
        elif found is not None:
            places |= found.keys
    return places


def _beginning(span: Span) -> Span:
    return Span(span.source, span.line, span.column, span.line, span.column + 1)
