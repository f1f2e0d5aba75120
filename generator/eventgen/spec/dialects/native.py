"""Reads eventgen's own short YAML, by writing it as AsyncAPI 3 and reading that.

Every node of the AsyncAPI document made here keeps the place of what it was made from, so that
findings point at the author's own lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eventgen.model import Action, Service
from eventgen.spec.asyncapi import common
from eventgen.spec.dialects import asyncapi3
from eventgen.spec.native_types import Types, make
from eventgen.spec.tree import Node

if TYPE_CHECKING:
    from eventgen.diagnostics import Span
    from eventgen.spec.shape import Reading

_ROOT = (
    "eventgen",
    "service",
    "title",
    "version",
    "description",
    "publishes",
    "subscribes",
    "types",
    "channels",
)
_EVENT = (
    "channel", "content_type", "data", "description", "examples", "key", "title", "version",
)  # fmt: skip
_CHANNEL = ("address", "description", "ordering", "parameters", "retry")
_SIDES = (("publishes", Action.SEND), ("subscribes", Action.RECEIVE))


def detect(root: Node) -> bool:
    """Whether this is the short form."""
    return root.get("eventgen") is not None


def read(root: Node, reading: Reading) -> Service | None:
    """The service of a document; what is wrong with it is in `reading.findings`."""
    if root.value["eventgen"].words != "1":
        reading.error(
            "unsupported-version",
            f"`eventgen: {root.value['eventgen'].words}` is not a version of the short form",
            root.value["eventgen"].span,
            help="write `eventgen: 1`",
        )
        return None
    translated = _Translation(reading, root).document()
    document = reading.files.of(root)
    reading.files.put(document.path, document.source, translated)
    return asyncapi3.read(translated, reading)


class _Translation:
    """One document on its way to AsyncAPI 3."""

    def __init__(self, reading: Reading, root: Node) -> None:
        self._reading = reading
        self._root = root
        self._types = Types(reading, reading.mapping(root, "types"))
        self._declared = dict(reading.entries(reading.mapping(root, "channels")))
        self._messages: dict[str, Node] = {}
        self._places: dict[str, Span] = {}
        # channel -> the events that go through it
        self._channels: dict[str, dict[str, Span]] = {}
        # (action, channel) -> its events
        self._operations: dict[tuple[Action, str], dict[str, Span]] = {}

    def document(self) -> Node:
        root, reading = self._root, self._reading
        reading.known(root, _ROOT, "the document")
        service = reading.text(root, "service")
        if not service:
            reading.error(
                "missing-key",
                "`service` is missing" if root.get("service") is None else "`service` is empty",
                common.beginning(root.span),
                help="write `service: orders`",
            )
        for side, action in _SIDES:
            events = reading.mapping(root, side)
            for name, node in reading.entries(events):
                self._event(name, node, root.span if events is None else events.place(name), action)
        if not self._messages:
            reading.warn(
                "no-channels",
                "the document has no events, so that nothing can be generated from it",
                common.beginning(root.span),
                help="write them under `publishes:` and `subscribes:`",
            )
        at = root.place("service")
        info = {
            "title": make(reading.text(root, "title") or service or "-", at),
            "version": make(reading.text(root, "version") or "1.0.0", at),
            "description": make(reading.text(root, "description"), at),
        }
        whole = {
            "asyncapi": make("3.0.0", at),
            "info": make(info, at),
            "x-eventgen": make({"service": make(service or "service", at)}, at),
            "channels": self._channel_nodes(),
            "operations": self._operation_nodes(),
            "components": make(
                {
                    "messages": make(self._messages, at, self._places),
                    "schemas": self._types.schemas(at),
                },
                at,
            ),
        }
        if not self._messages:
            del whole["channels"]
        return make(whole, root.span)

    def _event(self, name: str, node: Node, at: Span, action: Action) -> None:
        reading = self._reading
        channel = name
        if node.value is None and name in self._messages:
            channel = next(one for one, events in self._channels.items() if name in events)
        elif name in self._messages:
            reading.error(
                "event-described-twice",
                f"`{name}` is described twice",
                at,
                help=f"leave the second one empty: `{name}:`",
            )
            return
        else:
            event = node if node.value is not None else make({}, at)
            found = reading.object(event, f"the event `{name}`")
            if found is None:
                return
            reading.known(found, _EVENT, f"the event `{name}`")
            channel = reading.text(found, "channel") or name
            self._messages[name] = self._message(name, found, at)
            self._places[name] = at
        self._channels.setdefault(channel, {})[name] = at
        self._operations.setdefault((action, channel), {})[name] = at

    def _message(self, name: str, node: Node, at: Span) -> Node:
        fields = {"name": make(name, at)}
        for key, target in (
            ("title", "title"),
            ("description", "description"),
            ("content_type", "contentType"),
        ):
            if key in node.value:
                fields[target] = node.value[key]
        extension = {key: node.value[key] for key in ("key", "version") if key in node.value}
        if extension:
            places = {key: node.place(key) for key in extension}
            fields["x-eventgen"] = make(extension, at, places)
        if node.get("data") is not None and node.value["data"].value is not None:
            fields["payload"] = self._types.payload(node.value["data"])
        examples = self._reading.items(node, "examples")
        if examples:
            wrapped = [make({"payload": example}, example.span) for example in examples]
            fields["examples"] = make(wrapped, node.place("examples"))
        return make(fields, node.span, {"name": at, "payload": node.place("data")})

    def _channel_nodes(self) -> Node:
        reading, root = self._reading, self._root
        result: dict[str, Node] = {}
        places: dict[str, Span] = {}
        declared_at = reading.mapping(root, "channels")
        names = dict.fromkeys((*self._channels, *self._declared))
        for name in names:
            events = self._channels.get(name, {})
            at = next(iter(events.values()), root.span)
            if declared_at is not None and name in declared_at.keys:
                at = declared_at.keys[name]
            messages = {
                event: _reference(("components", "messages", event), place)
                for event, place in events.items()
            }
            fields = {
                "address": make(name, at),
                **self._declared_fields(name),
                "messages": make(messages, at, events),
            }
            result[name] = make(fields, at)
            places[name] = at
        return make(result, root.place("channels"), places)

    def _declared_fields(self, name: str) -> dict[str, Node]:
        node = self._declared.get(name)
        if node is None or node.value is None:
            return {}
        found = self._reading.object(node, f"the channel `{name}`")
        if found is None:
            return {}
        self._reading.known(found, _CHANNEL, f"the channel `{name}`")
        fields = {
            key: found.value[key]
            for key in ("address", "description", "parameters")
            if key in found.value
        }
        extension = {key: found.value[key] for key in ("ordering", "retry") if key in found.value}
        if extension:
            places = {key: found.place(key) for key in extension}
            fields["x-eventgen"] = make(extension, found.span, places)
        return fields

    def _operation_nodes(self) -> Node:
        result: dict[str, Node] = {}
        places: dict[str, Span] = {}
        for (action, channel), events in self._operations.items():
            at = next(iter(events.values()))
            name = common.operation_name(sends=action is Action.SEND, channel=channel)
            while name in result:  # two channels whose names differ in signs only
                name += "_"
            messages = [
                _reference(("channels", channel, "messages", event), place)
                for event, place in events.items()
            ]
            result[name] = make(
                {
                    "action": make(action.value, at),
                    "channel": _reference(("channels", channel), at),
                    "messages": make(messages, at),
                },
                at,
            )
            places[name] = at
        return make(result, self._root.span, places)


def _reference(way: tuple[str, ...], at: Span) -> Node:
    pointer = "/".join(part.replace("~", "~0").replace("/", "~1") for part in way)
    target: Any = make("#/" + pointer.replace("%", "%25"), at)
    return make({"$ref": target}, at)
