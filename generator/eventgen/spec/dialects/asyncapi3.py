"""Reads AsyncAPI 3.0 and 3.1."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from eventgen.model import (
    Action,
    Channel,
    Handling,
    Operation,
    Ordering,
    Retry,
    Service,
    Text,
)
from eventgen.spec import settings
from eventgen.spec.assemble import assemble
from eventgen.spec.asyncapi import common, routes, security, traits
from eventgen.spec.asyncapi.about import about, extensions, places
from eventgen.spec.asyncapi.lookup import Lookup
from eventgen.spec.asyncapi.messages import Messages
from eventgen.spec.drafts import (
    UNNAMED,
    Draft,
    DraftChannel,
    DraftMessage,
    DraftOperation,
    DraftServer,
)

if TYPE_CHECKING:
    from eventgen.spec.shape import Reading
    from eventgen.spec.tree import Node

VERSIONS = ("3.0", "3.1")
INVALIDATING: frozenset[str] = frozenset()


def detect(root: Node) -> bool:
    """Whether this is a document of AsyncAPI 3."""
    version = root.get("asyncapi")
    return version is not None and version.words.startswith("3.")


def read(root: Node, reading: Reading) -> Service | None:
    """The service of a document; what is wrong with it is in `reading.findings`."""
    info = common.info(reading, root)
    messages = Messages(reading, info.content_type.value, trait_wins=False)
    reader = _Reader(reading, messages)
    servers = reader.servers(root)
    channels = reader.channels(root)
    operations = reader.operations(root)
    draft = Draft(
        names=common.service_names(reading, root, info.about.title.value),
        info=info,
        servers=servers,
        channels=channels,
        operations=operations,
        spare=messages.spare(root),
        security=security.schemes(reading, root),
        extensions=extensions(root),
        places=places(root, root.span),
    )
    return assemble(draft, reading)


class _Reader:
    """Reads channels, then the operations that refer to them."""

    def __init__(self, reading: Reading, messages: Messages) -> None:
        self._reading = reading
        self._messages = messages
        self._servers: dict[int, DraftServer] = {}  # by the id of the server's node
        self._lookup = Lookup(reading, messages)

    def servers(self, root: Node) -> tuple[DraftServer, ...]:
        reading = self._reading
        found = []
        holder = reading.mapping(root, "servers")
        for name, node in reading.entries(holder):
            server = reading.object(node, f"the server `{name}`")
            if server is None or holder is None:
                continue
            if "url" in server.value and "host" not in server.value:
                reading.error(
                    "syntax-of-another-version",
                    "`url` of a server is AsyncAPI 2",
                    server.place("url"),
                    help="write `host:`, and `pathname:` for the part after the first `/`",
                )
            body = replace(
                common.server(reading, server, holder.place(name)),
                host=Text(reading.text(server, "host")),
                pathname=Text(reading.text(server, "pathname")),
                security=security.by_reference(reading, server),
            )
            draft = DraftServer(name, body)
            self._servers[id(node)] = self._servers[id(server)] = draft
            found.append(draft)
        return tuple(found)

    def _servers_of(self, name: str, node: Node) -> tuple[DraftServer, ...]:
        """The servers a channel is limited to, which it refers to."""
        found = []
        for item in self._reading.items(node, "servers"):
            target = self._reading.target(item)
            if target is None:
                continue
            hop = None if item.reference is None else self._reading.files.hop(item)
            if id(target) in self._servers and hop is not None and hop.way[:1] == ("servers",):
                found.append(self._servers[id(target)])
            else:
                self._reading.error(
                    "unknown-server",
                    f"a server of the channel `{name}` is not one of the document's servers",
                    item.span if item.reference is None else item.value["$ref"].span,
                    help="write `$ref: '#/servers/...'`",
                )
        return tuple(found)

    def channels(self, root: Node) -> tuple[DraftChannel, ...]:
        holder = self._reading.mapping(root, "channels")
        if holder is None or not holder.value:
            self._reading.warn(
                "no-channels",
                "the document has no channels, so that nothing can be generated from it",
                root.place("channels") if root.get("channels") else common.beginning(root.span),
            )
            return ()
        found = []
        silent = []
        for name, node in self._reading.entries(holder):
            target = self._reading.object(node, f"the channel `{name}`")
            if target is None:
                continue
            if target.get("address") is None:
                silent.append(name)
            channel, entries = self._channel(name, target, holder)
            self._lookup.add((node, target), channel, entries)
            found.append(channel)
        self._tell_addresses(holder, silent)
        return tuple(found)

    def _channel(
        self, name: str, node: Node, holder: Node
    ) -> tuple[DraftChannel, dict[int, tuple[str, DraftMessage]]]:
        """A channel, and its messages and their keys by the id of what stands under the key."""
        reading = self._reading
        for keyword in ("publish", "subscribe"):
            if keyword in node.value:
                reading.error(
                    "syntax-of-another-version",
                    f"`{keyword}` in a channel is AsyncAPI 2",
                    node.place(keyword),
                    help="write the operation under the root's `operations:`, with"
                    f" `channel: {{$ref: '#/channels/{name}'}}`",
                )
        bindings = common.bindings(reading, node)
        given = reading.text(node, "address")
        address = given or _topic(bindings) or name
        at = holder.place(name)
        # What is declared belongs to the address, also where only the key stands in for it.
        written = given if node.get("parameters") is not None else address
        where = node.place("address")
        common.check_parameters(reading, node, written, where, strict=True)
        if not common.check_address(reading, name, at, strict=True):
            common.check_address(reading, given, where, strict=False)
        entries: dict[int, tuple[str, DraftMessage]] = {}
        messages = reading.mapping(node, "messages")
        for key, entry in reading.entries(messages):
            place = entry.span if messages is None else messages.place(key)
            message = self._messages.read(entry, place, key, (name,))
            if message is not None:
                entries[id(entry)] = (key, message)
        channel = DraftChannel(
            id=name,
            settings=common.channel_settings(reading, node, f"the channel `{name}`"),
            messages=tuple(dict.fromkeys(message for _, message in entries.values())),
            servers=self._servers_of(name, node),
            body=Channel(
                name=UNNAMED,
                id=Text(name),
                address=Text(address),
                addressed=bool(given),
                about=about(reading, node),
                parameters=common.parameters(reading, node, address),
                messages=(),
                servers=(),
                ordering=Ordering.KEY,
                retry=Retry(),
                handling=Handling(),
                bindings=bindings,
                places=places(node, at),
            ),
        )
        return channel, entries

    def _tell_addresses(self, holder: Node, silent: list[str]) -> None:
        if not silent:
            return
        many = f"{len(silent)} channels have" if len(silent) > 1 else f"`{silent[0]}` has"
        self._reading.warn(
            "address-missing",
            f"{many} no `address`, and the channel's key is taken for it",
            holder.place(silent[0]),
            help=f"write `address: {silent[0]}`",
        )

    def operations(self, root: Node) -> tuple[DraftOperation, ...]:
        found = []
        holder = self._reading.mapping(root, "operations")
        for name, node in self._reading.entries(holder):
            target = self._reading.object(node, f"the operation `{name}`")
            if target is not None and holder is not None:
                operation = self._operation(name, target, holder)
                if operation is not None:
                    found.append(operation)
        return tuple(found)

    def _operation(self, name: str, target: Node, holder: Node) -> DraftOperation | None:
        reading = self._reading
        node = traits.apply(reading, target, trait_wins=False)
        if node.get("action") is None:
            reading.error(
                "missing-key",
                f"the operation `{name}` does not say what the application does",
                holder.place(name),
                help="write `action: send` or `action: receive`",
            )
        action = settings.choice(reading, node, "action", [one.value for one in Action])
        channel = self._channel_of(name, node, holder)
        if action is None or channel is None:
            return None
        if node.get("reply") is not None:
            text = f"the reply of `{name}` is not generated yet"
            reading.warn("reply-ignored", text, node.place("reply"))
        return DraftOperation(
            names=(name,),
            channel=channel,
            messages=self._lookup.messages_of(name, node, channel),
            routes=routes.routes(self._lookup, name, node),
            body=Operation(
                name=UNNAMED,
                id=Text(name),
                action=Action(action),
                channel=UNNAMED,
                messages=(),
                about=about(reading, node),
                reply=None,
                retry=common.operation_retry(reading, node, name) or routes.retry(reading, node),
                retry_route=None,
                dead_letter=None,
                security=security.by_reference(reading, node),
                bindings=common.bindings(reading, node),
                places=places(node, holder.place(name)),
            ),
        )

    def _channel_of(self, name: str, node: Node, holder: Node) -> DraftChannel | None:
        reading = self._reading
        found = node.get("channel")
        if found is None:
            reading.error(
                "missing-key",
                f"the operation `{name}` names no channel",
                holder.place(name),
                help="write `channel: {$ref: '#/channels/...'}`",
            )
            return None
        return self._lookup.channel(name, node)


def _topic(bindings: dict[str, Any]) -> str:
    """The topic that a binding names, which stands for an address that is not given."""
    for binding in bindings.values():
        topic = binding.get("topic") if isinstance(binding, dict) else None
        if isinstance(topic, str):
            return topic
    return ""
