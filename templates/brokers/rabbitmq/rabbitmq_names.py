"""What things are called on RabbitMQ: exchanges, routing keys, queues.

An event's routing key is its destination and a slot, the same for all events of its key:
`order.placed.7`. Each queue of a subscription is bound to some of the slots, so that a service may
have as many queues as it likes and publishers need not know. What others publish without a slot,
as `order.placed`, is taken into the first queue.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from .service import Channel, Service, Subscription

SLOTS = 16
KEY = "x-key"  # the header that holds a message's key: AMQP has no place for it
SLOT = "x-slot"  # says that the routing key ends in a slot
_PARAMETER = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one service. `queues` of an ordered subscription share its slots."""

    service: Service
    exchange: str
    queues: int

    def exchange_of(self, channel: Channel) -> str:
        """The exchange that a channel's events go through."""
        return str(channel.options.get("exchange") or self.exchange)

    def exchange_for(self, destination: str) -> str:
        """The exchange of a destination whose parameters are filled in."""
        for channel in self.service.channels:
            if channel.destination == destination or _means(channel.destination, destination):
                return self.exchange_of(channel)
        return self.exchange

    def queues_of(self, subscription: Subscription, group: str) -> list[str]:
        """The queues a subscription is delivered from; one is enough where there is no order."""
        many = self.queues if subscription.channel.ordering == "key" else 1
        return [f"{group}.{subscription.name}.{number}" for number in range(many)]


def unrouted(exchange: str) -> str:
    """The exchange, and its queue, for what no queue was bound to."""
    return f"{exchange}.unrouted"


def dead_letters(subscription: Subscription, group: str) -> str:
    """The queue for what the broker gave up on. The service parks its own dead letters itself."""
    return f"{group}.{subscription.name}.dead"


def routing_key(destination: str, key: str | None, turn: int) -> str:
    """Where to publish; `turn` spreads what has no key."""
    slot = turn % SLOTS if key is None else crc32(key.encode("utf-8", "replace")) % SLOTS
    return f"{destination}.{slot}"


def bindings(destination: str, number: int, of: int) -> Iterator[str]:
    """What the queue with this number, one of so many, is bound to."""
    words = ("*" if "{" in word else word for word in destination.split("."))
    pattern = ".".join(words)
    if number == 0:
        yield pattern
    for slot in range(number, SLOTS, of):
        yield f"{pattern}.{slot}"


def routing_keys(destination: str) -> str:
    """A pattern that means every routing key of a destination."""
    return "[^.]+".join(map(re.escape, _PARAMETER.split(destination))) + r"\.\d+"


def _means(destination: str, filled: str) -> bool:
    fixed = (re.escape(part) for part in _PARAMETER.split(destination))
    return re.fullmatch("[^.]+".join(fixed), filled) is not None
