"""What holds for one event or channel, and where each of its values was said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from eventgen.diagnostics import Span
from eventgen.model import Action, Channel, Envelope, Handling, Message, Places, Retry, Service
from eventgen.model.config import ChannelConfig
from eventgen.plan import versions, wires
from eventgen.plan.broker import Broker
from eventgen.plan.kinds import Subject
from eventgen.spec.settings import EXTENSION

USUAL = "the usual"


@dataclass(frozen=True, slots=True)
class Row:
    """One value. `origin` is the place where it was said, or in words why it is what it is."""

    name: str
    value: str
    origin: Span | str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """An event or a channel with all its values."""

    title: str
    rows: tuple[Row, ...]


def names(service: Service) -> frozenset[str]:
    """What the document itself calls its events and channels."""
    events = {text.value for one in service.messages for text in (one.type, one.id)}
    channels = {text.value for one in service.channels for text in (one.address, one.id)}
    return frozenset(events | channels) - {""}


def explain(name: str, subject: Subject, broker: Broker | None) -> tuple[Section, ...]:
    """The event of that name with the channels it goes through, or the channel with its events.

    Empty when there is neither. Without a broker nothing is said of what only a broker does.
    """
    service = subject.service
    found = _called(service.messages).get(name)
    if found is not None:
        used = [channel for channel in service.channels if found.name in channel.messages]
        return (
            of_event(found, subject),
            *(of_channel(channel, subject, broker) for channel in used),
        )
    channel = _called(service.channels).get(name)
    return () if channel is None else (of_channel(channel, subject, broker),)


def of_event(message: Message, subject: Subject) -> Section:
    """What holds for one event."""
    return Section(f"event {message.type.value}", tuple(_event(message, subject)))


def of_channel(channel: Channel, subject: Subject, broker: Broker | None) -> Section:
    """What holds for one channel."""
    return Section(f"channel {channel.id.value}", tuple(_channel(channel, subject, broker)))


def _called(things: Iterable[Any]) -> dict[str, Any]:
    """Messages or channels by every way of writing their names; the first of a kind wins."""
    found: dict[str, Any] = {}
    for thing in things:
        own = thing.type.value if isinstance(thing, Message) else thing.address.value
        for text in (own, thing.id.value, thing.name.pascal, thing.name.snake, thing.name.kebab):
            found.setdefault(text, thing)
    return found


def _event(message: Message, subject: Subject) -> Iterator[Row]:
    service = subject.service
    places = message.places
    schema = next(one for one in service.schemas if one.name == message.schema)
    yield Row("type", message.wire_type.value, _said(places, "name") or "its key in the document")
    yield Row("version", message.version.value, _said(places, EXTENSION, "version") or USUAL)
    yield Row("class", message.name.pascal, "its type")
    key = ".".join(message.key)
    yield Row("key", key or "none", _said(places, EXTENSION, "key") or USUAL)
    yield Row("schema", message.schema, schema.span)
    given, media = message.content_type.value, wires.content_type(message).value
    default = USUAL if given == "application/json" else "the document's default"
    said = _said(places, "contentType") or default
    yield Row("content type", media, said if media == given else "the form of its payload")
    envelope = message.envelope
    yield Row("envelope", _enveloped(envelope), envelope.origin or USUAL)
    if isinstance(message.headers, dict):
        names_ = ", ".join(message.headers.get("properties", {})) or "any"
        yield Row("headers", names_, _said(places, "headers") or places.span)
    yield from _bindings(message.bindings, places)
    called = versions.handlers(subject)
    for operation in service.operations:
        if message.name in operation.messages:
            sends = operation.action is Action.SEND
            way = "published by" if sends else "handled by"
            who = operation.name.snake if sends else called[message.name.snake]
            yield Row(way, who, operation.span)


def _enveloped(envelope: Envelope) -> str:
    paths = ", ".join(f"{name} is {'.'.join(path)}" for name, path in envelope.paths.items())
    return f"{envelope.wrapping.value}: {paths}" if paths else envelope.wrapping.value


def _channel(channel: Channel, subject: Subject, broker: Broker | None) -> Iterator[Row]:
    places = channel.places
    address = channel.address.value
    yield Row("address", address, _said(places, "address") or "its key in the document")
    for parameter in channel.parameters:
        found = ".".join(parameter.path)
        value = f"the event's {found}" if found else "given when it is published"
        yield Row(f"{{{parameter.name}}}", value, parameter.places.span)
    chosen = _chosen(channel, subject.config.channels)
    yield Row("ordering", channel.ordering.value, _setting(channel, chosen, "ordering") or USUAL)
    retry = _setting(channel, chosen, "retry") or _of_operation(channel, subject.service) or USUAL
    yield Row("retry", _tries(channel.retry), retry)
    handling = _setting(channel, chosen, "handling") or USUAL
    yield Row("handling", _pace(channel.handling), handling)
    yield Row("dead letter", "kept in the service's database", USUAL)
    if broker is not None:
        yield Row(broker.title, broker.address(address), "its address")
        options = broker.options(channel.bindings)
        for name, option in options.items():
            yield Row(
                f"  {name}", str(option), _said(places, "bindings", broker.name, name) or USUAL
            )
    yield from _bindings(channel.bindings, places)
    messages = {one.name.snake: one for one in subject.service.messages}
    for one in channel.messages:
        yield Row("carries", messages[one.snake].type.value, messages[one.snake].span)


def _bindings(bindings: Mapping[str, Any], places: Places) -> Iterator[Row]:
    for protocol, binding in bindings.items():
        fields = ", ".join(binding) if isinstance(binding, dict) else str(binding)
        yield Row("binding", f"{protocol}: {fields}", places.at("bindings", protocol))


def _said(places: Places, *way: str) -> Span | None:
    """Where exactly this was said, if it was."""
    return places.parts.get(way)


def _chosen(channel: Channel, configured: Mapping[str, ChannelConfig]) -> ChannelConfig:
    return (
        configured.get(channel.id.value) or configured.get(channel.address.value) or ChannelConfig()
    )


def _setting(channel: Channel, chosen: ChannelConfig, key: str) -> Span | None:
    """Where a setting was said: in eventgen.yaml, or else in the document."""
    return chosen.places.get(key) or _said(channel.places, EXTENSION, key)


def _of_operation(channel: Channel, service: Service) -> Span | None:
    receiving = [
        one
        for one in service.operations
        if one.action is Action.RECEIVE and one.channel == channel.name and one.retry is not None
    ]
    return receiving[0].places.at("retry") if receiving else None


def _tries(retry: Retry) -> str:
    return (
        f"{retry.attempts} attempts; waits {retry.initial:g} s, "
        f"then {retry.factor:g} times as long each, at most {retry.maximum:g} s"
    )


def _pace(handling: Handling) -> str:
    rate = "" if handling.rate is None else f", at most {handling.rate:g} events a second"
    return (
        f"{handling.concurrency} at a time, {handling.batch} to a transaction, "
        f"{handling.timeout:g} s each{rate}"
    )
