"""Service -> Page. Pure: the template prints what is decided here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from eventgen import __version__, explaining
from eventgen.diagnostics import Span
from eventgen.model import Channel, Message, Schema, Server, Service, Text
from eventgen.page import graph, schema
from eventgen.plan.broker import Broker
from eventgen.plan.kinds import Subject
from eventgen.plan.page import Article, Fact, Page, Sample, Section, Table
from eventgen.plan.samples import sample


def build(subject: Subject, broker: Broker | None) -> Page:
    """The page of one service; without a broker nothing is said of what only a broker does."""
    service = subject.service
    info = service.info
    schemas = {one.name: one for one in service.schemas}
    sent = {message.name for _, message in service.sent()}
    received = {message.name for _, message in service.received()}
    ways = (
        ("Published events", "published", [one for one in service.messages if one.name in sent]),
        (
            "Consumed events",
            "consumed",
            [one for one in service.messages if one.name in received - sent],
        ),
        (
            "Other events",
            "other",
            [one for one in service.messages if one.name not in sent | received],
        ),
    )
    sections = [
        Section(
            title,
            anchor,
            tuple(
                _event(one, subject, schemas, both=one.name in sent & received) for one in messages
            ),
        )
        for title, anchor, messages in ways
    ]
    sections += [
        Section(
            "Channels",
            "channels",
            tuple(_channel(one, subject, broker) for one in service.channels),
        ),
        Section("Servers", "servers", tuple(map(_server, service.servers))),
        Section("Types", "types", tuple(_types(service, schemas))),
    ]
    return Page(
        title=info.about.title.value or service.name.kebab,
        version=info.version.value,
        tool=f"eventgen {__version__}",
        words=info.about.words,
        facts=tuple(_of_service(service, broker)),
        graph=graph.draw(service),
        sections=tuple(one for one in sections if one.articles),
    )


def _of_service(service: Service, broker: Broker | None) -> Iterator[Fact]:
    info = service.info
    yield Fact("service", service.name.kebab)
    if broker is not None:
        yield Fact("broker", broker.title)
    for name, link in (("contact", info.contact), ("licence", info.license)):
        if link is not None:
            words = (link.name.value, link.email.value, link.url.value)
            yield Fact(name, " · ".join(filter(None, words)))
    if info.terms:
        yield Fact("terms", info.terms.value)


def _event(
    message: Message, subject: Subject, schemas: Mapping[str, Schema], *, both: bool
) -> Article:
    documents = {name: one.document for name, one in schemas.items()}
    tables = [Table("Payload", schema.rows(message.schema, documents))]
    if isinstance(message.headers, Mapping):
        tables.append(Table("Headers", schema.plain_rows(message.headers, documents)))
    sources = [Sample("Payload as JSON Schema", _json(documents[message.schema]))]
    foreign = message.foreign_payload
    if foreign is not None:
        sources.insert(0, Sample(f"Payload as {foreign.format.value}", _json(foreign.document)))
    badges = [f"v{message.version.value}"]
    badges += ["published and consumed"] if both else []
    badges += ["deprecated"] if message.deprecated else []
    return Article(
        anchor=f"event-{message.name.kebab}",
        title=message.wire_type.value,
        words=message.about.words,
        badges=tuple(badges),
        facts=tuple(_facts(explaining.of_event(message, subject))),
        tables=tuple(one for one in tables if one.rows),
        samples=tuple(_samples(message, schemas)),
        sources=tuple(sources),
    )


def _samples(message: Message, schemas: Mapping[str, Schema]) -> Iterator[Sample]:
    for number, one in enumerate(message.examples, 1):
        words = one.name.value or one.summary.value or f"Example {number}"
        for part, value in one.parts.items():
            yield Sample(words if part == "payload" else f"{words}: {part}", _json(value))
    if not message.examples and message.foreign_payload is None:
        made = sample(schemas[message.schema], schemas, ())
        yield Sample("Example, made from the schema", _json(made))


def _channel(channel: Channel, subject: Subject, broker: Broker | None) -> Article:
    return Article(
        anchor=f"channel-{channel.name.kebab}",
        title=channel.address.value,
        words=channel.about.words,
        facts=tuple(_facts(explaining.of_channel(channel, subject, broker))),
    )


def _server(server: Server) -> Article:
    protocol = " ".join(filter(None, (server.protocol.value, server.protocol_version.value)))
    facts = [Fact("address", server.host.value + server.pathname.value), Fact("protocol", protocol)]
    facts += [Fact(f"{{{one.name}}}", one.about.words.value or "any") for one in server.variables]
    return Article(
        f"server-{server.name.kebab}", server.name.raw.value, server.about.words, facts=tuple(facts)
    )


def _types(service: Service, schemas: Mapping[str, Schema]) -> Iterator[Article]:
    """The schemas that others refer to."""
    documents = {name: one.document for name, one in schemas.items()}
    headers = [one.headers for one in service.messages]
    used = frozenset(_referred([*documents.values(), *headers]))
    for name, document in documents.items():
        if name in used:
            words = document.get("description", "") if isinstance(document, Mapping) else ""
            yield Article(
                schema.anchor(name),
                name,
                Text(str(words)),
                tables=(Table("Properties", schema.rows(name, documents)),),
                sources=(Sample("As JSON Schema", _json(document)),),
            )


def _referred(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].removeprefix("#/$defs/")
        value = list(value.values())
    if isinstance(value, list | tuple):
        for one in value:
            yield from _referred(one)


def _facts(section: explaining.Section) -> Iterator[Fact]:
    for row in section.rows:
        origin = row.origin
        if isinstance(origin, Span):
            origin = f"{PurePath(origin.source.path).name}:{origin.line}"
        yield Fact(row.name, row.value, origin)


def _json(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)
