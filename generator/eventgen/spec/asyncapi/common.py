"""The parts of a document that 2.x and 3.x write the same way."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from eventgen.diagnostics import Span
from eventgen.model import Info, Link, Parameter, Retry, Server, Text, Variable
from eventgen.model.config import ChannelConfig
from eventgen.model.names import words
from eventgen.spec import settings
from eventgen.spec.asyncapi.about import about, location, optional, places, texts, whole
from eventgen.spec.drafts import UNNAMED
from eventgen.spec.tree import Node

if TYPE_CHECKING:
    from eventgen.spec.shape import Reading

_PARAMETER = re.compile(r"\{([A-Za-z0-9_.-]+)\}")
_BRACES = re.compile(r"\{(.+?)\}")
# Words that say what every document describes; a service is called by the others.
_IDLE = frozenset(
    (
        "api", "app", "application", "async", "asyncapi", "event", "events", "microservice",
        "server", "service", "services", "spec", "specification",
    )
)  # fmt: skip
ROOT_SETTINGS = ("service", "v2_perspective")


def info(reading: Reading, root: Node, also: Node | None = None) -> Info:
    """What the document says of itself; what is missing is reported.

    `also` is the root where a version keeps tags and documentation there, not in `info`.
    """
    found = reading.mapping(root, "info")
    if found is None:
        if root.get("info") is None:
            _missing(reading, root, "info", "info: {title: Orders, version: 1.0.0}")
        found = Node({}, root.span)
    else:
        for key, example in (("title", "title: Orders"), ("version", "version: 1.0.0")):
            if found.get(key) is None or found.value[key].value is None:
                _missing(reading, found, key, example)
    words = about(reading, found)
    if also is not None:
        outer = about(reading, also)
        words = replace(words, tags=outer.tags, docs=outer.docs)
    return Info(
        id=Text(reading.text(root, "id")),
        version=Text(reading.text(found, "version")),
        terms=Text(reading.text(found, "termsOfService")),
        contact=_link(reading, found, "contact"),
        license=_link(reading, found, "license"),
        content_type=Text(reading.text(root, "defaultContentType") or "application/json"),
        about=words,
        places=places(found, root.place("info")),
    )


def _link(reading: Reading, node: Node, key: str) -> Link | None:
    found = reading.mapping(node, key)
    if found is None:
        return None
    name, url, email = (Text(reading.text(found, one)) for one in ("name", "url", "email"))
    return Link(name, url, email)


def service_names(reading: Reading, root: Node, written: str) -> tuple[str, ...]:
    """What a service may be called: `x-eventgen: {service: ...}`, or the title's own words."""
    own = settings.extension(reading, root, ROOT_SETTINGS, "the document")
    chosen = "" if own is None else reading.text(own, "service")
    parts = [word.lower() for word in words(written)]
    while len(parts) > 1 and parts[-1] in _IDLE:
        parts.pop()
    return tuple(text for text in (chosen, "-".join(parts), written) if text) or ("",)


def bindings(reading: Reading, node: Node) -> dict[str, Any]:
    """Each protocol's binding as its author wrote it, fields unknown to us included."""
    found = reading.mapping(node, "bindings")
    values = {} if found is None else whole(reading, found)
    return {
        protocol: values[protocol]
        for protocol, _ in reading.entries(found)
        if values[protocol] is not None
    }


def channel_settings(reading: Reading, node: Node, what: str) -> ChannelConfig:
    """`x-eventgen` of a channel."""
    own = settings.extension(reading, node, settings.CHANNEL.keys, what)
    return ChannelConfig() if own is None else settings.channel(reading, own)


def operation_retry(reading: Reading, node: Node, name: str) -> Retry | None:
    """`x-eventgen` of an operation: how often it tries; None when it does not say."""
    own = settings.extension(reading, node, ("retry",), f"the operation `{name}`")
    return None if own is None else settings.channel(reading, own).retry


def parameters(reading: Reading, node: Node, address: str) -> tuple[Parameter, ...]:
    """The `{parameters}` of an address, sorted by name."""
    holder = reading.mapping(node, "parameters")
    declared = dict(reading.entries(holder))
    found = []
    for name in sorted(set(_PARAMETER.findall(address))):
        at = node.place("address") if holder is None else holder.place(name)
        parameter = reading.object(declared.get(name, Node({}, at)), f"the parameter `{name}`")
        if parameter is not None:
            found.append(_parameter(reading, name, parameter, at))
    return tuple(found)


def check_parameters(
    reading: Reading, node: Node, address: str, at: Span, *, strict: bool = False
) -> None:
    """Report `{names}` that are not declared, and declared parameters that are not used.

    Where parameters are declared that is an error; a channel that declares none is only noted. An
    address without names may have parameters all the same, unless `strict`.
    """
    holder = reading.mapping(node, "parameters")
    declared = dict(reading.entries(holder))
    report = reading.warn if holder is None else reading.error
    names = dict.fromkeys((_PARAMETER if holder is None else _BRACES).findall(address))
    for name in names:
        if name not in declared:
            report(
                "undeclared-parameter",
                f"`{{{name}}}` in the address `{address}` is not declared",
                at,
                help=f"declare it: `parameters: {{{name}: {{}}}}`",
            )
    report = reading.error if names or strict else reading.warn
    for name in declared:
        if name not in names and holder is not None:
            report(
                "unused-parameter",
                f"the address `{address}` has no `{{{name}}}`"
                if address
                else f"there is no address that could have a `{{{name}}}`",
                holder.place(name),
                help=f"write `{{{name}}}` into the address, or remove the parameter",
            )


def _parameter(reading: Reading, name: str, node: Node, at: Span) -> Parameter:
    """A parameter; the values that 2.x keeps in a schema are the parameter's own in 3.x."""
    schema = reading.mapping(node, "schema")
    values = node if schema is None else schema
    return Parameter(
        name=name,
        about=about(reading, node),
        enum=texts(reading, values, "enum"),
        default=optional(reading, values, "default"),
        examples=texts(reading, values, "examples"),
        location=location(reading, node),
        schema=None if schema is None else whole(reading, schema),
        places=places(node, at),
    )


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


def server(reading: Reading, node: Node, at: Span) -> Server:
    """A server, without what the versions write differently: its address and its security."""
    return Server(
        name=UNNAMED,
        host=Text(""),
        pathname=Text(""),
        protocol=Text(reading.text(node, "protocol")),
        protocol_version=Text(reading.text(node, "protocolVersion")),
        about=about(reading, node),
        variables=_variables(reading, node),
        security=(),
        bindings=bindings(reading, node),
        places=places(node, at),
    )


def _variables(reading: Reading, node: Node) -> tuple[Variable, ...]:
    found = []
    holder = reading.mapping(node, "variables")
    for name, entry in sorted(reading.entries(holder)):
        variable = reading.object(entry, f"the variable `{name}`")
        if variable is not None and holder is not None:
            found.append(
                Variable(
                    name=name,
                    about=about(reading, variable),
                    enum=texts(reading, variable, "enum"),
                    default=optional(reading, variable, "default"),
                    examples=texts(reading, variable, "examples"),
                    places=places(variable, holder.place(name)),
                )
            )
    return tuple(found)


def check_address(reading: Reading, address: str, at: Span, *, strict: bool) -> bool:
    """Report `?` and `#`, which the specification does not allow in an address. Were there any?"""
    found = next((sign for sign in address if sign in "?#"), None)
    if found is not None:
        report = reading.error if strict else reading.warn
        report(
            "address-with-query",
            f"an address has no query and no fragment, and `{address}` has a `{found}`",
            at,
            help="write what follows it in a binding, or in `parameters:`",
        )
    return found is not None
