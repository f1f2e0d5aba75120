"""Exchanges and queues: what a service needs, whether it is there, creating what is missing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aio_pika import ExchangeType
from aiormq.exceptions import AMQPError, ChannelAccessRefused, ChannelNotFoundEntity

from .findings import Finding, PartitionLag, nobody_consumes
from .rabbitmq_names import Names, bindings, dead_letters, routing_keys, unrouted
from .transport import Change

if TYPE_CHECKING:
    from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractQueue

    from .service import Channel, Service, Subscription

# What the client raises when the broker, or the connection to it, is not there. A connection that
# was closed a moment ago is a RuntimeError.
AWAY = (AMQPError, OSError, TimeoutError, RuntimeError, asyncio.InvalidStateError)
_CLOSE_SECONDS = 2.0

# The broker counts deliveries that ended with the consumer's connection, and gives a message up
# after so many. The service parks what fails by itself; this is for what kills it every time.
_DELIVERY_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class _Exchange:
    name: str
    type: ExchangeType
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return f"exchange {self.name} ({self.type.value})"

    def definitions(self, vhost: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """What a file of definitions has of it, and under which title."""
        made = {"type": self.type.value, "durable": True, "auto_delete": False, "internal": False}
        arguments = dict(self.arguments)
        yield "exchanges", {"name": self.name, "vhost": vhost, **made, "arguments": arguments}

    async def look(self, channel: AbstractChannel) -> None:
        """Raises ChannelNotFoundEntity, and the channel is closed, when it is not there."""
        await channel.get_exchange(self.name)

    async def make(self, channel: AbstractChannel) -> None:
        await channel.declare_exchange(
            self.name, self.type, durable=True, arguments=dict(self.arguments)
        )


@dataclass(frozen=True, slots=True)
class _Queue:
    name: str
    arguments: Mapping[str, Any]
    exchange: str = ""
    keys: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        single = ", single active consumer" if _SINGLE in self.arguments else ""
        return f"queue {self.name} (quorum{single})"

    def definitions(self, vhost: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """What a file of definitions has of it and its bindings, and under which titles."""
        made = {"durable": True, "auto_delete": False, "arguments": dict(self.arguments)}
        yield "queues", {"name": self.name, "vhost": vhost, **made}
        for key in self.keys:
            ends = {"source": self.exchange, "destination": self.name, "destination_type": "queue"}
            yield "bindings", {**ends, "vhost": vhost, "routing_key": key, "arguments": {}}

    async def look(self, channel: AbstractChannel) -> None:
        """Raises ChannelNotFoundEntity, and the channel is closed, when it is not there."""
        await channel.declare_queue(self.name, passive=True)

    async def make(self, channel: AbstractChannel) -> None:
        await channel.declare_queue(self.name, durable=True, arguments=dict(self.arguments))

    async def bind(self, channel: AbstractChannel) -> None:
        """Bind it, again where it is bound: nobody can ask for bindings."""
        queue = await channel.get_queue(self.name, ensure=False)
        for key in self.keys:
            await queue.bind(self.exchange, key)


_SINGLE = "x-single-active-consumer"
_QUORUM: Mapping[str, Any] = {"x-queue-type": "quorum"}


@dataclass(frozen=True, slots=True)
class Topology:
    """What a service has on the broker. `extra` are arguments of its queues besides ours."""

    names: Names
    group: str
    extra: Mapping[str, Any]

    def parts(self, channels: Sequence[Channel]) -> Iterator[_Exchange | _Queue]:
        """Everything these channels need, in the order to create it in."""
        for exchange in sorted({self.names.exchange_of(channel) for channel in channels}):
            other = unrouted(exchange)
            yield _Exchange(other, ExchangeType.FANOUT)
            yield _Queue(other, _QUORUM, other, ("",))
            yield _Exchange(exchange, ExchangeType.TOPIC, {"alternate-exchange": other})
        for subscription in self.names.service.subscriptions:
            if subscription.channel in channels:
                yield from self.queues(subscription)

    def queues(self, subscription: Subscription) -> Iterator[_Queue]:
        """The queues of one subscription, and the one for what the broker gives up on."""
        dead = dead_letters(subscription, self.group)
        yield _Queue(dead, _QUORUM)
        arguments: dict[str, Any] = {
            **_QUORUM,
            "x-delivery-limit": _DELIVERY_LIMIT,
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": dead,
            "x-dead-letter-strategy": "at-least-once",
            **self.extra,
            "x-overflow": "reject-publish",  # a full queue refuses; it never drops what it has
        }
        channel = subscription.channel
        if channel.ordering == "key":
            arguments[_SINGLE] = True
        names = self.names.queues_of(subscription, self.group)
        for number, name in enumerate(names):
            keys = tuple(bindings(channel.destination, number, len(names)))
            yield _Queue(name, arguments, self.names.exchange_of(channel), keys)

    def definitions(self, user: str, vhost: str) -> dict[str, list[dict[str, Any]]]:
        """What `rabbitmqctl import_definitions` reads: all parts, and what `user` may do.

        That is to publish its own events and to take from its own queues; nothing is created,
        changed or deleted. The user must be there.
        """
        service = self.names.service
        titles = ("exchanges", "queues", "bindings", "permissions", "topic_permissions")
        found: dict[str, list[dict[str, Any]]] = {title: [] for title in titles}
        for part in self.parts(service.channels):
            for title, definition in part.definitions(vhost):
                found[title].append(definition)
        keys: dict[str, set[str]] = {}
        for publication in service.publications:
            exchange = self.names.exchange_of(publication.channel)
            keys.setdefault(exchange, set()).add(routing_keys(publication.channel.destination))
        queues = {
            queue.name
            for subscription in service.subscriptions
            for queue in self.queues(subscription)
        }
        who = {"user": user, "vhost": vhost}
        may = {"configure": "^$", "write": _any_of(keys), "read": _any_of(queues)}
        found["permissions"].append({**who, **may})
        for exchange, patterns in sorted(keys.items()):
            write = f"^({'|'.join(sorted(patterns))})$"
            entry = {**who, "exchange": exchange, "write": write, "read": "^$"}
            found["topic_permissions"].append(entry)
        return found

    async def provision(
        self, connection: AbstractConnection, channels: Sequence[Channel], *, dry_run: bool
    ) -> list[Change]:
        """Create what is missing. What exists stays as it is, but for bindings it lacks."""
        changes = []
        for part in self.parts(channels):
            there = await _is_there(connection, part.look)
            if not there:
                changes.append(Change(f"create {part.title}", done=not dry_run))
            if dry_run:
                continue
            async with connection.channel() as channel:
                if not there:
                    await part.make(channel)
                if isinstance(part, _Queue):
                    await part.bind(channel)
        return changes

    async def missing(self, connection: AbstractConnection, subscription: Subscription) -> str:
        """The first queue of a subscription that is not there; empty when all are."""
        for queue in self.queues(subscription):
            if not await _is_there(connection, queue.look):
                return queue.name
        return ""

    async def open(
        self, channel: AbstractChannel, subscription: Subscription
    ) -> list[AbstractQueue]:
        """The queues to consume. ChannelNotFoundEntity when one is gone."""
        names = self.names.queues_of(subscription, self.group)
        return [await channel.declare_queue(name, passive=True) for name in names]

    async def lags(
        self, connection: AbstractConnection, subscription: Subscription
    ) -> list[PartitionLag]:
        """What waits in each queue. What a consumer holds is not in it; queues have no offsets."""
        found = []
        async with connection.channel() as channel:
            for number, name in enumerate(self.names.queues_of(subscription, self.group)):
                ready = await count_ready(channel, name)
                found.append(PartitionLag(name, number, 0, ready, ready))
        return found

    async def examine(self, connection: AbstractConnection, service: Service) -> list[Finding]:
        """What does not fit the promises."""
        findings = []
        async with connection.channel() as channel:
            for subscription in service.subscriptions:
                queues = await self.open(channel, subscription)
                if not all(queue.declaration_result.consumer_count for queue in queues):
                    findings.append(nobody_consumes(service, subscription.name))
                name = dead_letters(subscription, self.group)
                if ready := await count_ready(channel, name):
                    findings.append(
                        Finding(
                            f"queue {name} holds {ready} events that ended their consumer "
                            f"{_DELIVERY_LIMIT} times",
                            "find out why, then move them back (rabbitmq_shovel)",
                        )
                    )
            for exchange in sorted({self.names.exchange_of(one) for one in service.channels}):
                name = unrouted(exchange)
                if await _can_be_seen(connection, _Queue(name, {})) and (
                    ready := await count_ready(channel, name)
                ):
                    findings.append(
                        Finding(
                            f"queue {name} holds {ready} events that no queue was bound for",
                            "provision the services that subscribe to them, then move them back",
                        )
                    )
        return findings


def _any_of(names: Collection[str]) -> str:
    """A pattern that means these names alone."""
    return f"^({'|'.join(re.escape(name) for name in sorted(names))})$" if names else "^$"


async def count_ready(channel: AbstractChannel, queue: str) -> int:
    """How many messages of a queue wait for being delivered."""
    found = await channel.declare_queue(queue, passive=True)
    return found.declaration_result.message_count or 0


async def hang_up(connection: AbstractConnection) -> None:
    """Close a connection, whatever state it is in."""
    with suppress(*AWAY):
        await asyncio.wait_for(connection.close(), _CLOSE_SECONDS)


async def _can_be_seen(connection: AbstractConnection, queue: _Queue) -> bool:
    """Whether there is such a queue, and it is for us to ask about it."""
    try:
        return await _is_there(connection, queue.look)
    except ChannelAccessRefused:
        return False


async def _is_there(
    connection: AbstractConnection, look: Callable[[AbstractChannel], Awaitable[None]]
) -> bool:
    try:
        async with connection.channel() as channel:
            await look(channel)
    except ChannelNotFoundEntity:
        return False
    return True
