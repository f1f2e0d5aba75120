"""Reads the Message Object of AsyncAPI 2.x and 3.x."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from eventgen.model import Correlation, Envelope, Example, Foreign, Message, Text
from eventgen.spec import formats, settings
from eventgen.spec.asyncapi import common, traits
from eventgen.spec.asyncapi.about import about, location, places
from eventgen.spec.drafts import UNNAMED, DraftMessage
from eventgen.spec.formats.converted import Asked
from eventgen.spec.places import of_data
from eventgen.spec.tree import Node, plain

if TYPE_CHECKING:
    from eventgen.diagnostics import Span
    from eventgen.spec.formats.converted import Converted
    from eventgen.spec.refs import Target
    from eventgen.spec.shape import Reading

MESSAGE_SETTINGS = ("envelope", "key", "version", "writer_schemas")
# Formats whose schemas are JSON Schema, whatever draft.
_JSON_SCHEMA = re.compile(
    r"application/(?:vnd\.aai\.asyncapi|vnd\.oai\.openapi|schema)(?:\+(?:json|yaml))?(?:;|\Z)"
)
_MODERN = ("2019-09", "2020-12", "3.1")  # drafts after 07, and OpenAPI's version that uses them
# What converters from 2.x call a message that had no name.
_NO_NAME = re.compile(r"(?:publish|subscribe)\.message(?:\.[0-9]+)?\Z|[0-9]+\Z")
_FIELDS = frozenset(
    (
        "$ref", "bindings", "contentType", "correlationId", "deprecated", "description", "examples",
        "externalDocs", "headers", "messageId", "name", "payload", "schemaFormat", "summary",
        "tags", "title", "traits",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Written:
    """A schema as it is written: a node that is JSON Schema, or a foreign one, or neither."""

    node: Node | None
    format: str = ""
    modern: bool = False
    foreign: Foreign | None = None
    converted: Converted | None = None


@dataclass(slots=True)
class Messages:
    """Every message of one document, each read once, however often it is referred to."""

    reading: Reading
    default_content_type: str
    trait_wins: bool
    _by_node: dict[int, DraftMessage | None] = field(default_factory=dict)
    _by_content: dict[tuple[str, str], DraftMessage] = field(default_factory=dict)

    def read(
        self, node: Node, at: Span, key: str, fallbacks: tuple[str, ...]
    ) -> DraftMessage | None:
        """The message at `node`, which may be a reference.

        `at` is the key it stands under, and `key` what the document calls it there, or "".
        `fallbacks` are names for a message that has none, best first.
        """
        target = self.reading.follow(node)
        if target is None:
            return None
        if id(target.node) not in self._by_node:
            self._by_node[id(target.node)] = self._read(target, at, key, fallbacks)
        return self._by_node[id(target.node)]

    def spare(self, root: Node) -> tuple[DraftMessage, ...]:
        """The messages in the document's components that were not read before."""
        components = self.reading.mapping(root, "components")
        holder = None if components is None else self.reading.mapping(components, "messages")
        found = []
        for key, node in self.reading.entries(holder):
            whole = self.reading.target(node) or node
            for one in self.reading.items(whole, "oneOf") or (node,):
                target = self.reading.target(one)
                if target is not None and id(target) not in self._by_node and holder is not None:
                    found.append(self.read(one, holder.place(key), key, ()))
        return tuple(one for one in found if one is not None)

    def _read(
        self, target: Target, at: Span, key: str, fallbacks: tuple[str, ...]
    ) -> DraftMessage | None:
        reading = self.reading
        span = _place(target, target.node, at)
        if reading.object(target.node, "a message") is None:
            return None
        node = traits.apply(reading, target.node, trait_wins=self.trait_wins)
        names = self._names(node, target, key, fallbacks)
        content = json.dumps(plain(target.node), sort_keys=True)
        if (names[0], content) in self._by_content:
            return self._by_content[names[0], content]
        own = settings.extension(reading, node, MESSAGE_SETTINGS, "a message")
        payload = self._payload(node, names, own, span)
        headers = self._schema(node, "headers")
        body = Message(
            name=UNNAMED,
            id=Text(reading.text(node, "messageId") or key or _key_of(target)),
            type=Text(reading.text(node, "name") or names[0]),
            about=about(reading, node),
            version=Text((reading.text(own, "version") if own else "") or "1.0.0"),
            key=self._key(own),
            envelope=self._envelope(own),
            schema="",
            schema_format=Text(payload.format),
            foreign_payload=payload.foreign,
            headers=None,
            foreign_headers=headers.foreign,
            content_type=Text(reading.text(node, "contentType") or self.default_content_type),
            correlation=self._correlation(node),
            examples=self._examples(node),
            deprecated=node.get("deprecated") is not None
            and node.value["deprecated"].value is True,
            bindings=common.bindings(reading, node),
            places=places(node, span),
        )
        message = DraftMessage(
            names=names,
            payload=payload.node,
            headers=headers.node,
            modern=payload.modern,
            body=body,
            tie=content,
            converted=payload.converted,
        )
        self._by_content[names[0], content] = message
        return message

    def _names(
        self, node: Node, target: Target, key: str, fallbacks: tuple[str, ...]
    ) -> tuple[str, ...]:
        """The author's own name, then what a component or channel calls it, then the rest."""
        reading = self.reading
        key = _key_of(target) or key
        if _NO_NAME.match(key):
            key = ""
        payload = node.get("payload")
        schema = ""
        if payload is not None and payload.reference is not None:
            schema = payload.reference.rpartition("/")[2].partition("#")[0].partition(".")[0]
        own = [reading.text(node, "name"), reading.text(node, "messageId"), key]
        texts = [text for text in own if text]
        if texts:  # the channel tells two of one name apart
            texts += [f"{fallback} {texts[-1]}" for fallback in fallbacks[:1]]
        texts = texts or [text for text in (schema, *fallbacks) if text]
        return tuple(dict.fromkeys(texts)) or ("",)

    def _payload(self, node: Node, names: tuple[str, ...], own: Node | None, at: Span) -> _Written:
        """The payload's schema, in whatever language; a message that has none is told of."""
        payload = node.get("payload")
        if payload is None or payload.value is None:
            self._no_payload(node, names[0], at)
            return _Written(None)
        written = self._schema(node, "payload")
        if own is not None and own.get("writer_schemas") and not formats.is_avro(written.format):
            self.reading.error(
                "unknown-key",
                "`writer_schemas` are of payloads in Avro, and this one is in another language",
                own.place("writer_schemas"),
                help="remove it",
            )
        if written.foreign is None or written.node is None:
            return written
        asked = Asked(written.node, names, own)
        converted = formats.convert(self.reading, written.format, asked)
        wire = None if converted is None else converted.wire
        foreign = replace(written.foreign, wire=wire)
        return replace(written, node=None, foreign=foreign, converted=converted)

    def _schema(self, node: Node, key: str) -> _Written:
        """A schema and the language it is in: its own (3.x), or for a payload its message's (2.x).

        A file may say it too: `$ref: order.avsc`. A schema that is not JSON Schema is `foreign`.
        """
        reading = self.reading
        schema = node.get(key)
        if schema is None or schema.value is None:
            return _Written(None)
        language = node.get("schemaFormat") if key == "payload" else None
        holder = reading.target(schema) if schema.reference is not None else schema
        if holder is not None and holder.get("schemaFormat") and holder.get("schema"):
            language, schema = holder.get("schemaFormat"), holder.value["schema"]
        named = "" if language is None or not isinstance(language.value, str) else language.value
        named = named or formats.of_file(reading, schema)
        if not named:
            return _Written(schema)
        if _JSON_SCHEMA.match(named):
            modern = any(draft in named for draft in _MODERN)
            return _Written(schema, named, modern=modern)
        target = reading.target(schema)
        place = schema.span if language is None else language.span
        if key != "payload" or not formats.is_read(named):
            self._tell_format(key, named, place)
        foreign = Foreign(Text(named), plain(target), schema.span)
        return _Written(schema if key == "payload" else None, named, foreign=foreign)

    def _tell_format(self, key: str, named: str, at: Span) -> None:
        found = formats.language(named)
        what = f"the format `{named}` is" if found is None else f"{key}s in {found.title} are"
        others = formats.SUPPORTED if key == "payload" else "JSON Schema"
        self.reading.warn(
            "unsupported-schema-format",
            f"{what} not supported",
            at,
            help=f"describe the {key} as {others}",
        )

    def _no_payload(self, node: Node, name: str, at: Span) -> None:
        misplaced = [key for key, _ in self.reading.entries(node) if key not in _FIELDS]
        if misplaced:
            self.reading.error(
                "schema-outside-payload",
                f"the message `{name}` has no `payload`, and `{misplaced[0]}` is not a part of it",
                node.place(misplaced[0]),
                help="write the schema under `payload:`",
            )
        else:
            self.reading.warn(
                "message-without-payload",
                f"the message `{name}` has no payload, and is read as an empty object",
                at,
                help="describe its properties under `payload:`",
            )

    def _key(self, own: Node | None) -> tuple[str, ...]:
        """`key: order_id`, `key: order.id`, or a list when a property's name has a dot."""
        found = None if own is None else own.get("key")
        if own is None or found is None:
            return ()
        if isinstance(found.value, list):
            return settings.path(found)
        return tuple(part for part in self.reading.text(own, "key").split(".") if part)

    def _envelope(self, own: Node | None) -> Envelope:
        given = None if own is None else own.get("envelope")
        if own is None or given is None or given.value is None:
            return Envelope()
        found = settings.ENVELOPE.kind.checked(self.reading, own, "envelope")
        return Envelope() if found is None else settings.envelope(found, own.place("envelope"))

    def _correlation(self, node: Node) -> Correlation | None:
        found = self.reading.mapping(node, "correlationId")
        if found is None:
            return None
        at = node.place("correlationId")
        return Correlation(
            about(self.reading, found), location(self.reading, found), places(found, at)
        )

    def _examples(self, node: Node) -> tuple[Example, ...]:
        found = []
        for item in self.reading.items(node, "examples"):
            target = self.reading.target(item)
            if target is not None and isinstance(target.value, dict):
                parts = {
                    key: plain(target.value[key])
                    for key in ("payload", "headers")
                    if key in target.value
                }
                name, summary = (
                    Text(self.reading.text(target, key)) for key in ("name", "summary")
                )
                found.append(Example(name, summary, parts, of_data(target, item.span)))
        return tuple(found)


def _key_of(target: Target) -> str:
    """What a component or channel calls the message that a reference names."""
    named = len(target.way) > 1 and target.way[-2] == "messages"
    return target.way[-1] if named else ""


def _place(target: Target, node: Node, at: Span) -> Span:
    """Where a message is best pointed at: at its name, or else at the key that it stands under."""
    name = node.get("name")
    if name is not None and target.node.get("name") is name:
        return name.span
    holder: Node | None = target.document.root
    for part in target.way[:-1]:
        holder = None if holder is None else holder.get(part)
    if target.way and holder is not None and target.way[-1] in holder.keys:
        return holder.keys[target.way[-1]]
    return common.beginning(target.node.span) if target.way else at
