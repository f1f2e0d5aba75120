"""The broker-neutral, immutable description of one service, whatever it was written in.

Everything downstream of `spec` reads these types and cannot tell which dialect or version of a
dialect the author used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, NoReturn

from eventgen.diagnostics import Span


@dataclass(frozen=True, slots=True)
class Text:
    """Words from the spec. They never print themselves: only a quoting filter may open them."""

    value: str

    def __str__(self) -> NoReturn:
        raise TypeError(
            f"spec text {self.value!r} reached output unquoted; "
            "use |py_str, |py_doc, |py_comment, |yaml_str or |md"
        )

    def __format__(self, spec: str) -> NoReturn:
        str(self)
        raise AssertionError

    def __bool__(self) -> bool:
        return bool(self.value)


@dataclass(frozen=True, slots=True)
class Name:
    """One thing's name in each of the spellings generated code needs, all valid and unreserved.

    `raw` is what the author wrote; the others are derived once, by `model.names`, and are unique
    among the things of one kind in a service.
    """

    raw: Text
    snake: str  # order_placed: modules, functions, variables
    pascal: str  # OrderPlaced: classes
    kebab: str  # order-placed: files, topics, commands
    const: str  # ORDER_PLACED: constants


class Action(Enum):
    """What the application does, in its own view: it sends, or it receives."""

    SEND = "send"
    RECEIVE = "receive"


class Ordering(Enum):
    """What a channel promises about order."""

    KEY = "key"  # events of one key are handled in the order they were committed
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A `{name}` in a channel address.

    `path` is where an event carries the value, as property names from the root of the payload;
    empty when the document does not say.
    """

    name: str
    description: Text
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Retry:
    """How often, and how far apart, a failing event is tried. Delays in seconds."""

    attempts: int = 10
    initial: float = 1.0
    factor: float = 4.0
    maximum: float = 3600.0


@dataclass(frozen=True, slots=True)
class Channel:
    """A place events go through. `address` may hold `{parameters}`."""

    name: Name
    address: Text
    description: Text
    parameters: tuple[Parameter, ...]
    ordering: Ordering
    retry: Retry
    bindings: Mapping[str, Any]  # protocol -> the author's binding object, as plain data
    span: Span


@dataclass(frozen=True, slots=True)
class Message:
    """One kind of event. `type` is the CloudEvents type on the wire."""

    name: Name
    type: Text
    title: Text
    description: Text
    version: Text  # semantic version of the event; "1.0.0" when the document does not say
    key: tuple[str, ...]  # property names from the root of the payload to the partition key
    schema: str  # name of the payload schema in Service.schemas
    content_type: Text
    headers: Any  # JSON Schema of the application headers, or None
    examples: tuple[Any, ...]  # example payloads given by the document, as plain data
    bindings: Mapping[str, Any]
    span: Span


@dataclass(frozen=True, slots=True)
class Operation:
    """The application sends or receives certain messages on one channel."""

    name: Name
    action: Action
    channel: Name
    messages: tuple[Name, ...]
    description: Text
    bindings: Mapping[str, Any]
    span: Span


@dataclass(frozen=True, slots=True)
class Server:
    """Where the document says the channels live. For people: addresses come from settings."""

    name: Name
    host: Text
    protocol: Text
    description: Text


@dataclass(frozen=True, slots=True)
class Schema:
    """One JSON Schema (2020-12, as plain data) whose references are all `#/$defs/<name>`.

    `name` is the Python class it becomes, unique in the service.
    """

    name: str
    document: Any
    span: Span


@dataclass(frozen=True, slots=True)
class Service:
    """Everything a generation needs to know about one service, sorted by name throughout."""

    name: Name
    title: Text
    version: Text
    description: Text
    servers: tuple[Server, ...]
    channels: tuple[Channel, ...]
    messages: tuple[Message, ...]
    operations: tuple[Operation, ...]
    schemas: tuple[Schema, ...]
    span: Span

    def channel(self, name: Name) -> Channel:
        """The channel an operation refers to."""
        return next(channel for channel in self.channels if channel.name == name)

    def message(self, name: Name) -> Message:
        """The message an operation refers to."""
        return next(message for message in self.messages if message.name == name)

    def sent(self) -> tuple[tuple[Channel, Message], ...]:
        """Each (channel, message) the service publishes."""
        return self._of(Action.SEND)

    def received(self) -> tuple[tuple[Channel, Message], ...]:
        """Each (channel, message) the service handles."""
        return self._of(Action.RECEIVE)

    def _of(self, action: Action) -> tuple[tuple[Channel, Message], ...]:
        pairs = {
            (operation.channel.snake, message.snake): (operation.channel, message)
            for operation in self.operations
            if operation.action is action
            for message in operation.messages
        }
        return tuple(
            (self.channel(channel), self.message(message))
            for _, (channel, message) in sorted(pairs.items())
        )
