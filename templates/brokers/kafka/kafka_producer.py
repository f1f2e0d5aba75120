"""Publishing to Kafka: many messages at once, and the broker's word on each.

The client library is synchronous. `produce` only queues and is called on the event loop; one
thread waits for delivery reports and brings all that came in to the loop in one call.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from .transport import Outcome, Sent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .transport import Outgoing

_log = structlog.get_logger("eventgen.kafka")

_POLL_SECONDS = 0.1
_CLOSE_SECONDS = 5.0

SENT = Sent(Outcome.SENT)

# What the broker will say again, however often it is asked. Everything else may pass.
_PERMANENT = frozenset(
    {
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.INVALID_MSG_SIZE,
        KafkaError.RECORD_LIST_TOO_LARGE,
        KafkaError.INVALID_RECORD,
        KafkaError.INVALID_MSG,
        KafkaError.INVALID_TIMESTAMP,
        KafkaError.INVALID_REQUIRED_ACKS,
        KafkaError.POLICY_VIOLATION,
        KafkaError.TOPIC_EXCEPTION,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.UNSUPPORTED_FOR_MESSAGE_FORMAT,
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001 - so are the client's own codes called
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001
        KafkaError._INVALID_ARG,  # noqa: SLF001
    }
)

# The broker refuses whole batches for these, the innocent with the guilty.
_OF_THE_BATCH = frozenset(
    {
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.INVALID_MSG_SIZE,
        KafkaError.RECORD_LIST_TOO_LARGE,
        KafkaError.INVALID_RECORD,
        KafkaError.INVALID_MSG,
        KafkaError.INVALID_TIMESTAMP,
    }
)

_Report = tuple["_Wave", int, KafkaError | None]


class _Wave:
    """Messages sent together: the word on each, and a future for the last one."""

    __slots__ = ("done", "left", "refused", "sent")

    def __init__(self, size: int) -> None:
        self.sent: list[Sent] = [SENT] * size
        self.left = size
        self.refused: list[int] = []  # those that shared a batch the broker refused
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def settle(self, index: int, error: KafkaError | None) -> None:
        if error is not None:
            self.sent[index] = judge(error)
            if error.code() in _OF_THE_BATCH:
                self.refused.append(index)
        self.left -= 1
        if not self.left and not self.done.done():
            self.done.set_result(None)


def judge(error: KafkaError) -> Sent:
    """The outcome an error stands for."""
    lasting = error.code() in _PERMANENT
    reason = f"{error.name()}: {error.str()}"
    return Sent(Outcome.PERMANENT if lasting else Outcome.TRANSIENT, reason)


class KafkaProducer:
    """One idempotent producer, and the thread that listens to it."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = dict(config)
        self._patience = float(config["delivery.timeout.ms"]) / 1000
        self._producer: Producer | None = None
        self._reports: list[_Report] = []
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._broken = False

    def start(self) -> None:
        """Make the client; it connects by itself. KafkaException for an impossible config."""
        self._producer = Producer(self._config)
        self._broken = False
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._listen,
            args=(self._producer, self._stop, asyncio.get_running_loop()),
            name="kafka-producer",
            daemon=True,
        )
        self._thread.start()

    @property
    def client(self) -> Producer:
        """The client, for questions about the cluster."""
        if self._producer is None:
            raise RuntimeError("the transport has not been started")
        return self._producer

    async def publish(self, messages: Sequence[Outgoing]) -> list[Sent]:
        """Send messages together; the outcome of each, in the same order.

        The members of a batch the broker refused are sent again in halves, until the one it does
        not like stands alone: nobody is refused for its neighbour.
        """
        if self._broken:
            await self._rebuild()
        sent: list[Sent] = [SENT] * len(messages)
        parts = deque([list(range(len(messages)))])
        while parts:
            part = parts.popleft()
            if not part:
                continue
            wave = await self._send([messages[index] for index in part])
            for index, result in zip(part, wave.sent, strict=True):
                sent[index] = result
            if wave.refused and len(part) > 1:
                refused = [part[index] for index in sorted(wave.refused)]
                middle = (len(refused) + 1) // 2
                parts += (refused[:middle], refused[middle:])
        return sent

    async def _send(self, messages: Sequence[Outgoing]) -> _Wave:
        wave = _Wave(len(messages))
        for index, message in enumerate(messages):
            refusal = await self._queue(message, partial(self._report, wave, index))
            if refusal is not None:
                wave.sent[index] = refusal
                wave.settle(index, None)
        await wave.done
        return wave

    async def _queue(self, message: Outgoing, report: partial[None]) -> Sent | None:
        """Give a message to the client; the reason when it refuses it by itself."""
        deadline = monotonic() + self._patience
        while True:
            try:
                self._produce(message, report)
            except BufferError:
                if monotonic() > deadline:
                    return Sent(Outcome.TRANSIENT, "the client's queue is full")
                await asyncio.sleep(0.01)
            except KafkaException as refused:
                error = refused.args[0]
                self._broken |= error.fatal()
                return judge(error)
            except (TypeError, ValueError) as wrong:
                return Sent(Outcome.PERMANENT, f"not a Kafka message: {wrong}")
            else:
                return None

    def _produce(self, message: Outgoing, report: partial[None]) -> None:
        """The client encodes text itself, faster, but for what is not proper Unicode."""
        key: str | bytes | None = message.key
        headers: list[tuple[str, str | bytes | None]] = [*message.headers.items()]
        destination, produce = message.destination, self.client.produce
        try:
            produce(destination, message.body, key, headers=headers, on_delivery=report)
        except UnicodeEncodeError:
            key = None if message.key is None else message.key.encode(errors="replace")
            headers = [(k, v.encode(errors="replace")) for k, v in message.headers.items()]
            produce(destination, message.body, key, headers=headers, on_delivery=report)

    def _report(self, wave: _Wave, index: int, error: KafkaError | None, _: Message) -> None:
        self._reports.append((wave, index, error))  # on the listening thread, within poll

    def _listen(
        self, producer: Producer, stop: threading.Event, loop: asyncio.AbstractEventLoop
    ) -> None:
        while not stop.is_set():
            producer.poll(_POLL_SECONDS)
            if self._reports:
                reports, self._reports = self._reports, []
                try:
                    loop.call_soon_threadsafe(self._settle, reports)
                except RuntimeError:  # the loop is closed: nobody waits any more
                    return

    def _settle(self, reports: Sequence[_Report]) -> None:
        for wave, index, error in reports:
            if error is not None and error.fatal():
                self._broken = True
            wave.settle(index, error)

    async def _rebuild(self) -> None:
        """Start again with a new client: the old one has met an error it cannot recover from."""
        _log.warning("kafka.producer_rebuilt")
        old = (self._producer, self._thread, self._stop)
        self.start()
        await self._end(*old)

    async def close(self) -> None:
        """Wait a little for what is under way, give up the rest, end the thread."""
        old = (self._producer, self._thread, self._stop)
        self._producer = self._thread = None
        await self._end(*old)

    async def _end(
        self, producer: Producer | None, thread: threading.Thread | None, stop: threading.Event
    ) -> None:
        if producer is None or thread is None:
            return
        await _empty(producer, _CLOSE_SECONDS)
        producer.purge()
        await _empty(producer, 1.0)  # the reports of what was purged
        stop.set()
        await asyncio.to_thread(thread.join)


async def _empty(producer: Producer, seconds: float) -> None:
    """Wait until every message has its report, but not longer than this."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while len(producer) and loop.time() < deadline:  # noqa: ASYNC110 - a C library's counter
        await asyncio.sleep(0.01)
