"""Consuming from RabbitMQ: all queues of a subscription on one channel, made again when it fails.

With single active consumer the broker gives each queue to one process at a time; what that process
has not acknowledged when it dies goes to the next one, in its old order.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import structlog

from .dialect import clean
from .rabbitmq_acks import Acks
from .rabbitmq_names import KEY, SLOT
from .rabbitmq_topology import count_ready, hang_up
from .transport import Deliver, Incoming

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractQueue
    from aiormq.abc import DeliveredMessage

_log = structlog.get_logger("eventgen.rabbitmq")

FETCH = 500  # messages handed over at once
_DELAYS = (0.1, 5.0)  # seconds between attempts to connect, the first and the longest
_CHECK_SECONDS = 1.0
_PREFIXES = ("cloudEvents:", "cloudEvents_")  # of the AMQP binding of CloudEvents, by others


@dataclass(eq=False, slots=True)
class _Term:
    """The time of a channel. What was delivered in a term that is over is somebody else's.

    `channel` is for questions, as a question may end it; `acks` are those of the one that delivers.
    """

    channel: AbstractChannel
    queues: Sequence[AbstractQueue]
    acks: Acks
    arrived: asyncio.Queue[DeliveredMessage] = field(default_factory=asyncio.Queue)
    over: asyncio.Event = field(default_factory=asyncio.Event)


class RabbitConsumer:
    """A subscription of one group, until it is closed."""

    def __init__(
        self,
        open_queues: Callable[[AbstractChannel], Awaitable[Sequence[AbstractQueue]]],
        connect: Callable[[], Awaitable[AbstractConnection]],
        deliver: Deliver,
        *,
        destination: str,
        prefetch: int,
    ) -> None:
        """Of each queue, `prefetch` messages may be here and not acknowledged."""
        self._open_queues = open_queues
        self._connect = connect
        self._deliver = deliver
        self._destination = None if "{" in destination else destination
        self._prefetch = prefetch
        self._term: _Term | None = None
        self._paused = False
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, in the background."""
        self._running = asyncio.create_task(self._run(), name="rabbitmq-consume")

    def ack(self, messages: Sequence[Incoming]) -> None:
        """These are done; of an older term, the broker has given them to somebody else."""
        for message in messages:
            term: _Term
            term, tag = message.token
            if term is self._term:
                term.acks.done(tag)

    async def pause(self) -> None:
        """Hand over no more. The queues stay ours: what is under way must not be overtaken."""
        self._paused = True

    async def close(self) -> None:
        """Tell the broker what is done, give back the rest."""
        if self._term is not None:
            with suppress(Exception):  # what is not said here is delivered again, and known
                await asyncio.wait_for(self._term.acks.finish(), 2.0)
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def lag(self) -> int | None:
        """How many messages wait in the queues, or here; None while there is no connection."""
        term = self._term
        if term is None:
            return None
        try:
            waiting = [await count_ready(term.channel, queue.name) for queue in term.queues]
        except Exception:  # noqa: BLE001  - the connection is being lost
            return None
        return sum(waiting) + term.acks.held

    async def _run(self) -> None:
        delay, longest = _DELAYS
        while True:
            try:
                connection = await self._connect()
                delay = _DELAYS[0]
                try:
                    await self._serve(connection)
                finally:
                    self._end()
                    await hang_up(connection)
            except Exception as error:  # noqa: BLE001  - whatever it was, it is tried again
                _log.warning("rabbitmq.consumer_lost", error=str(error) or repr(error))
            await asyncio.sleep(delay * random.uniform(0.5, 1.5))  # noqa: S311  - not a secret
            delay = min(delay * 2, longest)

    def _end(self) -> None:
        term, self._term = self._term, None
        if term is not None:
            term.over.set()

    async def _serve(self, connection: AbstractConnection) -> None:
        """Consume on one channel until it, or a queue of it, is lost."""
        channel = await connection.channel(publisher_confirms=False)
        queues = await self._open_queues(channel)
        intake = await _open_intake(connection)
        await intake.basic_qos(prefetch_count=self._prefetch)
        self._term = term = _Term(channel, queues, Acks(intake, self._prefetch))
        channel.close_callbacks.add(lambda *_: term.over.set())
        intake.closing.add_done_callback(lambda _: term.over.set())

        async def arrive(message: DeliveredMessage) -> None:
            term.acks.arrived(message.delivery_tag or 0)
            term.arrived.put_nowait(message)

        for queue in queues:
            await intake.basic_consume(queue.name, arrive)
        watch = _watch(intake, len(queues))
        parts = [self._hand_over(term), term.acks.run(), watch, term.over.wait()]
        tasks = [asyncio.ensure_future(part) for part in parts]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _hand_over(self, term: _Term) -> None:
        while True:
            messages = [await term.arrived.get()]
            while len(messages) < FETCH and not term.arrived.empty():
                messages.append(term.arrived.get_nowait())
            if self._paused:
                continue  # they are given back at the end
            await self._deliver([self._incoming(term, message) for message in messages])

    def _incoming(self, term: _Term, message: DeliveredMessage) -> Incoming:
        properties = message.header.properties
        headers = _headers(properties.headers or {})
        ours = headers.pop(SLOT, None) is not None
        key = headers.pop(KEY, None)
        if properties.content_type and "content-type" not in headers:
            headers["content-type"] = clean(properties.content_type)
        routed = message.routing_key or ""
        # A message of others that has no id cannot be told from another one like it.
        id_ = properties.message_id or uuid4().hex
        return Incoming(
            destination=self._destination or (routed.rpartition(".")[0] if ours else routed),
            key=key,
            headers=headers,
            body=message.body,
            origin=clean(f"{routed}/{id_}"),
            token=(term, message.delivery_tag),
            stale=lambda: term is not self._term or term.over.is_set(),
        )


def _headers(headers: Mapping[str, object]) -> dict[str, str]:
    """As text that every database can store; CloudEvents attributes by the names we have."""
    read = {}
    for name, value in headers.items():
        prefix = next((one for one in _PREFIXES if name.startswith(one)), "")
        text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        read[clean(f"ce_{name[len(prefix) :]}" if prefix else name)] = clean(text)
    return read


async def _open_intake(connection: AbstractConnection) -> Any:
    """A channel of aiormq's, which aio-pika is made of, to read without its bounds.

    Ten frames are three messages: with so few at a time, a busy process reads no faster than it
    handles, has batches of a few events, and is the busier for it. The prefetch is bound enough.
    """
    assert connection.transport is not None
    return await connection.transport.connection.channel(
        publisher_confirms=False, frame_buffer_size=0
    )


async def _watch(channel: Any, queues: int) -> None:
    """End with an error when the broker has ended a consumption, as when its queue is deleted."""
    while True:
        await asyncio.sleep(_CHECK_SECONDS)
        if len(channel.consumers) < queues:
            raise ConnectionError("the broker has ended the consumption of a queue")
