"""Reading a stream from a place on, in its order, with nothing left out unnoticed.

The server has an ordered consumer for it, in its memory: what is delivered needs no word of ours,
and who reads on, and from where, is for the caller to know. The numbers that the server gives to
deliveries show when one is missing; then, as when the server has forgotten the consumer, the
reading is broken, and another one begins where it was.
"""

from __future__ import annotations

import json
from collections import deque
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, Header

from .dialect import clean
from .nats_link import AWAY, Link
from .nats_names import Destination, from_headers
from .transport import Incoming

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence
    from datetime import datetime

    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription

_EXPIRES = 10.0  # seconds that the server waits for messages to answer a request with
_LATE = 5.0  # more, and there will be no answer
_FORGOTTEN_AFTER = 300.0  # seconds without a request; handlers may take their time
_MOST_BYTES = 4 * 1024 * 1024  # of the answer to one request; one message fits in any case
_NANOSECONDS = 1_000_000_000
# What the server says when it has answered a request as far as it can, and all is well.
_ANSWERED = ("404", "408")
_ALSO_ANSWERED = ("batch completed", "message size exceeds maxbytes")


class Stream(NamedTuple):
    """A stream, and when it was made (milliseconds): made again, its sequence begins again."""

    name: str
    born: int


class Found(NamedTuple):
    """A message and its place in the stream; `left` more were waiting behind it."""

    sequence: int
    left: int
    raw: Msg


class Reading:
    """Messages of some subjects from a sequence number, or a time, on."""

    def __init__(self, link: Link, stream: Stream, batch: int, bell: asyncio.Event) -> None:
        """At most `batch` messages wait here to be taken; `bell` rings when there is one."""
        self.left = 0  # how many waited when it began
        self._broken = False
        self._link = link
        self._stream = stream.name
        self._name = f"eventgen-{uuid4().hex}"
        self._batch = batch
        self._bell = bell
        self._arrived: deque[Found] = deque()
        self._asked = 0  # messages that the server still may answer with
        self._answer_by = 0.0
        self._deliveries = 0
        self._inbox = link.client.new_inbox()
        self._requests = 0
        self._subscription: Subscription | None = None

    @property
    def broken(self) -> bool:
        """Whether nothing more will come."""
        return self._broken or self._link.lost.is_set()

    async def begin(self, subjects: Sequence[str], start: int | datetime) -> None:
        """Make the consumer on the server. Raises what AWAY has."""
        by_number = isinstance(start, int)
        config = ConsumerConfig(
            name=self._name,
            deliver_policy=(
                DeliverPolicy.BY_START_SEQUENCE if by_number else DeliverPolicy.BY_START_TIME
            ),
            opt_start_seq=max(1, start) if isinstance(start, int) else None,
            opt_start_time=None if isinstance(start, int) else start,
            ack_policy=AckPolicy.NONE,
            filter_subjects=list(subjects),
            inactive_threshold=_FORGOTTEN_AFTER,
            mem_storage=True,
            num_replicas=1,
        )
        self._subscription = await self._link.client.subscribe(f"{self._inbox}.*", cb=self._arrive)
        try:
            made = await self._link.streams.add_consumer(self._stream, config)
        except AWAY:
            await self.end()
            raise
        self.left = made.num_pending or 0

    async def ask(self) -> None:
        """Have messages sent, unless a request for some is under way."""
        if self._asked and monotonic() > self._answer_by:
            self._break()
        if self._asked or self._arrived or self.broken:
            return
        self._asked = self._batch
        self._answer_by = monotonic() + _EXPIRES + _LATE
        request = {
            "batch": self._batch,
            "expires": int(_EXPIRES * _NANOSECONDS),
            "max_bytes": max(_MOST_BYTES, 2 * self._link.client.max_payload),
        }
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{self._name}"
        self._requests += 1
        await self._link.client.publish(subject, json.dumps(request).encode(), self._reply)

    def take(self) -> list[Found]:
        """What has arrived."""
        taken = list(self._arrived)
        self._arrived.clear()
        return taken

    async def waiting(self) -> int:
        """How many messages the server has not sent yet. Raises what AWAY has."""
        info = await self._link.streams.consumer_info(self._stream, self._name)
        return (info.num_pending or 0) + len(self._arrived)

    async def end(self) -> None:
        """Let the server forget it, if it can be told."""
        if self._link.lost.is_set():
            return
        with suppress(*AWAY):
            if self._subscription is not None:
                await self._subscription.unsubscribe()
            await self._link.streams.delete_consumer(self._stream, self._name)

    @property
    def _reply(self) -> str:
        """Where the current request is answered."""
        return f"{self._inbox}.{self._requests}"

    async def _arrive(self, message: Msg) -> None:
        if self.broken:
            return
        status = (message.headers or {}).get(Header.STATUS)
        if status is not None and not message.reply:
            if message.subject == self._reply:  # the last word on an older one may come later
                self._be_told(status, (message.headers or {}).get(Header.DESCRIPTION, ""))
            return
        place = message.metadata
        self._deliveries += 1
        if place.sequence.consumer != self._deliveries:
            self._break()
            return
        self._asked -= 1
        self._arrived.append(Found(place.sequence.stream, place.num_pending, message))
        self._bell.set()

    def _be_told(self, status: str, description: str) -> None:
        """The server says why it sends no more."""
        if status in _ANSWERED or description.lower() in _ALSO_ANSWERED:
            self._asked = 0
            self._bell.set()
        else:
            self._break()

    def _break(self) -> None:
        self._broken = True
        self._bell.set()


def incoming(found: Found, stream: Stream, destination: Destination) -> Incoming | None:
    """The message, without a token; None when it is meant for others."""
    place = destination.read(found.raw.subject)
    if place is None:
        return None
    name, ours = place
    headers, key = from_headers(found.raw.headers or {}, ours=ours)
    return Incoming(
        destination=clean(name),
        key=key,
        headers=headers,
        body=found.raw.data,
        origin=clean(f"{found.raw.subject}/{stream.born}/{found.sequence}"),
    )
