"""Reads AsyncAPI 2.0 to 2.6."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from eventgen.model import Action, Service
from eventgen.model.config import Perspective
from eventgen.spec.assemble import assemble
from eventgen.spec.asyncapi import common, perspective, traits
from eventgen.spec.asyncapi.messages import Messages
from eventgen.spec.drafts import Draft, DraftChannel, DraftMessage, DraftOperation, DraftServer
from eventgen.spec.tree import Node

if TYPE_CHECKING:
    from eventgen.diagnostics import Span
    from eventgen.spec.shape import Reading

VERSIONS = ("2.0", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6")
_KEYWORDS = ("publish", "subscribe")


def detect(root: Node) -> bool:
    """Whether this is a document of AsyncAPI 2."""
    version = root.get("asyncapi")
    return version is not None and version.words.startswith("2.")


def read(root: Node, reading: Reading) -> Service | None:
    """The service of a document; what is wrong with it is in `reading.findings`."""
    title, version, description = common.title(reading, root)
    if "operations" in root.value:
        reading.error(
            "syntax-of-another-version",
            "`operations` at the root is AsyncAPI 3",
            root.place("operations"),
            help="write `publish:` or `subscribe:` in the channel",
        )
    items = dict(_channel_items(reading, root))
    clues = [
        perspective.Clue(keyword, name, operation, item.place(keyword))
        for name, item in items.items()
        for keyword, operation in _operations(reading, item)
    ]
    view = perspective.decide(reading, root, clues)
    default = reading.text(root, "defaultContentType") or "application/json"
    reader = _Reader(reading, Messages(reading, default, trait_wins=True), view)
    for name, item in items.items():
        reader.channel(name, item, reading.mapping(root, "channels") or root)
    draft = Draft(
        names=common.service_names(reading, root, title),
        title=title,
        version=version,
        description=description,
        servers=_servers(reading, root),
        channels=tuple(reader.channels),
        operations=tuple(reader.operations),
        span=root.span,
    )
    return assemble(draft, reading)


def _channel_items(reading: Reading, root: Node) -> Iterator[tuple[str, Node]]:
    """Each channel item; what a `$ref` of one names lies under the item's own fields."""
    holder = reading.mapping(root, "channels")
    if holder is None or not holder.value:
        reading.warn(
            "no-channels",
            "the document has no channels, so that nothing can be generated from it",
            root.place("channels") if root.get("channels") else common.beginning(root.span),
        )
    for name, node in reading.entries(holder):
        target = reading.object(node, f"the channel `{name}`")
        if target is None:
            continue
        if target is not node:
            own = {key: value for key, value in node.value.items() if key != "$ref"}
            target = traits.overlay(target, Node(own, node.span, node.keys))
        yield name, target


def _operations(reading: Reading, item: Node) -> Iterator[tuple[str, Node]]:
    for keyword in _KEYWORDS:
        if keyword in item.value and item.value[keyword].value is not None:
            operation = reading.object(item.value[keyword], f"`{keyword}`")
            if operation is not None:
                yield keyword, traits.apply(reading, operation, trait_wins=True)


class _Reader:
    """Reads channels and the operations in them."""

    def __init__(self, reading: Reading, messages: Messages, view: Perspective) -> None:
        self._reading = reading
        self._messages = messages
        self._view = view
        self.channels: list[DraftChannel] = []
        self.operations: list[DraftOperation] = []

    def channel(self, name: str, item: Node, holder: Node) -> None:
        reading = self._reading
        for key in ("address", "messages"):
            if key in item.value:
                reading.error(
                    "syntax-of-another-version",
                    f"`{key}` in a channel is AsyncAPI 3",
                    item.place(key),
                    help="the channel's key is its address"
                    if key == "address"
                    else "write `message:` under `publish:` or `subscribe:`",
                )
        found = [
            (keyword, operation, common.bindings(reading, operation))
            for keyword, operation in _operations(reading, item)
        ]
        own = common.bindings(reading, item)
        address = _address(name, own, [bindings for _, _, bindings in found])
        messages = [
            self._messages_of(name, keyword, operation, item.place(keyword), alone=len(found) == 1)
            for keyword, operation, _ in found
        ]
        channel = DraftChannel(
            id=name,
            address=address,
            description=common.description(reading, item),
            parameters=common.parameters(reading, item, name),
            settings=common.channel_settings(reading, item, f"the channel `{name}`"),
            bindings=own,
            messages=tuple(dict.fromkeys(one for several in messages for one in several)),
            span=holder.place(name),
        )
        self.channels.append(channel)
        for (keyword, operation, bindings), several in zip(found, messages, strict=True):
            sends = (keyword == "publish") == (self._view is Perspective.APPLICATION)
            derived = common.operation_name(sends=sends, channel=name)
            given = reading.text(operation, "operationId")
            names = (given, derived, f"{given} {name}") if given else (derived,)
            self.operations.append(
                DraftOperation(
                    names=names,
                    action=Action.SEND if sends else Action.RECEIVE,
                    channel=channel,
                    messages=several,
                    description=common.description(reading, operation),
                    bindings=bindings,
                    span=item.place(keyword),
                )
            )

    def _messages_of(
        self, channel: str, keyword: str, operation: Node, at: Span, *, alone: bool
    ) -> tuple[DraftMessage, ...]:
        """The messages of an operation: one, or the alternatives of `oneOf`."""
        reading = self._reading
        message = operation.get("message")
        if message is None or message.value is None:
            text = f"`{keyword}` of `{channel}` has no message"
            reading.warn("operation-without-message", text, at, help="write it under `message:`")
            return ()
        target = reading.object(message, "a message")
        if target is None:
            return ()
        several = reading.items(target, "oneOf") if "oneOf" in target.value else (message,)
        given = reading.text(operation, "operationId")
        found = []
        for number, one in enumerate(several, start=1):
            fallbacks = [channel, given, f"{channel} {keyword}"]
            if not alone:
                fallbacks = [given, f"{channel} {keyword}", channel]
            if len(several) > 1:
                fallbacks = [f"{channel} {number}", f"{channel} {keyword} {number}"]
            where = one.span if "oneOf" in target.value else operation.place("message")
            texts = tuple(text for text in fallbacks if text)
            found.append(self._messages.read(one, common.beginning(where), "", texts))
        return tuple(dict.fromkeys(one for one in found if one is not None))


def _address(name: str, own: Mapping[str, Any], others: list[dict[str, Any]]) -> str:
    """The channel's key, or the topic that its binding, or all of its operations', name."""
    topics = {_topic(bindings) for bindings in others} - {""}
    return _topic(own) or (topics.pop() if len(topics) == 1 else name)


def _topic(bindings: Mapping[str, Any]) -> str:
    for binding in bindings.values():
        topic = binding.get("topic") if isinstance(binding, dict) else None
        if isinstance(topic, str):
            return topic
    return ""


def _servers(reading: Reading, root: Node) -> tuple[DraftServer, ...]:
    found = []
    for name, node in reading.entries(reading.mapping(root, "servers")):
        server = reading.object(node, f"the server `{name}`")
        if server is not None:
            host = reading.text(server, "url").partition("://")
            protocol = reading.text(server, "protocol")
            found.append(
                DraftServer(name, host[2] or host[0], protocol, common.description(reading, server))
            )
    return tuple(found)
