"""Reads AsyncAPI 2.0 to 2.6."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from eventgen.model import Action, Channel, Handling, Operation, Ordering, Retry, Service, Text
from eventgen.model.config import Perspective
from eventgen.spec.assemble import assemble
from eventgen.spec.asyncapi import common, perspective, security, traits, unique
from eventgen.spec.asyncapi.about import about, extensions, places
from eventgen.spec.asyncapi.messages import Messages
from eventgen.spec.drafts import (
    UNNAMED,
    Draft,
    DraftChannel,
    DraftMessage,
    DraftOperation,
    DraftServer,
)
from eventgen.spec.nearest import did_you_mean
from eventgen.spec.tree import Node

if TYPE_CHECKING:
    from eventgen.diagnostics import Span
    from eventgen.model import SecurityScheme
    from eventgen.spec.shape import Reading

VERSIONS = ("2.0", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6")
INVALIDATING = frozenset(
    (
        "example-does-not-match", "schema-example-does-not-match",
        "undeclared-variable", "unused-variable",
    )
)  # fmt: skip
_KEYWORDS = ("publish", "subscribe")


def detect(root: Node) -> bool:
    """Whether this is a document of AsyncAPI 2."""
    version = root.get("asyncapi")
    return version is not None and version.words.startswith("2.")


def read(root: Node, reading: Reading) -> Service | None:
    """The service of a document; what is wrong with it is in `reading.findings`."""
    info = common.info(reading, root, also=root)
    if "operations" in root.value:
        reading.error(
            "syntax-of-another-version",
            "`operations` at the root is AsyncAPI 3",
            root.place("operations"),
            help="write `publish:` or `subscribe:` in the channel",
        )
    unique.tags(reading, root)
    items = dict(_channel_items(reading, root))
    clues = [
        perspective.Clue(keyword, name, operation, item.place(keyword))
        for name, item in items.items()
        for keyword, operation in _operations(reading, item)
    ]
    view = perspective.decide(reading, root, clues)
    schemes = security.schemes(reading, root)
    servers = _servers(reading, root, schemes)
    messages = Messages(reading, info.content_type.value, trait_wins=True)
    reader = _Reader(reading, messages, view, servers, schemes)
    for name, item in items.items():
        reader.channel(name, item, reading.mapping(root, "channels") or root)
    draft = Draft(
        names=common.service_names(reading, root, info.about.title.value),
        info=info,
        servers=servers,
        channels=tuple(reader.channels),
        operations=tuple(reader.operations),
        spare=messages.spare(root),
        security=schemes,
        extensions=extensions(root),
        places=places(root, root.span),
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
            target = traits.overlay(reading, target, Node(own, node.span, node.keys))
        yield name, target


def _operations(reading: Reading, item: Node) -> Iterator[tuple[str, Node]]:
    for keyword in _KEYWORDS:
        if keyword in item.value and item.value[keyword].value is not None:
            operation = reading.object(item.value[keyword], f"`{keyword}`")
            if operation is not None:
                yield keyword, traits.apply(reading, operation, trait_wins=True)


class _Reader:
    """Reads channels and the operations in them."""

    def __init__(
        self,
        reading: Reading,
        messages: Messages,
        view: Perspective,
        servers: tuple[DraftServer, ...],
        schemes: tuple[SecurityScheme, ...],
    ) -> None:
        self._reading = reading
        self._messages = messages
        self._view = view
        self._servers = {server.id: server for server in servers}
        self._schemes = schemes
        self._operation_ids = unique.Ids("operationId")
        self._message_ids = unique.Ids("messageId")
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
        for keyword, operation, _ in found:
            unique.tags(reading, operation)
            self._operation_ids.claim(reading, (name, keyword), operation)
        at = holder.place(name)
        common.check_address(reading, name, at, strict=True)
        common.check_parameters(reading, item, name, at)
        own = common.bindings(reading, item)
        address = _address(name, own, [bindings for _, _, bindings in found])
        messages = [
            self._messages_of(name, keyword, operation, item.place(keyword), alone=len(found) == 1)
            for keyword, operation, _ in found
        ]
        channel = DraftChannel(
            id=name,
            settings=common.channel_settings(reading, item, f"the channel `{name}`"),
            messages=tuple(dict.fromkeys(one for several in messages for one in several)),
            servers=self._servers_of(item),
            body=Channel(
                name=UNNAMED,
                id=Text(name),
                address=Text(address),
                addressed=True,
                about=about(reading, item),
                parameters=common.parameters(reading, item, name),
                messages=(),
                servers=(),
                ordering=Ordering.KEY,
                retry=Retry(),
                handling=Handling(),
                bindings=own,
                places=places(item, at),
            ),
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
                    channel=channel,
                    messages=several,
                    routes={},
                    body=Operation(
                        name=UNNAMED,
                        id=Text(given),
                        action=Action.SEND if sends else Action.RECEIVE,
                        channel=UNNAMED,
                        messages=(),
                        about=about(reading, operation),
                        reply=None,
                        retry=common.operation_retry(reading, operation, names[0]),
                        retry_route=None,
                        dead_letter=None,
                        security=security.by_name(reading, operation, self._schemes),
                        bindings=bindings,
                        places=places(operation, item.place(keyword)),
                    ),
                )
            )

    def _check_message(self, message: Node) -> None:
        target = self._reading.target(message)
        if target is not None:
            node = traits.apply(self._reading, target, trait_wins=True)
            unique.tags(self._reading, node)
            self._message_ids.claim(self._reading, id(target), node)

    def _servers_of(self, item: Node) -> tuple[DraftServer, ...]:
        """The servers a channel is limited to, which it names by their keys."""
        found = []
        for one in self._reading.items(item, "servers"):
            if one.words in self._servers:
                found.append(self._servers[one.words])
            else:
                self._reading.error(
                    "unknown-server",
                    f"`{one.words}` is not one of the document's servers",
                    one.span,
                    help=did_you_mean(one.words, self._servers),
                )
        return tuple(found)

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
            self._check_message(one)
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


def _servers(
    reading: Reading, root: Node, schemes: tuple[SecurityScheme, ...]
) -> tuple[DraftServer, ...]:
    found = []
    holder = reading.mapping(root, "servers")
    for name, node in reading.entries(holder):
        server = reading.object(node, f"the server `{name}`")
        if server is not None and holder is not None:
            scheme, sign, rest = reading.text(server, "url").partition("://")
            host, slash, path = (rest if sign else scheme).partition("/")
            body = replace(
                common.server(reading, server, holder.place(name)),
                host=Text(host),
                pathname=Text(slash + path),
                security=security.by_name(reading, server, schemes),
            )
            found.append(DraftServer(name, body))
    return tuple(found)
