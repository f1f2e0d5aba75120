"""The seam between the runtime and a broker: what every transport does, and the values it trades.

A transport moves bytes. It knows nothing of handlers, inboxes, retries or schemas.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .findings import Finding, PartitionLag
    from .service import Channel, Service, Subscription


class Outcome(Enum):
    """What became of one message given to `Transport.publish`."""

    SENT = "sent"  # the broker has it, as durably as it is configured to
    TRANSIENT = "transient"  # not now: connection, timeout, throttling; try again
    PERMANENT = "permanent"  # never: too large, no such destination, denied


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message for the broker. `key` decides the partition; None lets the broker choose."""

    destination: str
    key: str | None
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Sent:
    """The outcome of one message, with the reason when it was not sent."""

    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message from the broker.

    `origin` says where it came from, for people (`orders/3/17`: topic, partition, offset).
    `stale` is true once the broker has given the message to somebody else: handling it is no
    longer this process's business. `token` is the transport's own, for `ack`.
    """

    destination: str
    key: str | None
    headers: Mapping[str, str]
    body: bytes
    origin: str
    token: Any = None
    stale: Callable[[], bool] = field(default=lambda: False)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing `provision` would do, or has done: `create topic orders (8 partitions)`."""

    action: str
    done: bool


# Called in broker order, on the event loop. It may wait: a transport must stop fetching while it
# does, and must keep its session with the broker alive meanwhile.
Deliver = Callable[[Sequence[Incoming]], Awaitable[None]]


class Consumer(Protocol):
    """A running subscription."""

    def ack(self, messages: Sequence[Incoming]) -> None:
        """These are done and need not come again. Never blocks; may take effect later.

        Messages of one partition may be acknowledged in any order; the transport only tells the
        broker what is done without a gap.
        """

    async def pause(self) -> None:
        """Stop taking messages, but stay a member of the group: the first step of a drain."""

    async def close(self) -> None:
        """Tell the broker what is done, leave the group, free everything."""

    async def lag(self) -> int | None:
        """How many messages wait behind what was acknowledged in the partitions that are ours.

        None when that cannot be said.
        """


class Source(Protocol):
    """Where the messages of a subscription come from."""

    async def consume(self, subscription: Subscription, group: str, deliver: Deliver) -> Consumer:
        """Start delivering a subscription's messages, from the earliest one not acknowledged."""


class Transport(Source, Protocol):
    """One broker connection of one process."""

    async def start(self) -> None:
        """Connect. Raises ConfigurationError when the settings cannot be right."""

    async def publish(self, messages: Sequence[Outgoing]) -> Sequence[Sent]:
        """Send the messages at once and wait for the broker's word on each; never raises for one.

        The caller never has two messages of one key in the same call (the wave rule).
        """

    def history(self, channel: Channel, start: datetime | int) -> AsyncIterator[Sequence[Incoming]]:
        """The messages of a channel from a time or an offset up to now, those of a key in order.

        No group takes note of it, so what is handled of them is for the caller to know. An offset
        counts in every partition. Raises ConnectionError when the broker does not answer.
        """

    async def provision(self, channels: Sequence[Channel], *, dry_run: bool) -> Sequence[Change]:
        """Create what is missing on the broker; never changes or deletes what is there."""

    def export(self, service: Service, user: str) -> str:
        """What `provision` creates, and all that `user` has to be allowed, as the broker reads it.

        For those who set brokers up by other means. Nobody is asked, so that the transport need not
        have been started; empty when there is nothing to set up.
        """

    async def lags(self, subscription: Subscription, group: str) -> Sequence[PartitionLag]:
        """How far the group has come, by partition, without being a member of it."""

    async def examine(self, service: Service, inbox_seconds: float) -> Sequence[Finding]:
        """What on the broker does not fit the promises; the inbox remembers for so many seconds.

        Everything was provisioned, and the transport need not have been started.
        """

    async def healthy(self) -> bool:
        """Whether the broker answers."""

    async def close(self) -> None:
        """Flush, disconnect, free everything."""
