"""Makes the model of a draft: gives everything its name, and gathers the schemas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from eventgen.diagnostics import Diagnostic, Label, Severity, Span, has_errors
from eventgen.model import (
    Action,
    Channel,
    Envelope,
    Message,
    Name,
    Operation,
    Server,
    Service,
    Spare,
)
from eventgen.model import names as naming
from eventgen.model.config import ChannelConfig
from eventgen.spec.bundle import Bundled, bundle
from eventgen.spec.envelopes import decide
from eventgen.spec.nearest import did_you_mean

if TYPE_CHECKING:
    from eventgen.spec.drafts import Draft, DraftChannel, DraftMessage, DraftOperation, DraftRoute
    from eventgen.spec.shape import Reading


def assemble(draft: Draft, reading: Reading) -> Service | None:
    """The service a draft describes; None, with findings, when something cannot be named."""
    messages = _messages(draft)
    name = _service_name(draft, reading)
    texts = [_channel_texts(one) for one in draft.channels]
    of_channels = _allot(reading, draft.channels, texts, naming.CHANNEL)
    of_messages = _allot(
        reading,
        messages,
        [one.names for one in messages],
        naming.MESSAGE,
        [one.tie for one in messages],
    )
    of_operations = _allot(
        reading, draft.operations, [one.names for one in draft.operations], naming.OPERATION
    )
    _check_configured(draft, reading)
    if len(of_messages) < len(messages):
        return None
    bundled = bundle(reading, messages, [of_messages[id(one)] for one in messages])
    if len(of_channels) < len(draft.channels) or len(of_operations) < len(draft.operations):
        return None
    if name is None:
        return None
    of_servers = _servers(draft)
    envelopes = decide(reading, messages, bundled)
    layers = _layers(draft, reading.config.channels)
    channels = [
        _channel(one, of_channels[id(one)], layers[id(one)], of_servers, of_messages)
        for one in draft.channels
    ]
    return Service(
        name=name,
        info=draft.info,
        servers=_sorted(of_servers.values()),
        channels=_sorted(channels),
        messages=_sorted(
            _enveloped(_message(one, of_messages[id(one)], bundled), envelopes[id(one)])
            for one in messages
        ),
        operations=_sorted(
            _operation(one, of_operations[id(one)], of_channels, of_messages)
            for one in draft.operations
        ),
        schemas=bundled.schemas,
        spare=_spare(draft, reading),
        security=draft.security,
        extensions=draft.extensions,
        places=draft.places,
    )


def _channel_texts(draft: DraftChannel) -> tuple[str, ...]:
    """The channel's key, then its address; `/` and `#` alone are the root of all channels."""
    texts = (draft.id, draft.address)
    return texts if any(naming.words(text) for text in texts) else (*texts, "root")


def _messages(draft: Draft) -> tuple[DraftMessage, ...]:
    """Every message of a channel or an operation, once."""
    found: dict[int, DraftMessage] = {}
    routes = [route for one in draft.operations for route in one.routes.values()]
    holders: list[DraftChannel | DraftOperation | DraftRoute]
    holders = [*draft.channels, *draft.operations, *routes]
    for holder in holders:
        for message in holder.messages:
            found.setdefault(id(message), message)
    return tuple(found.values())


def _service_name(draft: Draft, reading: Reading) -> Name | None:
    texts = draft.names if reading.config.service is None else (reading.config.service,)
    (name,) = naming.allot([naming.Wish(texts)], naming.SERVICE)
    if name is None and (texts[0] or not has_errors(tuple(reading.findings))):
        reading.error(
            "unusable-name",
            f"`{texts[0]}` gives no name for a Python package",
            _first(draft.places.span),
            help="name the service in eventgen.yaml: `service: orders`",
        )
    return name


def _allot(
    reading: Reading,
    things: Sequence[DraftChannel | DraftMessage | DraftOperation],
    texts: Sequence[tuple[str, ...]],
    kind: naming.Kind,
    ties: Sequence[str] = (),
) -> dict[int, Name]:
    wishes = [
        naming.Wish(one, "\0".join((*one, *ties[index : index + 1])))
        for index, one in enumerate(texts)
    ]
    found = {}
    for thing, wish, name in zip(things, wishes, naming.allot(wishes, kind), strict=True):
        if name is not None:
            found[id(thing)] = name
            continue
        reading.error(
            "unusable-name",
            f"`{wish.texts[0]}` gives no name that Python allows",
            thing.span,
            help="give it a name that has letters or digits",
        )
    return found


def _layers(
    draft: Draft, configured: Mapping[str, ChannelConfig]
) -> dict[int, tuple[ChannelConfig, ...]]:
    """What is said of each channel, the strongest first.

    `eventgen.yaml` wins over `x-eventgen`, and that over the operations.
    """
    tried = {
        id(one.channel): one.body.retry
        for one in reversed(draft.operations)
        if one.body.action is Action.RECEIVE
    }
    return {
        id(one): (
            configured.get(one.id) or configured.get(one.address) or ChannelConfig(),
            one.settings,
            ChannelConfig(retry=tried.get(id(one))),
        )
        for one in draft.channels
    }


def _channel(
    draft: DraftChannel,
    name: Name,
    layers: Sequence[ChannelConfig],
    of_servers: Mapping[int, Server],
    of_messages: Mapping[int, Name],
) -> Channel:
    body = draft.body
    return replace(
        body,
        name=name,
        messages=_names(draft.messages, of_messages),
        servers=tuple(of_servers[id(one)].name for one in draft.servers if id(one) in of_servers),
        ordering=next((layer.ordering for layer in layers if layer.ordering), body.ordering),
        retry=next((layer.retry for layer in layers if layer.retry), body.retry),
        handling=next((layer.handling for layer in layers if layer.handling), body.handling),
    )


def _message(draft: DraftMessage, name: Name, bundled: Bundled) -> Message:
    schema, headers = bundled.payloads[id(draft)], bundled.headers[id(draft)]
    return replace(draft.body, name=name, schema=schema, headers=headers)


def _enveloped(message: Message, envelope: Envelope) -> Message:
    return replace(message, envelope=envelope, key=envelope.paths.get("key", message.key))


def _spare(draft: Draft, reading: Reading) -> Spare:
    wishes = [naming.Wish(one.names, one.tie) for one in draft.spare]
    allotted = zip(draft.spare, naming.allot(wishes, naming.MESSAGE), strict=True)
    named = [(one, name) for one, name in allotted if name is not None]
    bundled = bundle(reading, [one for one, _ in named], [name for _, name in named])
    messages = _sorted(_message(one, name, bundled) for one, name in named)
    return Spare(messages, bundled.schemas)


def _operation(
    draft: DraftOperation,
    name: Name,
    of_channels: Mapping[int, Name],
    of_messages: Mapping[int, Name],
) -> Operation:
    routes = {
        field: replace(
            route.body,
            channel=None if route.channel is None else of_channels[id(route.channel)],
            messages=_names(route.messages, of_messages),
        )
        for field, route in draft.routes.items()
    }
    return replace(
        draft.body,
        name=name,
        channel=of_channels[id(draft.channel)],
        messages=_names(draft.messages, of_messages),
        reply=routes.get("reply"),
        retry_route=routes.get("retry_route"),
        dead_letter=routes.get("dead_letter"),
    )


def _names(messages: Iterable[DraftMessage], of_messages: Mapping[int, Name]) -> tuple[Name, ...]:
    found = {id(message): of_messages[id(message)] for message in messages}
    return tuple(sorted(found.values(), key=lambda name: name.snake))


def _servers(draft: Draft) -> dict[int, Server]:
    """The servers that have a usable name: they are shown, and nothing is generated from them."""
    wishes = [naming.Wish((one.id,)) for one in draft.servers]
    return {
        id(one): replace(one.body, name=name)
        for one, name in zip(draft.servers, naming.allot(wishes, naming.SERVER), strict=True)
        if name is not None
    }


def _check_configured(draft: Draft, reading: Reading) -> None:
    known = {name for one in draft.channels for name in (one.id, one.address)}
    for name in sorted(set(reading.config.channels) - known):
        reading.findings.append(
            Diagnostic(
                "unknown-channel",
                Severity.ERROR,
                f"eventgen.yaml configures the channel `{name}`, which the specification has not",
                Label(_first(draft.places.span)),
                help=did_you_mean(name, known),
            )
        )


def _first(span: Span) -> Span:
    return Span(span.source, span.line, span.column, span.line, span.column + 1)


Named = TypeVar("Named", Channel, Message, Operation, Server)


def _sorted(things: Iterable[Named]) -> tuple[Named, ...]:
    return tuple(sorted(things, key=lambda thing: thing.name.snake))
