"""What things are called on Amazon SNS and SQS: topics, queues, message groups.

A channel is a topic, `order-placed.fifo`; a channel whose address has parameters is one topic for
all their values. A subscription of a service is a queue, `orders_payments.fifo`, whose name begins
with the service's. Where a channel has no order, neither ends in `.fifo`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .service import Channel, Service, Subscription

_LONGEST_TOPIC = 256
_LONGEST_QUEUE = 80
_LONGEST_ID = 128  # of a message group, and of what messages are told apart by
_FIFO = ".fifo"
_PARAMETER = re.compile(r"\{[^{}]*\}")
_ILLEGAL = re.compile(r"[^A-Za-z0-9_-]+")
_ID = re.compile(r"[!-~]{1,128}")
_DIGEST = 16  # hexadecimal digits that tell names apart which were too long


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one service."""

    service: Service

    def channel_of(self, destination: str) -> Channel | None:
        """The channel of a destination whose parameters are filled in."""
        channels = self.service.channels
        same = (channel for channel in channels if channel.destination == destination)
        meant = (channel for channel in channels if _means(channel.destination, destination))
        return next(same, None) or next(meant, None)


def is_ordered(channel: Channel) -> bool:
    """Whether the channel's topic and queues are FIFO."""
    return channel.ordering == "key"


def topic_name(channel: Channel) -> str:
    """The topic of a channel."""
    given = channel.options.get("topic")
    name = given or _PARAMETER.sub("any", channel.destination)
    return _fit(str(name), _LONGEST_TOPIC, is_ordered(channel))


def queue_name(subscription: Subscription, group: str) -> str:
    """The queue of a subscription."""
    name = f"{group}_{subscription.name}"
    return _fit(name, _LONGEST_QUEUE, is_ordered(subscription.channel))


def dead_letters(subscription: Subscription, group: str) -> str:
    """The queue for what SQS or SNS gave up on. The service parks its own dead letters itself."""
    name = f"{group}_{subscription.name}_dead"
    return _fit(name, _LONGEST_QUEUE, is_ordered(subscription.channel))


def fit_id(text: str) -> str:
    """Itself where it can be a message group or a deduplication id, else what stands for it."""
    return text if _ID.fullmatch(text) else sha256(text.encode("utf-8", "replace")).hexdigest()


def _fit(name: str, longest: int, fifo: bool) -> str:
    end = _FIFO if fifo else ""
    legal = _ILLEGAL.sub("-", name.removesuffix(_FIFO)).strip("-") or "events"
    room = longest - len(end)
    if len(legal) > room:
        digest = sha256(name.encode("utf-8", "replace")).hexdigest()[:_DIGEST]
        legal = f"{legal[: room - _DIGEST - 1]}-{digest}"
    return legal + end


def _means(destination: str, filled: str) -> bool:
    fixed = (re.escape(part) for part in _PARAMETER.split(destination))
    return re.fullmatch("[A-Za-z0-9_-]+".join(fixed), filled) is not None
