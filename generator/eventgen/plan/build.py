"""From the model to the views: where every decision that a template must not take is taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from eventgen.model import Channel, Handling, Message, Name, Retry, Schema, Text, Wrapping
from eventgen.model.config import Database
from eventgen.plan import asserting, exact, versions, views, wires
from eventgen.plan.broker import Broker
from eventgen.plan.kinds import Subject, View
from eventgen.plan.samples import sample
from eventgen.plan.versions import event_const


def package(subject: Subject) -> str:
    """The Python package of the service."""
    return subject.service.name.snake


def env_prefix(subject: Subject) -> str:
    """What the service's environment variables begin with."""
    return package(subject).upper() + "_"


def package_view(subject: Subject) -> Iterable[View]:
    """For files that are the same in every service, but for its name."""
    name = subject.service.name
    yield View(views.PackageView(name.snake, name.kebab))


def compose_view(subject: Subject) -> Iterable[View]:
    """For `compose.yaml`."""
    name = subject.service.name
    postgres = subject.config.database is Database.POSTGRES
    yield View(views.ComposeView(name.snake, name.kebab, env_prefix(subject), postgres))


def config_view(subject: Subject) -> Iterable[View]:
    """For `eventgen.yaml`."""
    config = subject.config
    yield View(
        views.ConfigView(
            service=subject.service.name.kebab,
            spec=Text(config.spec),
            broker=config.broker,
            database=config.database.value,
            perspectives=(config.v2_perspective.value,) if config.v2_perspective else (),
        )
    )


def models_view(subject: Subject) -> Iterable[View]:
    """For `events.py`."""
    service = subject.service
    words = {message.schema: message.about.words for message in service.messages}
    schemas = tuple(_described(schema, words.get(schema.name)) for schema in service.schemas)
    foreign = asserting.closure(
        (one.schema for one in service.messages if one.foreign_payload is not None),
        {schema.name: schema.document for schema in schemas},
    )
    base = ".._runtime.event.EventModel"
    yield View(views.ModelsView(schemas, frozenset(words), foreign, base))


def topology_view(subject: Subject, broker: Broker) -> Iterable[View]:
    """For `topology.py`."""
    events, used = _events(subject), _used_channels(subject)
    siblings = ("events", "wires") if wires.modules(subject.service) else ("events",)
    wrapped = any(event.envelopes for event in events)
    yield View(
        views.TopologyView(
            events=events,
            schemas=("schemas.json",) if any(event.checks for event in events) else (),
            modules=("wrapping",) if wrapped else (),
            channels=tuple(
                _channel(channel, broker)
                for channel in subject.service.channels
                if channel.name in used
            ),
            siblings=siblings,
        )
    )


def checks_view(subject: Subject) -> Iterable[View]:
    """For `schemas.json`; nothing when the models say all that their schemas do."""
    documents = {schema.name: schema.document for schema in subject.service.schemas}
    checked = [name for event in _events(subject) for name in event.checks]
    reached = asserting.closure(checked, documents)
    if reached:
        schemas = {name: asserting.asserted(documents[name]) for name in sorted(reached)}
        yield View(views.ChecksView({"$defs": schemas}))


def wires_view(subject: Subject) -> Iterable[View]:
    """For `wires.py`, which only a service has whose events are not all JSON."""
    if wires.modules(subject.service):
        events = tuple(event for event in _events(subject) if event.wires)
        imports = {wire.module: wire for event in events for wire in event.wires}
        yield View(views.WiresView(tuple(imports[name] for name in sorted(imports)), events))


def publishers_view(subject: Subject) -> Iterable[View]:
    """For `publishers.py`."""
    sent = subject.service.sent()
    classes = tuple(sorted({message.name.pascal for _, message in sent}))
    yield View(
        views.PublishersView(
            published=" | ".join(classes) or "Never",
            typing_names=("TypeAlias",) if classes else ("Never", "TypeAlias"),
            class_names=classes,
            publications=tuple(
                views.PublicationView(event_const(message), channel_const(channel.name))
                for channel, message in sent
            ),
        )
    )


def subscribed(subject: Subject) -> tuple[Channel, ...]:
    """The channel that each subscription is called by.

    Channels with one address are one subscription: two readers of one destination in one consumer
    group would each get half of its messages.
    """
    channels: dict[str, Channel] = {}
    for channel, _ in subject.service.received():
        channels.setdefault(channel.address.value, channel)
    return tuple(channels.values())


def subscribers_view(subject: Subject) -> Iterable[View]:
    """For `subscribers.py`."""
    received = subject.service.received()
    messages = {message.name.snake: message for _, message in received}
    routes: dict[str, dict[str, Message]] = {}
    for channel, message in received:
        routes.setdefault(channel.address.value, {})[message.name.snake] = message
    called = versions.handlers(subject)
    chains = versions.chain_views(subject)
    yield View(
        views.SubscribersView(
            handlers=tuple(sorted(set(called.values()))),
            class_names=tuple(sorted(message.name.pascal for message in messages.values())),
            chains=chains,
            subscriptions=tuple(
                _subscription(channel, routes[channel.address.value], called, _shared(subject))
                for channel in subscribed(subject)
            ),
        )
    )


def examples_view(subject: Subject) -> Iterable[View]:
    """For `examples.py`."""
    schemas = {schema.name: schema for schema in subject.service.schemas}
    yield View(
        views.ExamplesView(
            tuple(
                views.ExampleView(
                    const=event_const(message),
                    function=message.name.snake,
                    class_name=message.name.pascal,
                    sample=sample(schemas[message.schema], schemas, _shown(message)),
                )
                for message in _used_messages(subject)
            )
        )
    )


def service_view(subject: Subject, broker: Broker) -> Iterable[View]:
    """For `service.py`."""
    service = subject.service
    yield View(
        views.ServiceView(
            name=service.name.kebab,
            package=service.name.snake,
            version=service.info.version,
            title=service.info.about.title,
            broker=broker.name,
            transport_module=broker.transport,
        )
    )


def handler_views(subject: Subject) -> Iterable[View]:
    """One for each kind of event the service handles."""
    called = versions.handlers(subject)
    older = versions.upcast(subject)
    messages = {message.name.snake: message for _, message in subject.service.received()}
    for name in sorted(messages.keys() - older):
        message = messages[name]
        yield View(
            views.HandlerView(
                package=package(subject),
                handler=called[name],
                function=message.name.snake,
                class_name=message.name.pascal,
                type=message.wire_type,
                description=message.about.words,
            ),
            item=called[name],
        )


def channel_const(name: Name) -> str:
    """The constant of a channel in `topology.py`."""
    return f"CHANNEL_{name.const}"


def _described(schema: Schema, words: Text | None) -> Schema:
    """A payload that does not say what it is, is described by its message."""
    document = schema.document
    if not words or not isinstance(document, dict) or "description" in document:
        return schema
    return replace(schema, document={**document, "description": words.value})


def _used_channels(subject: Subject) -> frozenset[Name]:
    pairs = (*subject.service.sent(), *subject.service.received())
    return frozenset(channel.name for channel, _ in pairs)


def _events(subject: Subject) -> tuple[views.EventView, ...]:
    documents = {schema.name: schema.document for schema in subject.service.schemas}
    return tuple(
        views.EventView(
            const=event_const(message),
            class_name=message.name.pascal,
            type=message.wire_type,
            version=message.version,
            key=tuple(Text(part) for part in message.key),
            content_type=wires.content_type(message),
            checks=_checks(message, documents),
            wires=wires.wires(message),
            envelopes=_envelopes(message),
        )
        for message in _used_messages(subject)
    )


def _checks(message: Message, documents: Mapping[str, Any]) -> tuple[str, ...]:
    """The schema that is checked too. Payloads of another language are held to it by their wire."""
    if message.foreign_payload is not None or not exact.inexact(message.schema, documents):
        return ()
    return (message.schema,)


def _used_messages(subject: Subject) -> tuple[Message, ...]:
    service = subject.service
    used = {message.name.snake for _, message in (*service.sent(), *service.received())}
    return tuple(message for message in service.messages if message.name.snake in used)


def _shown(message: Message) -> tuple[Any, ...]:
    """The author's own payloads. Those of another language may be written as it writes JSON."""
    return message.payloads if message.foreign_payload is None else ()


def _envelopes(message: Message) -> tuple[views.EnvelopeView, ...]:
    envelope = message.envelope
    if envelope.wrapping is Wrapping.CLOUDEVENTS:
        return ()
    has_key = message.key and message.foreign_payload is None
    paths = {**envelope.paths, **({"key": message.key} if has_key else {})}
    shown = paths if envelope.wrapping is Wrapping.NONE else {}
    return (
        views.EnvelopeView(
            envelope.wrapping.value,
            tuple(
                views.PathView(name, tuple(Text(part) for part in path))
                for name, path in shown.items()
            ),
        ),
    )


def _channel(channel: Channel, broker: Broker) -> views.ChannelView:
    return views.ChannelView(
        const=channel_const(channel.name),
        name=Text(channel.name.kebab),
        address=channel.address,
        destination=Text(broker.address(channel.address.value)),
        description=channel.about.words,
        ordering=channel.ordering.value,
        parameters=tuple(
            views.ParameterView(Text(p.name), tuple(Text(part) for part in p.path))
            for p in channel.parameters
        ),
        options=broker.options(channel.bindings),
    )


def _shared(subject: Subject) -> frozenset[str]:
    """The names of the events that share a handler with another version."""
    return frozenset(one.name.snake for chain in versions.chains(subject) for one in chain)


def _subscription(
    channel: Channel,
    routes: Mapping[str, Message],
    called: Mapping[str, str],
    shared: frozenset[str],
) -> views.SubscriptionView:
    return views.SubscriptionView(
        name=channel.name.kebab,
        channel=channel_const(channel.name),
        routes=tuple(
            views.RouteView(event_const(routes[name]), routes[name].name.pascal, called[name])
            for name in sorted(routes.keys() - shared)
        ),
        shared=tuple(versions.route_const(routes[name]) for name in sorted(routes.keys() & shared)),
        retry=_retry(channel.retry),
        handling=_handling(channel.handling),
    )


def _retry(retry: Retry) -> tuple[views.RetryView, ...]:
    if retry == Retry():
        return ()
    return (views.RetryView(retry.attempts, retry.initial, retry.factor, retry.maximum),)


def _handling(handling: Handling) -> tuple[views.HandlingView, ...]:
    if handling == Handling():
        return ()
    return (
        views.HandlingView(handling.concurrency, handling.batch, handling.timeout, handling.rate),
    )
