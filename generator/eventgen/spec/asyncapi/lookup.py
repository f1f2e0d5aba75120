"""Finds the channels that operations refer to, and the messages of those channels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from eventgen.diagnostics import Label
from eventgen.spec.nearest import did_you_mean
from eventgen.spec.shape import kind

if TYPE_CHECKING:
    from eventgen.spec.asyncapi.messages import Messages
    from eventgen.spec.drafts import DraftChannel, DraftMessage
    from eventgen.spec.shape import Reading
    from eventgen.spec.tree import Node


@dataclass(slots=True)
class Lookup:
    """The channels of one document, by what refers to them."""

    reading: Reading
    messages: Messages
    _channels: dict[int, DraftChannel] = field(default_factory=dict)  # by the id of a node
    # For each channel: key and message, by the id of the node that stands under the key.
    _entries: dict[int, dict[int, tuple[str, DraftMessage]]] = field(default_factory=dict)

    def add(
        self,
        nodes: tuple[Node, ...],
        channel: DraftChannel,
        entries: dict[int, tuple[str, DraftMessage]],
    ) -> None:
        """Make a channel known by its nodes: where it stands, and what that may refer to."""
        for node in nodes:
            self._channels.setdefault(id(node), channel)
        self._entries[id(channel)] = entries

    def channel(self, name: str, node: Node, *, strict: bool = True) -> DraftChannel | None:
        """The channel that an operation, or a route of its, refers to; None when it has none.

        One that is not at the root of the document is an error where that is `strict`.
        """
        reading = self.reading
        found = node.get("channel")
        target = None if found is None else reading.target(found)
        if found is None or target is None:
            return None
        hop = None if found.reference is None else reading.files.hop(found)
        at_root = hop is not None and hop.way[:1] == ("channels",)
        channel = self._channels.get(id(target)) if at_root or not strict else None
        if channel is None:
            words = found.words.rpartition("/")[2]
            known = [one.id for one in self._channels.values()]
            near = words if words in known else (known[0] if len(known) == 1 else "...")
            report = reading.error if strict else reading.warn
            report(
                "operation-without-channel",
                f"the channel of the operation `{name}` is not one of the document's channels",
                found.span if found.reference is None else found.value["$ref"].span,
                help=did_you_mean(words, known)
                if words and words not in known
                else f"write `channel: {{$ref: '#/channels/{near}'}}`",
            )
        return channel

    def messages_of(
        self, name: str, node: Node, channel: DraftChannel, *, strict: bool = True
    ) -> tuple[DraftMessage, ...]:
        """The messages of an operation or route: those it names, or else all of the channel's.

        One that its channel has not got is an error where that is `strict`.
        """
        items = self.reading.items(node, "messages")
        if node.get("messages") is None or node.value["messages"].value is None:
            return channel.messages
        found = []
        for item in items:
            message = self._message(name, item, channel, strict=strict)
            if message is not None:
                found.append(message)
        return tuple(dict.fromkeys(found))

    def _message(
        self, name: str, item: Node, channel: DraftChannel, *, strict: bool
    ) -> DraftMessage | None:
        reading = self.reading
        if item.reference is None:
            reading.error(
                "wrong-kind",
                f"the messages of an operation are references, and this is {kind(item.value)}",
                item.span,
                help=f"write `$ref: '#/channels/{channel.id}/messages/...'`",
            )
            return None
        target = reading.follow(item)
        if target is None:
            return None
        entry = reading.files.hop(item)
        entries = self._entries[id(channel)]
        if entry is not None and id(entry.node) in entries:
            return entries[id(entry.node)][1]
        at = item.value["$ref"].span
        message = self.messages.read(item, at, target.way[-1] if target.way else "", (name,))
        keys = [key for key, one in entries.values() if one is message]
        if keys:
            reading.warn(
                "message-of-component",
                "a message of an operation is referred to through its channel",
                at,
                help=f"write `#/channels/{_escaped(channel.id)}/messages/{_escaped(keys[0])}`",
            )
            return message
        report = reading.error if strict else reading.warn
        report(
            "message-not-in-channel",
            f"the channel `{channel.id}` has no such message",
            at,
            secondary=_labels(channel),
            help=did_you_mean(
                target.way[-1] if target.way else "",
                [one.names[0] for one in channel.messages],
            )
            or f"add the message to `messages:` of the channel `{channel.id}`",
        )
        return None if strict else message


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _labels(channel: DraftChannel) -> tuple[Label, ...]:
    return (Label(channel.span, "the channel"),)
