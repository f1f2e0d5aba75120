"""Publishing to Kafka: many messages at once, and the broker's word on each.

The client library is synchronous. `produce` only queues and is called on the event loop; one
thread has the client send what is queued, hears the reports, and tells the loop of the last one.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from .transport import Outcome, Sent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .transport import Outgoing

_log = structlog.get_logger("eventgen.kafka")

_POLL_SECONDS = 0.1
_CLOSE_SECONDS = 5.0
_NOT_QUEUED = (BufferError, KafkaException, TypeError, ValueError)

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


class _Wave:
    """Messages sent together: the word on each, and a future for the last one.

    Once a message is queued only the listening thread writes its part. Each of the two threads
    writes its own count before it reads the other's, so that one of them sees the end.
    """

    __slots__ = ("done", "fatal", "heard", "loop", "queued", "refused", "sent")

    def __init__(self, size: int) -> None:
        self.loop = asyncio.get_running_loop()
        self.done: asyncio.Future[None] = self.loop.create_future()
        self.sent: list[Sent] = [SENT] * size
        self.queued: int | None = None  # how many words to wait for, when that is known
        self.heard = 0
        self.refused: list[int] = []  # those that shared a batch the broker refused
        self.fatal = False

    def hear(self, index: int, error: KafkaError | None, _: Message) -> None:
        """The broker's word on one; on the listening thread, within poll."""
        if error is not None:
            self.sent[index] = judge(error)
            self.fatal |= error.fatal()
            if error.code() in _OF_THE_BATCH:
                self.refused.append(index)
        self.heard += 1
        if self.heard == self.queued:
            self.loop.call_soon_threadsafe(self.end)

    def end(self) -> None:
        """The last word is heard; it may be said twice, or when nobody waits any more."""
        if not self.done.done():
            self.done.set_result(None)


def judge(error: KafkaError) -> Sent:
    """The outcome an error stands for."""
    lasting = error.code() in _PERMANENT
    reason = f"{error.name()}: {error.str()}"
    return Sent(Outcome.PERMANENT if lasting else Outcome.TRANSIENT, reason)


class _Client:
    """The client and the thread that has it send, and listens to it.

    `broken` after an error that it does not survive.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        self.producer: Producer = Producer(config)
        self.broken = False
        self._queued = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="kafka-producer", daemon=True)
        self._thread.start()

    def send(self) -> None:
        """What is queued leaves now; without this, when the client has waited for more."""
        self._queued.set()

    def _run(self) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            while not self._stopped:
                if self._queued.wait(_POLL_SECONDS):
                    self._queued.clear()
                    while len(self.producer) and not self._stopped:
                        self.producer.flush(_POLL_SECONDS)
                else:
                    self.producer.poll(0)  # for what it says of its connections

    async def close(self) -> None:
        """Wait a little for what is under way, give up the rest, end the thread."""
        await self._empty(_CLOSE_SECONDS)
        self.producer.purge()
        await self._empty(1.0)  # the reports of what was purged
        self._stopped = True
        await asyncio.to_thread(self._thread.join)

    async def _empty(self, seconds: float) -> None:
        """Wait until every message has its report, but not longer than this."""
        self.send()
        deadline = monotonic() + seconds
        while len(self.producer) and monotonic() < deadline:  # noqa: ASYNC110 - a C counter
            await asyncio.sleep(0.01)


class KafkaProducer:
    """One idempotent producer, which is made anew after an error that it does not survive."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = dict(config)
        self._patience = float(config["delivery.timeout.ms"]) / 1000
        self._client: _Client | None = None

    def start(self) -> None:
        """Make the client; it connects by itself. KafkaException for an impossible config."""
        self._client = _Client(self._config)

    @property
    def client(self) -> Producer:
        """The client, for questions about the cluster."""
        return self._started.producer

    @property
    def _started(self) -> _Client:
        if self._client is None:
            raise RuntimeError("the transport has not been started")
        return self._client

    async def publish(self, messages: Sequence[Outgoing]) -> list[Sent]:
        """Send messages together; the outcome of each, in the same order.

        The members of a batch the broker refused are sent again in halves, until the one it does
        not like stands alone: nobody is refused for its neighbour.
        """
        if self._started.broken:
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
        client = self._started
        produce: Callable[..., None] = client.producer.produce  # its types know no Mapping
        hear, refusals = wave.hear, 0
        for index, message in enumerate(messages):
            report = partial(hear, index)
            where, key, headers = message.destination, message.key, message.headers
            try:  # the client encodes text itself, faster than Python would
                produce(where, message.body, key, headers=headers, on_delivery=report)
            except _NOT_QUEUED:
                refusal = await self._queue(client, message, report)
                if refusal is not None:
                    wave.sent[index] = refusal
                    refusals += 1
        wave.queued = len(messages) - refusals
        client.send()
        if wave.heard == wave.queued:
            wave.end()
        await wave.done
        client.broken |= wave.fatal
        return wave

    async def _queue(
        self, client: _Client, message: Outgoing, report: partial[None]
    ) -> Sent | None:
        """Give the client what it did not take at once; the reason when it refuses it by itself.

        It waits for room in the client's queue, and replaces what is not proper Unicode.
        """
        deadline = monotonic() + self._patience
        key = None if message.key is None else message.key.encode(errors="replace")
        headers: dict[str, str | bytes | None] = {
            name: text.encode(errors="replace") for name, text in message.headers.items()
        }
        while monotonic() < deadline:
            try:
                client.producer.produce(
                    message.destination, message.body, key, headers=headers, on_delivery=report
                )
            except BufferError:
                client.send()
                await asyncio.sleep(0.01)
            except KafkaException as refused:
                error = refused.args[0]
                client.broken |= error.fatal()
                return judge(error)
            except (TypeError, ValueError) as wrong:
                return Sent(Outcome.PERMANENT, f"not a Kafka message: {wrong}")
            else:
                return None
        return Sent(Outcome.TRANSIENT, "the client's queue is full")

    async def _rebuild(self) -> None:
        """Start again with a new client: the old one has met an error it cannot recover from."""
        _log.warning("kafka.producer_rebuilt")
        old = self._started
        self.start()
        await old.close()

    async def close(self) -> None:
        """Wait a little for what is under way, and give up the rest."""
        old, self._client = self._client, None
        if old is not None:
            await old.close()
