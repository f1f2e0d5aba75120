"""Consuming from Kafka: one thread that owns the client, one hop to the event loop per fetch.

The thread polls all the time, also while the service is busy (the partitions are then paused), so a
slow handler never costs the membership of the group. What was acknowledged is committed up to the
first gap. A partition given to somebody else takes its `Assignment` with it: whatever still refers
to that one is stale.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import deque
from concurrent.futures import wait as wait_for
from typing import TYPE_CHECKING, Any

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from .tracker import Tracker
from .transport import Incoming

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from concurrent.futures import Future

    from .transport import Deliver

_log = structlog.get_logger("eventgen.kafka")

FETCH = 500  # messages handed over at once, at most
_POLL_SECONDS = 0.1
_HELD_SECONDS = 0.02  # the same while we only wait for a hand-over to end
_PATIENCE = 0.2  # how long a hand-over may take before the partitions are paused
_COMMIT_SECONDS = 0.2
_COMMIT_MESSAGES = 1000
_REVOKE_SECONDS = 5.0
_LAG_SECONDS = 2.0
_JOIN_SECONDS = 15.0
_COMPLAIN_SECONDS = 30.0


class Assignment:
    """A partition, for as long as it is ours: what is under way, what is done."""

    __slots__ = ("acked", "base", "committed", "partition", "revoked", "topic", "tracker")

    def __init__(self, topic: str, partition: int) -> None:
        self.topic = topic
        self.partition = partition
        self.tracker = Tracker()
        self.acked = 0  # since the last commit
        self.committed = -1
        self.base: int | None = None  # where the group stood when we got it
        self.revoked = False

    def is_stale(self) -> bool:
        """Whether somebody else has the partition, or may have it."""
        return self.revoked

    def idle(self) -> bool:
        """Whether everything handed over is done."""
        return not len(self.tracker)

    def to_commit(self) -> TopicPartition | None:
        """The offset to commit, when there is a new one."""
        offset = self.tracker.committable()
        if offset is None or offset == self.committed:
            return None
        self.committed = offset
        self.acked = 0
        return TopicPartition(self.topic, self.partition, offset)


class KafkaConsumer:
    """A running subscription. Only the thread touches the client and the trackers."""

    def __init__(self, config: Mapping[str, Any], topics: Sequence[str], deliver: Deliver) -> None:
        self._config = {**config, "on_commit": self._on_commit}
        self._topics = list(topics)
        self._deliver = deliver
        self._loop = asyncio.get_running_loop()
        self._assignments: dict[tuple[str, int], Assignment] = {}
        self._backlog: deque[tuple[Assignment, Message]] = deque()
        self._acks: deque[tuple[Assignment, int]] = deque()
        self._delivering: Future[None] | None = None
        self._held = False  # the partitions are paused
        self._pausing = threading.Event()
        self._paused = threading.Event()
        self._stop = threading.Event()
        self._joined = False  # the group has spoken: no partition of ours means none to wait for
        self._lag: int | None = None
        self._committed_at = self._lag_at = 0.0
        self._complained: dict[int, float] = {}
        self._thread: threading.Thread | None = None

    # on the event loop ------------------------------------------------------------------------

    def start(self) -> None:
        """Start consuming. Raises KafkaException for an impossible config."""
        first = Consumer(self._config)
        self._thread = threading.Thread(
            target=self._run, args=(first,), name=f"kafka-{self._topics[0]}", daemon=True
        )
        self._thread.start()

    def ack(self, messages: Sequence[Incoming]) -> None:
        """These are done. Those of a partition that is no longer ours do not count."""
        self._acks.extend(message.token for message in messages)

    async def pause(self) -> None:
        """Take no further messages; stay in the group."""
        self._pausing.set()
        await asyncio.to_thread(self._paused.wait, _JOIN_SECONDS)

    async def close(self) -> None:
        """Commit what is done without a gap, leave the group, end the thread."""
        self._stop.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, _JOIN_SECONDS)
            if self._thread.is_alive():
                _log.warning("kafka.consumer_abandoned", topics=self._topics)

    async def lag(self) -> int | None:
        """Messages behind what is done in the partitions of this process."""
        return self._lag

    # on the thread ----------------------------------------------------------------------------

    def _run(self, first: Consumer) -> None:
        """Sessions with the broker, one after the other: any error ends one and the next begins."""
        client: Consumer | None = first
        failures = 0
        while not self._stop.is_set() and not self._loop.is_closed():
            began = time.monotonic()
            try:
                client = client or Consumer(self._config)
                self._session(client)
            except Exception as error:  # noqa: BLE001 - the thread must outlive every error
                failures = 0 if time.monotonic() - began > 60 else failures + 1
                delay = random.uniform(0.1, min(30.0, 0.2 * 2**failures))  # noqa: S311
                _log.warning("kafka.consumer_failed", error=repr(error), next_in=round(delay, 1))
            else:
                delay = 0.0
            finally:
                self._end(client)
                client = None
            self._stop.wait(delay)
        self._paused.set()

    def _session(self, client: Consumer) -> None:
        client.subscribe(
            self._topics,
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_lost,
        )
        while not self._stop.is_set():
            self._receive(client)
            self._hand_over(client)
            self._settle()
            now = time.monotonic()
            done = sum(a.acked for a in self._assignments.values())
            if done >= _COMMIT_MESSAGES or now - self._committed_at >= _COMMIT_SECONDS:
                self._committed_at = now
                self._commit(client, self._assignments.values(), wait=False)
            if now - self._lag_at >= _LAG_SECONDS:
                self._lag_at = now
                self._lag = self._measure_lag(client)
        self._settle()
        self._commit(client, self._assignments.values(), wait=True)

    def _end(self, client: Consumer | None) -> None:
        """Nothing of this session counts any more."""
        for assignment in self._assignments.values():
            assignment.revoked = True
        self._assignments.clear()
        self._backlog.clear()
        if self._delivering is not None:
            self._delivering.cancel()
            self._delivering = None
        self._held = False
        if client is not None:
            try:
                client.close()
            except (KafkaException, RuntimeError) as error:
                _log.warning("kafka.consumer_close_failed", error=repr(error))

    def _receive(self, client: Consumer) -> None:
        # `consume` waits until its batch is full or its time is over; `poll` for one message only.
        first = client.poll(_HELD_SECONDS if self._delivering else _POLL_SECONDS)
        if first is None:
            return
        self._take(first)
        if not self._held:
            for message in client.consume(FETCH - 1, 0):
                self._take(message)

    def _take(self, message: Message) -> None:
        error = message.error()
        if error is not None:
            self._complain(error)
            return
        assignment = self._assignments.get((message.topic() or "", message.partition() or 0))
        if assignment is not None:
            self._backlog.append((assignment, message))

    def _complain(self, error: KafkaError) -> None:
        if error.fatal():
            raise KafkaException(error)
        code, now = error.code(), time.monotonic()
        if code == KafkaError._PARTITION_EOF:  # noqa: SLF001
            return
        if now - self._complained.get(code, -_COMPLAIN_SECONDS) >= _COMPLAIN_SECONDS:
            self._complained[code] = now
            _log.error("kafka.consumer_error", error=error.name(), detail=error.str())

    def _hand_over(self, client: Consumer) -> None:
        """Give the loop what came and wait for it to be taken; pause the partitions meanwhile."""
        if self._delivering is None and self._backlog and not self._pausing.is_set():
            batch = [
                self._incoming(assignment, message)
                for assignment, message in self._backlog
                if not assignment.revoked
            ]
            self._backlog.clear()
            if batch:
                self._delivering = asyncio.run_coroutine_threadsafe(
                    _deliver(self._deliver, batch), self._loop
                )
        if self._delivering is not None:
            wait_for([self._delivering], timeout=0 if self._held else _PATIENCE)
            if self._delivering.done():
                delivering, self._delivering = self._delivering, None
                delivering.result()
        hold = self._delivering is not None or self._pausing.is_set()
        if hold and not self._held:
            client.pause(client.assignment())
        elif self._held and not hold:
            client.resume(client.assignment())
        self._held = hold
        if self._pausing.is_set():
            self._paused.set()

    def _incoming(self, assignment: Assignment, message: Message) -> Incoming:
        offset = message.offset() or 0
        assignment.tracker.add(offset)
        key = message.key()
        return Incoming(
            destination=assignment.topic,
            key=None if key is None else text_of(key),
            headers=headers_of(message),
            body=message.value() or b"",
            origin=f"{assignment.topic}/{assignment.partition}/{offset}",
            token=(assignment, offset),
            stale=assignment.is_stale,
        )

    def _settle(self) -> None:
        """Bring what was acknowledged to the trackers."""
        while self._acks:
            assignment, offset = self._acks.popleft()
            if not assignment.revoked:
                assignment.tracker.done(offset)
                assignment.acked += 1

    def _commit(self, client: Consumer, assignments: Iterable[Assignment], *, wait: bool) -> None:
        offsets = [found for a in assignments if (found := a.to_commit()) is not None]
        if not offsets:
            return
        try:
            if wait:
                client.commit(offsets=offsets, asynchronous=False)
            else:
                client.commit(offsets=offsets, asynchronous=True)
        except KafkaException as error:
            self._on_commit(error.args[0], offsets)

    def _on_commit(self, error: KafkaError | None, offsets: list[TopicPartition]) -> None:
        """A commit that failed is made again; until then the messages may come a second time."""
        failed = [offset for offset in offsets if error or offset.error]
        for offset in failed:
            assignment = self._assignments.get((offset.topic, offset.partition))
            if assignment is not None:
                assignment.committed = -1
        if failed:
            about = error or failed[0].error
            _log.warning("kafka.commit_failed", partitions=len(failed), error=str(about))

    # the group --------------------------------------------------------------------------------

    def _on_assign(self, client: Consumer, partitions: list[TopicPartition]) -> None:
        for p in partitions:
            self._assignments[p.topic, p.partition] = Assignment(p.topic, p.partition)
        client.incremental_assign(partitions)
        self._joined = True
        # The client remembers a pause: one we had, lost while paused and got back would stay so.
        if self._held:
            client.pause(partitions)
        else:
            client.resume(partitions)

    def _on_revoke(self, client: Consumer, partitions: list[TopicPartition]) -> None:
        """Let what is under way finish, for a while, and commit it before somebody else begins."""
        leaving = self._forget(partitions)
        deadline = time.monotonic() + _REVOKE_SECONDS
        self._settle()
        while not all(a.idle() for a in leaving) and time.monotonic() < deadline:
            if self._stop.wait(0.01):
                break
            self._settle()
        self._commit(client, leaving, wait=True)
        for assignment in leaving:
            assignment.revoked = True

    def _on_lost(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        """They are somebody else's already: committing could undo the other's progress."""
        for assignment in self._forget(partitions):
            assignment.revoked = True

    def _forget(self, partitions: list[TopicPartition]) -> list[Assignment]:
        keys = [(p.topic, p.partition) for p in partitions]
        leaving = [self._assignments.pop(key) for key in keys if key in self._assignments]
        kept = [entry for entry in self._backlog if entry[0] not in leaving]
        self._backlog = deque(kept)
        return leaving

    def _measure_lag(self, client: Consumer) -> int | None:
        """What the last fetches knew of the ends of the partitions; None before there was one."""
        if not self._joined:
            return None
        lag = 0
        try:
            self._learn_bases(client)
            for a in self._assignments.values():
                place = TopicPartition(a.topic, a.partition)
                low, high = client.get_watermark_offsets(place, cached=True)
                if high < 0:
                    return None
                done = a.tracker.committable()
                position = done if done is not None else max(a.base or 0, low)
                lag += max(0, high - position)
        except KafkaException:
            return None
        return lag

    def _learn_bases(self, client: Consumer) -> None:
        """Ask where the group stood in the partitions that are new to us."""
        fresh = [a for a in self._assignments.values() if a.base is None]
        if fresh:
            asked = [TopicPartition(a.topic, a.partition) for a in fresh]
            for assignment, answer in zip(fresh, client.committed(asked, timeout=2), strict=True):
                assignment.base = answer.offset


async def _deliver(deliver: Deliver, batch: Sequence[Incoming]) -> None:
    await deliver(batch)


def text_of(data: bytes) -> str:
    """Bytes as text that every database can store: no bytes that are not UTF-8, no zero."""
    return data.decode("utf-8", "replace").replace("\x00", "\ufffd")


def headers_of(message: Message) -> dict[str, str]:
    """The headers; the last one of a name. None at all when their names are not text."""
    try:
        pairs = message.headers() or []
    except UnicodeDecodeError:
        return {}
    items = pairs.items() if isinstance(pairs, dict) else pairs
    return {
        name: text_of(value) if isinstance(value, bytes) else str(value or "")
        for name, value in items
    }
