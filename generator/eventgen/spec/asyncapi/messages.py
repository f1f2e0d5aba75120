"""Reads the Message Object of AsyncAPI 2.x and 3.x."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from eventgen.spec import settings
from eventgen.spec.asyncapi import common, traits
from eventgen.spec.drafts import DraftMessage
from eventgen.spec.tree import Node, plain

if TYPE_CHECKING:
    from eventgen.diagnostics import Span
    from eventgen.spec.refs import Target
    from eventgen.spec.shape import Reading

MESSAGE_SETTINGS = ("key", "version")
# Formats whose schemas are JSON Schema, whatever draft.
_JSON_SCHEMA = re.compile(
    r"application/(?:vnd\.aai\.asyncapi|vnd\.oai\.openapi|schema)(?:\+(?:json|yaml))?(?:;|\Z)"
)
_FORMATS = (("avro", "Avro"), ("protobuf", "Protobuf"), ("raml", "RAML"), ("xml", "XML"))
# What converters from 2.x call a message that had no name.
_NO_NAME = re.compile(r"(?:publish|subscribe)\.message(?:\.[0-9]+)?\Z|[0-9]+\Z")
_FIELDS = frozenset(
    (
        "$ref", "bindings", "contentType", "correlationId", "deprecated", "description", "examples",
        "externalDocs", "headers", "messageId", "name", "payload", "schemaFormat", "summary",
        "tags", "title", "traits",
    )
)  # fmt: skip


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
        payload, modern = self._payload(node, names[0], span)
        message = DraftMessage(
            names=names,
            type=reading.text(node, "name") or names[0],
            title=reading.text(node, "title"),
            description=common.description(reading, node),
            version=(reading.text(own, "version") if own else "") or "1.0.0",
            key=self._key(own),
            payload=payload,
            headers=node.get("headers"),
            modern=modern,
            content_type=reading.text(node, "contentType") or self.default_content_type,
            examples=self._examples(node),
            bindings=common.bindings(reading, node),
            span=span,
            tie=content,
        )
        self._by_content[names[0], content] = message
        return message

    def _names(
        self, node: Node, target: Target, key: str, fallbacks: tuple[str, ...]
    ) -> tuple[str, ...]:
        """The author's own name, then what a component or channel calls it, then the rest."""
        reading = self.reading
        if len(target.way) > 1 and target.way[-2] == "messages":
            key = target.way[-1]
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

    def _payload(self, node: Node, name: str, at: Span) -> tuple[Node | None, bool]:
        """The payload's schema, and whether it follows a draft after 07."""
        reading = self.reading
        payload = node.get("payload")
        language = node.get("schemaFormat")
        if payload is None or payload.value is None:
            self._no_payload(node, name, at)
            return None, False
        holder = reading.target(payload) if payload.reference is not None else payload
        if holder is not None and holder.get("schemaFormat") and holder.get("schema"):
            language, payload = holder.get("schemaFormat"), holder.value["schema"]
        if language is None or not isinstance(language.value, str):
            return payload, False
        if not _JSON_SCHEMA.match(language.value):
            self._unsupported(language)
            return None, False
        return payload, any(draft in language.value for draft in ("2019-09", "2020-12", "3.1"))

    def _unsupported(self, language: Node) -> None:
        lowered = language.value.lower()
        title = next((title for word, title in _FORMATS if word in lowered), None)
        what = f"payloads in {title} are" if title else f"the format `{language.value}` is"
        self.reading.error(
            "unsupported-schema-format",
            f"{what} not supported yet",
            language.span,
            help="describe the payload as JSON Schema",
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
            return tuple(part.words for part in found.value if part.words)
        return tuple(part for part in self.reading.text(own, "key").split(".") if part)

    def _examples(self, node: Node) -> tuple[Any, ...]:
        """The payloads of the message's examples, or else those of its inline schema."""
        found = []
        for example in self.reading.items(node, "examples"):
            target = self.reading.target(example)
            payload = None if target is None else target.get("payload")
            if payload is not None:
                found.append(plain(payload))
        return tuple(found)


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
