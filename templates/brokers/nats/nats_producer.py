"""Publishing to NATS: many messages at once, and JetStream's word on each."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING

from nats.errors import BadHeaderError, BadSubjectError, MaxPayloadError
from nats.js.errors import APIError, NoStreamResponseError

from .nats_link import AWAY, Link
from .nats_names import subject, to_headers
from .transport import Outcome, Sent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from nats.js import JetStreamContext

    from .transport import Outgoing

SENT = Sent(Outcome.SENT)

# JetStream's numbers for its errors.
_TOO_LARGE = 10054
_FULL = 10077
_UNFIT = (MaxPayloadError, BadHeaderError, BadSubjectError)
_AROUND = 16  # bytes of each header besides its name and value, generously
_LINE = 4000  # bytes of a subject, with what the client writes around it


class NatsProducer:
    """One connection, made again whenever anything goes wrong with it."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Link]],
        *,
        service: str,
        seconds: float,
        most_bytes: int,
    ) -> None:
        """JetStream has so many `seconds` for its word on a message."""
        self._connect = connect
        self._service = service
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._turn = count()
        self._connecting = asyncio.Lock()
        self._link: Link | None = None

    async def publish(self, messages: Sequence[Outgoing]) -> list[Sent]:
        """Send messages together; the outcome of each, in the same order."""
        try:
            async with asyncio.timeout(self._seconds), self._connecting:
                link = await self._open()
        except AWAY as error:
            return [Sent(Outcome.TRANSIENT, _line(error))] * len(messages)
        streams = link.streams
        tasks = [asyncio.create_task(self._publish(link, streams, one)) for one in messages]
        watch = asyncio.create_task(_cancel_when(link.lost, tasks))
        try:
            answers = await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            watch.cancel()
        if any(isinstance(answer, TimeoutError | asyncio.CancelledError) for answer in answers):
            await self._drop(link)  # it may be half dead: begin again
        return [self._judge(*pair) for pair in zip(messages, answers, strict=True)]

    async def _publish(self, link: Link, streams: JetStreamContext, message: Outgoing) -> Sent:
        where = subject(message.destination, message.key, next(self._turn))
        headers = to_headers(message.headers, message.key)
        size = len(message.body) + sum(len(n) + len(v) + _AROUND for n, v in headers.items())
        if len(message.body) > self._most_bytes or size > link.client.max_payload:
            most = min(self._most_bytes, link.client.max_payload)
            reason = f"the message has {size} bytes with its headers, {most} are allowed"
            return Sent(Outcome.PERMANENT, reason)
        if len(where.encode()) > _LINE:
            return Sent(Outcome.PERMANENT, f"the subject has more than {_LINE} bytes")
        try:
            await streams.publish(where, message.body, timeout=self._seconds, headers=headers)
        except TimeoutError:
            if where not in link.denied:
                raise
            return Sent(Outcome.PERMANENT, f"this service may not publish to {where}")
        return SENT

    def _judge(self, message: Outgoing, answer: Sent | BaseException) -> Sent:
        """The outcome an answer stands for. What is no answer of the server is raised."""
        if isinstance(answer, Sent):
            return answer
        if isinstance(answer, _UNFIT) or _code(answer) == _TOO_LARGE:
            return Sent(Outcome.PERMANENT, _line(answer))
        return Sent(Outcome.TRANSIENT, self._explain(message, answer))

    def _explain(self, message: Outgoing, error: BaseException) -> str:
        if isinstance(error, asyncio.CancelledError):
            return "the connection was lost"
        if isinstance(error, TimeoutError):
            return "JetStream did not confirm it in time"
        if isinstance(error, NoStreamResponseError):
            return (
                f"no stream takes {message.destination}, or JetStream is not ready: "
                f"run `{self._service} provision`"
            )
        if _code(error) == _FULL:
            return f"the stream of {message.destination} is full: {_line(error)}"
        if isinstance(error, AWAY):
            return _line(error)
        raise error

    async def _open(self) -> Link:
        if self._link is None or self._link.lost.is_set():
            self._link = await self._connect()
        return self._link

    async def _drop(self, link: Link) -> None:
        if self._link is link:
            self._link = None
        await link.close()

    async def close(self) -> None:
        """Disconnect. What is under way fails, and is sent again by whoever sent it."""
        if self._link is not None:
            await self._drop(self._link)


async def _cancel_when(event: asyncio.Event, tasks: Sequence[asyncio.Task[Sent]]) -> None:
    """Nobody waits for answers of a connection that is lost; the client would."""
    await event.wait()
    for task in tasks:
        task.cancel()


def _code(error: BaseException | Sent) -> int | None:
    return error.err_code if isinstance(error, APIError) else None


def _line(error: BaseException) -> str:
    text = error.description if isinstance(error, APIError) else str(error)
    return (text or type(error).__name__).splitlines()[0]
