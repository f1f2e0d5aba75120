"""The parts of a document that 2.x and 3.x write the same way."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from eventgen.diagnostics import Span
from eventgen.model import Parameter, Text
from eventgen.model.config import ChannelConfig
from eventgen.model.names import words
from eventgen.spec import settings
from eventgen.spec.tree import plain

if TYPE_CHECKING:
    from eventgen.spec.shape import Reading
    from eventgen.spec.tree import Node

_PARAMETER = re.compile(r"\{([A-Za-z0-9_.-]+)\}")
_IN_PAYLOAD = re.compile(r"\$message\.payload#/(.+)\Z", re.DOTALL)
# Words that say what every document describes; a service is called by the others.
_IDLE = frozenset(
    (
        "api", "app", "application", "async", "asyncapi", "event", "events", "microservice",
        "server", "service", "services", "spec", "specification",
    )
)  # fmt: skip
ROOT_SETTINGS = ("service", "v2_perspective")


def title(reading: Reading, root: Node) -> tuple[str, str, str]:
    """Title, version and description of the document; what is missing is reported."""
    info = reading.mapping(root, "info")
    if info is None:
        if root.get("info") is None:
            _missing(reading, root, "info", "info: {title: Orders, version: 1.0.0}")
        return "", "", ""
    for key, example in (("title", "title: Orders"), ("version", "version: 1.0.0")):
        found = info.get(key)
        if found is None or found.value is None:
            _missing(reading, info, key, example)
    return (
        reading.text(info, "title"),
        reading.text(info, "version"),
        reading.text(info, "description"),
    )


def service_names(reading: Reading, root: Node, written: str) -> tuple[str, ...]:
    """What a service may be called: `x-eventgen: {service: ...}`, or the title's own words."""
    own = settings.extension(reading, root, ROOT_SETTINGS, "the document")
    chosen = "" if own is None else reading.text(own, "service")
    parts = [word.lower() for word in words(written)]
    while len(parts) > 1 and parts[-1] in _IDLE:
        parts.pop()
    return tuple(text for text in (chosen, "-".join(parts), written) if text) or ("",)


def description(reading: Reading, node: Node) -> str:
    """The description, or else the summary."""
    return reading.text(node, "description") or reading.text(node, "summary")


def bindings(reading: Reading, node: Node) -> dict[str, Any]:
    """Each protocol's binding as its author wrote it, fields unknown to us included."""
    found = reading.mapping(node, "bindings")
    result: dict[str, Any] = {}
    for protocol, binding in reading.entries(found):
        target = reading.target(binding)
        if target is not None and target.value is not None:
            result[protocol] = plain(target)
    return result


def channel_settings(reading: Reading, node: Node, what: str) -> ChannelConfig:
    """`x-eventgen` of a channel."""
    own = settings.extension(reading, node, ("ordering", "retry"), what)
    return ChannelConfig() if own is None else settings.channel(reading, own)


def parameters(reading: Reading, node: Node, address: str) -> tuple[Parameter, ...]:
    """The `{parameters}` of an address, sorted by name."""
    wanted = dict.fromkeys(_PARAMETER.findall(address))
    declared = dict(reading.entries(reading.mapping(node, "parameters")))
    for name in declared.keys() - wanted.keys():
        reading.warn(
            "unused-parameter",
            f"the address `{address}` has no `{{{name}}}`",
            node.value["parameters"].place(name),
            help=f"write `{{{name}}}` into the address, or remove the parameter",
        )
    found = []
    for name in sorted(wanted):
        if name not in declared:
            reading.warn(
                "undeclared-parameter",
                f"`{{{name}}}` in the address `{address}` is not declared",
                node.place("address"),
                help=f"declare it: `parameters: {{{name}: {{}}}}`",
            )
            found.append(Parameter(name, Text(""), ()))
            continue
        parameter = reading.object(declared[name], f"the parameter `{name}`")
        if parameter is not None:
            location = _IN_PAYLOAD.match(reading.text(parameter, "location"))
            path = location[1].split("/") if location else []
            found.append(
                Parameter(
                    name,
                    Text(reading.text(parameter, "description")),
                    tuple(part.replace("~1", "/").replace("~0", "~") for part in path),
                )
            )
    return tuple(found)


def operation_name(*, sends: bool, channel: str) -> str:
    """What an operation is called whose author gave it no name."""
    return ("publish" if sends else "receive") + "".join(
        word[0].upper() + word[1:] for word in words(channel)
    )


def beginning(span: Span) -> Span:
    """The first character of a region, to point at something that is missing there."""
    return Span(span.source, span.line, span.column, span.line, span.column + 1)


def _missing(reading: Reading, node: Node, key: str, example: str) -> None:
    reading.error(
        "missing-key",
        f"`{key}` is missing",
        beginning(node.span) if node.get(key) is None else node.place(key),
        help=f"write `{example}`",
    )
