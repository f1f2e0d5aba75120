"""Reads eventgen's own short YAML, by writing it as AsyncAPI 3 and reading that.

Every node of the AsyncAPI document made here keeps the place of what it was made from, so that
findings point at the author's own lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eventgen.model import Action, Service
from eventgen.spec import settings
from eventgen.spec.asyncapi import common
from eventgen.spec.dialects import asyncapi3
from eventgen.spec.native_fields import IN_PLACE, INHERITED, ROOT, WORDS
from eventgen.spec.native_nodes import (
    escaped,
    make,
    ours,
    parameter,
    pointer,
    reference,
)
from eventgen.spec.native_types import Types
from eventgen.spec.nearest import did_you_mean
from eventgen.spec.tree import Node

if TYPE_CHECKING:
    from eventgen.diagnostics import Span
    from eventgen.spec.shape import Reading

INVALIDATING: frozenset[str] = frozenset()
_SIDES = (("publishes", Action.SEND), ("subscribes", Action.RECEIVE))
_MAJOR = re.compile(r"v?([0-9]+)(?:\.[0-9]+)*(?:[-+].*)?\Z", re.ASCII)
_AS_THEY_ARE = (("title", "title"), ("description", "description"), ("content_type", "contentType"))


def detect(root: Node) -> bool:
    """Whether this is the short form."""
    return root.get("eventgen") is not None


def read(root: Node, reading: Reading) -> Service | None:
    """The service of a document; what is wrong with it is in `reading.findings`."""
    translated = translate(root, reading)
    if translated is None:
        return None
    reading.files.replace(reading.files.of(root), translated)
    return asyncapi3.read(translated, reading)


def translate(root: Node, reading: Reading) -> Node | None:
    """The document as AsyncAPI 3; None when it is of a version that is not known."""
    if root.value["eventgen"].words != "1":
        reading.error(
            "unsupported-version",
            f"`eventgen: {root.value['eventgen'].words}` is not a version of the short form",
            root.value["eventgen"].span,
            help="write `eventgen: 1`",
        )
        return None
    return _Translation(reading, ROOT.of(reading, root)).document()


@dataclass(frozen=True, slots=True)
class _Operation:
    """What the service does with some events of a channel."""

    action: Action
    channel: str
    answered: str = ""  # the event that has `reply`, which makes an operation of its own


@dataclass(frozen=True, slots=True)
class _Mention:
    """An event under `publishes` or `subscribes`."""

    action: Action
    name: str
    node: Node  # its value is None where the event is described elsewhere
    at: Span


class _Translation:
    """One document on its way to AsyncAPI 3."""

    def __init__(self, reading: Reading, root: Node) -> None:
        self._reading = reading
        self._root = root
        self._types = Types(reading, root.get("types"))
        self._channel_settings = _entries(root.get("channels"))
        self._messages: dict[str, Node] = {}
        self._places: dict[str, Span] = {}
        self._versions: dict[str, tuple[str, ...]] = {}  # event -> its messages
        self._channel_of: dict[str, str] = {}  # message -> channel
        self._operations: dict[_Operation, dict[str, Span]] = {}
        self._replies: dict[str, Node] = {}  # event -> the `reply` of its operation

    def document(self) -> Node:
        """The whole of it."""
        mentions = [
            _Mention(action, name, node, self._root.value[side].place(name))
            for side, action in _SIDES
            for name, node in _entries(self._root.get(side)).items()
        ]
        for mention in mentions:
            if mention.node.value is not None:
                self._describe(mention.name, mention.node, mention.at, mention.name)
        for mention in mentions:
            self._operate(mention)
        if not self._messages:
            self._reading.warn(
                "no-channels",
                "the document has no events, so that nothing can be generated from it",
                self._root.span.start,
                help="write them under `publishes:` and `subscribes:`",
            )
        at = self._root.span
        channels = self._channels()
        components = {
            "messages": make(self._messages, at, self._places),
            "schemas": self._types.schemas(at),
        }
        parts = {
            "asyncapi": make("3.0.0", at),
            "info": self._info(),
            **ours(self._reading, self._root, ("service",)),
            "channels": channels,
            "operations": self._operation_nodes(),
            "components": make({key: node for key, node in components.items() if node.value}, at),
        }
        kept = {key: node for key, node in parts.items() if node.value}
        return make(kept, at, {"channels": self._root.place("channels")})

    def _info(self) -> Node:
        root = self._root
        title = root.get("title") or root.get("service") or make("service", root.span)
        info = {"title": title, "version": root.get("version") or make("1.0.0", root.span)}
        if root.get("description"):
            info["description"] = root.value["description"]
        return make(info, root.span, root.keys)

    def _describe(self, name: str, node: Node, at: Span, channel: str) -> None:
        """One event with all its versions. `channel` is where it goes if it does not say."""
        if name in self._versions:
            self._reading.error(
                "event-described-twice",
                f"`{name}` is described twice",
                at,
                help=f"leave the second one empty: `{name}:`",
            )
            return
        given = node.get("channel")
        self._settle_channel(name, node, channel if given is None else given.words)
        found = {}
        if "data" in node.value or not node.get("versions"):
            found[name] = (node, at)
        for version, own in _entries(node.get("versions")).items():
            place = node.value["versions"].place(version)
            key = self._name_of_version(name, version, place)
            if key in found:
                self._reading.error(
                    "event-described-twice",
                    f"`{version}` is described twice, as both are `{key}`",
                    place,
                    help="keep the later one, when it only adds to the other",
                )
            found[key] = (_inheriting(node, own, make(version, place)), place)
        self._versions[name] = tuple(found)
        for key, (event, place) in found.items():
            self._versions.setdefault(key, (key,))
            self._messages[key] = self._message(key, event, place)
            self._places[key] = place
            self._channel_of[key] = channel if given is None else given.words
        self._describe_replies(name, node)

    def _name_of_version(self, name: str, version: str, at: Span) -> str:
        matched = _MAJOR.match(version)
        if matched is None:
            self._reading.error(
                "not-a-version",
                f"`{version}` is not a version",
                at,
                help="write three numbers: `2.0.0`",
            )
        return f"{name}.v{version if matched is None else matched[1]}"

    def _settle_channel(self, name: str, node: Node, channel: str) -> None:
        """Take what an event says in place about a channel of its own."""
        settings = {key: node.value[key] for key in IN_PLACE if key in node.value}
        is_own = channel == name and name not in self._channel_settings
        for key in () if is_own else settings:
            self._reading.error(
                "setting-of-channel",
                f"`{key}` belongs to the channel `{channel}`",
                node.place(key),
                help=f"write it under `channels:`, in `{channel}:`",
            )
        if settings and is_own:
            self._channel_settings[name] = Node(settings, node.span, node.keys)

    def _describe_replies(self, name: str, node: Node) -> None:
        replies = _entries(node.get("reply"))
        for reply, described in replies.items():
            if described.value is not None:
                at = node.value["reply"].place(reply)
                self._describe(reply, described, at, f"{name}.reply")
        header = node.get("reply_to")
        if header is None:
            return
        headers = node.value["headers"].value if "headers" in node.value else {}
        known = [key.removesuffix("?") for key in headers] if isinstance(headers, dict) else None
        if not replies:
            self._reading.error(
                "reply-to-without-reply",
                f"`{name}` says where its answer goes, and not what that is",
                node.place("reply_to"),
                help="write the events that answer it under `reply:`",
            )
        elif known is not None and header.words not in known:
            self._reading.error(
                "unknown-header",
                f"`{name}` has no header `{header.words}`",
                header.span,
                help=did_you_mean(header.words, known)
                or f"declare it: `headers: {{{header.words}: string}}`",
            )

    def _operate(self, mention: _Mention) -> None:
        """Let the service publish or handle an event."""
        name, at = mention.name, mention.at
        if name not in self._versions:
            self._describe(name, make({}, at), at, name)
        replies = _entries(mention.node.get("reply"))
        for message in self._versions[name]:
            operation = _Operation(
                mention.action, self._channel_of[message], name if replies else ""
            )
            self._operations.setdefault(operation, {})[message] = at
        if replies:
            self._replies[name] = self._reply(mention)

    def _reply(self, mention: _Mention) -> Node:
        holder = mention.node.value["reply"]
        at = mention.node.place("reply")
        messages: dict[str, Span] = {}
        for name in holder.value:
            if name not in self._versions:
                self._describe(name, make({}, at), holder.place(name), f"{mention.name}.reply")
            messages |= dict.fromkeys(self._versions[name], holder.place(name))
        channels = list(dict.fromkeys(self._channel_of[message] for message in messages))
        if len(channels) > 1:
            self._reading.error(
                "reply-through-several-channels",
                f"the answers to `{mention.name}` go through {len(channels)} channels",
                at,
                help=f"give them all the same `channel:`, as `{channels[0]}`",
            )
        fields = {
            "channel": reference(("channels", channels[0]), at),
            "messages": make(
                [
                    reference(("channels", self._channel_of[message], "messages", message), place)
                    for message, place in messages.items()
                    if self._channel_of[message] == channels[0]
                ],
                at,
            ),
        }
        header = mention.node.get("reply_to")
        if header is not None:
            location = make(f"$message.header#/{escaped(header.words)}", header.span)
            fields = {"address": make({"location": location}, header.span), **fields}
        return make(fields, at)

    def _message(self, name: str, node: Node, at: Span) -> Node:
        fields = {"name": make(name, at)}
        for key, target in _AS_THEY_ARE:
            if key in node.value:
                fields[target] = node.value[key]
        fields |= ours(self._reading, node, ("envelope", "key", "version"))
        fields["payload"] = self._payload(name, node, at)
        if "headers" in node.value:
            fields["headers"] = self._headers(node.value["headers"])
        examples = node.value["examples"].value if "examples" in node.value else ()
        if examples:
            wrapped = [make({"payload": example}, example.span) for example in examples]
            fields["examples"] = make(wrapped, node.place("examples"))
        return make(fields, node.span, {**node.keys, "name": at, "payload": node.place("data")})

    def _payload(self, name: str, node: Node, at: Span) -> Node:
        if "data" in node.value:
            return self._types.schema(node.value["data"])
        self._reading.warn(
            "message-without-payload",
            f"the event `{name}` has no data, and is read as an empty object",
            at,
            help="write its properties: `data: {order_id: uuid}`",
        )
        return make({"type": make("object", at)}, at)

    def _headers(self, node: Node) -> Node:
        if isinstance(node.value, list) or node.words in WORDS.keys() - {"any", "object"}:
            self._reading.error(
                "wrong-kind",
                "`headers` is a mapping of headers and their types",
                node.span,
                help="write `headers: {trace: string}`",
            )
        return self._types.schema(node)

    def _channels(self) -> Node:
        result: dict[str, Node] = {}
        places: dict[str, Span] = {}
        holder = self._root.get("channels")
        events: dict[str, dict[str, Span]] = {}
        for message, channel in self._channel_of.items():
            events.setdefault(channel, {})[message] = self._places[message]
        for name in dict.fromkeys((*events, *self._channel_settings)):
            messages = events.get(name, {})
            at = next(iter(messages.values()), self._root.span)
            if holder is not None and name in holder.keys:
                at = holder.keys[name]
            result[name] = self._channel(name, at, messages)
            places[name] = at
        return make(result, self._root.place("channels"), places)

    def _channel(self, name: str, at: Span, messages: dict[str, Span]) -> Node:
        node = self._channel_settings.get(name) or make({}, at)
        if node.value is None:
            node = make({}, at)
        fields = {"address": self._address(name, at)}
        fields |= {
            key: node.value[key]
            for key in ("address", "title", "description", "bindings")
            if key in node.value
        }
        if "parameters" in node.value:
            parameters = node.value["parameters"]
            fields["parameters"] = make(
                {key: parameter(value) for key, value in parameters.value.items()},
                parameters.span,
                parameters.keys,
            )
        fields |= ours(self._reading, node, settings.CHANNEL.keys)
        references = {
            event: reference(("components", "messages", event), place)
            for event, place in messages.items()
        }
        fields["messages"] = make(references, at, messages)
        return make(fields, node.span, {"address": at, **node.keys})

    def _address(self, name: str, at: Span) -> Node:
        """The name; null where each request says where its answer goes."""
        for reply in self._replies.values():
            if reply.get("address") and reply.value["channel"].reference == pointer(
                ("channels", name)
            ):
                return make(None, at)
        return make(name, at)

    def _operation_nodes(self) -> Node:
        result: dict[str, Node] = {}
        places: dict[str, Span] = {}
        for operation, events in self._operations.items():
            at = next(iter(events.values()))
            name = common.operation_name(
                sends=operation.action is Action.SEND,
                channel=operation.answered or operation.channel,
            )
            while name in result:  # two channels whose names differ in signs only
                name += "_"
            messages = [
                reference(("channels", operation.channel, "messages", event), place)
                for event, place in events.items()
            ]
            fields = {
                "action": make(operation.action.value, at),
                "channel": reference(("channels", operation.channel), at),
                "messages": make(messages, at),
            }
            answer = self._replies.get(operation.answered)
            if answer is not None:
                fields["reply"] = answer
            result[name] = make(fields, at, {key: value.span for key, value in fields.items()})
            places[name] = at
        return make(result, self._root.span, places)


def _entries(node: Node | None) -> dict[str, Node]:
    return dict(node.value) if node is not None and isinstance(node.value, dict) else {}


def _inheriting(event: Node, own: Node, version: Node) -> Node:
    """A version of an event: what it does not say is as in the event."""
    given = {} if own.value is None else own.value
    value = {key: event.value[key] for key in INHERITED if key in event.value}
    return Node({**value, **given, "version": version}, version.span, {**event.keys, **own.keys})
