"""Publishing to RabbitMQ: many messages at once, and the broker's word on each."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING

import structlog
from aio_pika import DeliveryMode, Message
from aiormq.exceptions import (
    ChannelAccessRefused,
    ChannelNotFoundEntity,
    DeliveryError,
    PublishError,
)

from .dialect import clean
from .rabbitmq_names import KEY, SLOT, Names, routing_key
from .rabbitmq_topology import AWAY, hang_up
from .transport import Outcome, Sent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange

    from .transport import Outgoing

_log = structlog.get_logger("eventgen.rabbitmq")

_HEADER_BYTES = 100_000  # of all headers; they have to fit into one frame
_LONGEST_ROUTING_KEY = 255

SENT = Sent(Outcome.SENT)

# What an error says of the message, the first that fits.
_ANSWERS: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], Outcome, str], ...] = (
    (PublishError, Outcome.TRANSIENT, "no queue takes it: nobody has subscribed"),
    (DeliveryError, Outcome.TRANSIENT, "the broker did not take it: a queue is full"),
    (ChannelAccessRefused, Outcome.PERMANENT, ""),
    (TimeoutError, Outcome.TRANSIENT, "the broker did not confirm it in time"),
    # The client cancels what waits on a connection that is lost.
    (asyncio.CancelledError, Outcome.TRANSIENT, "the connection was lost"),
    (AWAY, Outcome.TRANSIENT, ""),
)


class RabbitProducer:
    """One channel with publisher confirms, made again whenever anything goes wrong with it."""

    def __init__(
        self,
        names: Names,
        connect: Callable[[], Awaitable[AbstractConnection]],
        *,
        seconds: float,
        most_bytes: int,
    ) -> None:
        """The broker has so many `seconds` for its word on a message."""
        self._names = names
        self._connect = connect
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._turn = count()
        self._connecting = asyncio.Lock()
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._exchanges: dict[str, AbstractExchange] = {}

    async def publish(self, messages: Sequence[Outgoing]) -> list[Sent]:
        """Send messages together; the outcome of each, in the same order.

        A refusal closes the channel for all of them: then each is sent again by itself.
        """
        sent, refused = await self._send(messages)
        if refused and len(messages) > 1:
            sent = [(await self._send([message]))[0][0] for message in messages]
        return sent

    async def _send(self, messages: Sequence[Outgoing]) -> tuple[list[Sent], bool]:
        try:
            async with asyncio.timeout(self._seconds), self._connecting:
                await self._open()
        except AWAY as error:
            await self.close()
            return [_judge(error)] * len(messages), False
        answers = await asyncio.gather(
            *[self._publish(message) for message in messages], return_exceptions=True
        )
        sent = [_judge(answer) for answer in answers]
        if any(_is_broken(answer) for answer in answers):
            await self.close()  # it may be half dead: begin again
        return sent, any(isinstance(answer, ChannelAccessRefused) for answer in answers)

    async def _publish(self, message: Outgoing) -> Sent:
        key = routing_key(message.destination, message.key, next(self._turn))
        headers = {name: clean(value) for name, value in message.headers.items()}
        if message.key is not None:
            headers[KEY] = clean(message.key)
        if (reason := self._unfit(key, headers, message.body)) is not None:
            return Sent(Outcome.PERMANENT, reason)
        exchange_name = self._names.exchange_for(message.destination)
        async with asyncio.timeout(self._seconds):
            try:
                exchange = await self._exchange(exchange_name)
            except ChannelNotFoundEntity:
                return Sent(Outcome.PERMANENT, f"there is no exchange {exchange_name}")
            made = Message(
                message.body,
                headers={**headers, SLOT: True},
                delivery_mode=DeliveryMode.PERSISTENT,
                message_id=headers.get("ce_id"),
                type=headers.get("ce_type"),
                content_type=headers.get("content-type"),
                app_id=self._names.service.name,
            )
            # Mandatory: what no queue takes comes back, and is not counted as sent.
            await exchange.publish(made, routing_key=key, mandatory=True)
        return SENT

    def _unfit(self, key: str, headers: dict[str, str], body: bytes) -> str | None:
        """Why the broker would close the connection instead of taking this."""
        if len(body) > self._most_bytes:
            return f"the message has {len(body)} bytes, {self._most_bytes} are allowed"
        if len(key.encode()) > _LONGEST_ROUTING_KEY:
            return f"the routing key has more than {_LONGEST_ROUTING_KEY} bytes: {key}"
        if any(len(name.encode()) > _LONGEST_ROUTING_KEY for name in headers):
            return f"a header's name has more than {_LONGEST_ROUTING_KEY} bytes"
        size = sum(len(name) + len(value.encode()) for name, value in headers.items())
        if size > _HEADER_BYTES:
            return f"the headers have {size} bytes, {_HEADER_BYTES} are allowed"
        return None

    async def _exchange(self, name: str) -> AbstractExchange:
        async with self._connecting:
            channel = await self._open()
            if name not in self._exchanges:
                await self._look_for(name)
                self._exchanges[name] = await channel.get_exchange(name, ensure=False)
            return self._exchanges[name]

    async def _look_for(self, name: str) -> None:
        """Ask on a channel of its own: a broker that has no such exchange closes that one."""
        if self._connection is not None:
            async with self._connection.channel() as asking:
                await asking.get_exchange(name)

    async def _open(self) -> AbstractChannel:
        if self._channel is not None and not self._channel.is_closed:
            return self._channel
        self._exchanges = {}
        if self._connection is None or self._connection.is_closed:
            self._connection = await self._connect()
        self._channel = await self._connection.channel(
            publisher_confirms=True, on_return_raises=True
        )
        return self._channel

    async def close(self) -> None:
        """Disconnect. What is under way fails, and is sent again by whoever sent it."""
        connection, self._connection, self._channel = self._connection, None, None
        self._exchanges = {}
        if connection is not None:
            await hang_up(connection)


def _is_broken(answer: Sent | BaseException) -> bool:
    """Whether this says more of the connection than of the message."""
    return not isinstance(answer, Sent | DeliveryError)


def _judge(answer: Sent | BaseException) -> Sent:
    """The outcome an answer stands for. What is no answer of a broker is raised."""
    if isinstance(answer, Sent):
        return answer
    for kind, outcome, reason in _ANSWERS:
        if isinstance(answer, kind):
            return Sent(outcome, reason or str(answer) or type(answer).__name__)
    raise answer
