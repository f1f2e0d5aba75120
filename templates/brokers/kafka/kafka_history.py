"""Reading what a topic holds, beside every group: for replays."""

from __future__ import annotations

import re
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from .kafka_consumer import FETCH, headers_of, text_of
from .transport import Incoming

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

_SECONDS = 10.0  # for each question to the cluster
_POLL_SECONDS = 0.5
_SILENCE_SECONDS = 60.0  # without a message, then the cluster is taken to be away


def read(
    config: Mapping[str, Any], topics: str, start: datetime | int
) -> Generator[Sequence[Incoming], None, None]:
    """The messages of the topics from a time or an offset up to where they end now.

    `topics` is a name, or a pattern that begins with `^`. Blocks; each step belongs into a thread.
    Raises ConnectionError when the cluster does not answer.
    """
    client = Consumer(
        {**config, "group.id": f"replay-{uuid4()}", "enable.partition.eof": True}  # never joined
    )
    try:
        ends = _ends(client, topics)
        starts = _starts(client, list(ends), start)
        left = {place for place, offset in starts.items() if offset < ends[place]}
        client.assign([TopicPartition(*place, starts[place]) for place in left])
        yield from _until(client, {place: ends[place] for place in left})
    except KafkaException as error:
        raise ConnectionError(f"Kafka does not answer: {error.args[0].str()}") from error
    finally:
        client.close()


def _ends(client: Consumer, topics: str) -> dict[tuple[str, int], int]:
    """Each partition, and the offset that its next message will have."""
    known = client.list_topics(timeout=_SECONDS).topics
    meant = [name for name in known if name == topics or _matches(topics, name)]
    places = [(name, number) for name in meant for number in known[name].partitions]
    return {
        place: client.get_watermark_offsets(TopicPartition(*place), timeout=_SECONDS)[1]
        for place in places
    }


def _matches(topics: str, name: str) -> bool:
    return topics.startswith("^") and re.match(topics, name) is not None


def _starts(
    client: Consumer, places: Sequence[tuple[str, int]], start: datetime | int
) -> dict[tuple[str, int], int]:
    if not isinstance(start, datetime):
        return dict.fromkeys(places, start)
    asked = [TopicPartition(*place, int(start.timestamp() * 1000)) for place in places]
    answers = client.offsets_for_times(asked, timeout=_SECONDS) if asked else []
    # A negative offset: no message is as new.
    return {(a.topic, a.partition): a.offset for a in answers if a.offset >= 0}


def _until(client: Consumer, ends: dict[tuple[str, int], int]) -> Iterator[Sequence[Incoming]]:
    """Messages until every partition has come to its end."""
    heard_at = time.monotonic()
    while ends:
        messages = client.consume(FETCH, _POLL_SECONDS)
        if messages:
            heard_at = time.monotonic()
        elif time.monotonic() - heard_at > _SILENCE_SECONDS:
            raise ConnectionError(f"Kafka sent nothing for {_SILENCE_SECONDS:.0f} s")
        found = [m for m in messages if _is_wanted(m, ends)]
        if found:
            yield [_incoming(m) for m in found]


def _is_wanted(message: Message, ends: dict[tuple[str, int], int]) -> bool:
    """Whether a message is before the end of its partition; forgets partitions that are done."""
    place, error = (message.topic() or "", message.partition() or 0), message.error()
    if error is not None:
        if error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - so is it called
            raise KafkaException(error)
        ends.pop(place, None)
        return False
    end, offset = ends.get(place), message.offset() or 0
    if end is not None and offset >= end - 1:
        del ends[place]
    return end is not None and offset < end


def _incoming(message: Message) -> Incoming:
    topic, key = message.topic() or "", message.key()
    return Incoming(
        destination=topic,
        key=None if key is None else text_of(key),
        headers=headers_of(message),
        body=message.value() or b"",
        origin=f"{topic}/{message.partition()}/{message.offset()}",
    )
