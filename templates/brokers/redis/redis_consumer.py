"""Reading a channel's streams from positions that are kept in the service's database."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog

from .partitions import Record
from .redis_names import id_of, place_of, read_entry, stream, time_place
from .redis_streams import (
    Client,
    have_bookmarks,
    have_partitions,
    read_bookmarks,
    read_partitions,
    read_streams,
    trim,
)
from .transport import Incoming

if TYPE_CHECKING:
    from datetime import datetime

_log = structlog.get_logger("eventgen.redis")

FETCH = 500  # messages read at a time ...
FETCH_BYTES = 16 * 1024 * 1024  # ... and about what they may weigh
BLOCK_MILLISECONDS = 500
TRIM_EVERY = 30.0  # seconds
_FIRST_FETCH = 64
_COUNT_MOST = 200  # entries that are counted one by one


@dataclass(slots=True)
class _Portion:
    """How many messages to ask for, so that they are neither few nor too heavy together."""

    most: int = _FIRST_FETCH

    def learn(self, messages: Sequence[Incoming]) -> None:
        """These are what came last."""
        if messages:
            each = max(1, sum(len(message.body) for message in messages) // len(messages))
            self.most = max(1, min(FETCH, 2 * self.most, FETCH_BYTES // each))


@dataclass(slots=True)
class _Count:
    """How many entries a partition has had up to some place: Redis cannot count them by itself.

    `below` lie before the entries in `read`, which were read since, and `next` is behind all of
    these. None until the number is known.
    """

    below: int | None
    next: int
    read: deque[int] = field(default_factory=deque)

    def add(self, position: int) -> None:
        """An entry was read, for the first time or again."""
        if position >= self.next:
            self.read.append(position)
            self.next = position + 1

    def until(self, position: int) -> int | None:
        """How many there are below this position; no lower one is asked about later."""
        while self.read and self.read[0] < position:
            self.read.popleft()
            if self.below is not None:
                self.below += 1
        return self.below


class Reading(NamedTuple):
    """What a subscription reads.

    Its streams' names begin with `base`; `group` is its bookmark. They are so many `partitions` if
    nobody has said otherwise, and keep what all have handled for `retention` seconds.
    """

    base: str
    group: str
    destination: str
    partitions: int
    retention: float


class RedisLog:
    """The `Log` of one subscription."""

    def __init__(self, client: Client, reading: Reading) -> None:
        self._client = client
        self._base, self._group, self._destination, self._partitions, self._retention = reading
        self._portion = _Portion()
        self._counts: dict[int, _Count] = {}
        self._trim_at = 0.0

    async def partitions(self) -> int:
        """How many streams there are."""
        self._partitions = await have_partitions(self._client, self._base, self._partitions)
        return self._partitions

    async def begin(self, positions: Mapping[int, int]) -> Mapping[int, int]:
        """Where a stream ends before a position, what is added next comes next."""
        streams = await read_streams(self._client, self._base, list(positions))
        begins = {part: min(at, _end(streams[part])) for part, at in positions.items()}
        if lost := [part for part, position in positions.items() if begins[part] < position]:
            _log.error(
                "redis.data_lost",
                stream=self._base,
                partitions=lost,
                why="they end before what was read of them",
                remedy="have its publishers send again what was lost: `outbox republish`",
            )
        new = [part for part, at in begins.items() if not self._has_read_to(part, at)]
        marks = await read_bookmarks(self._client, self._base, self._group, new)
        for part in new:
            at = begins[part]
            below = await self._count(part, max(at - 1, 0), streams[part], marks[part] or {})
            self._counts[part] = _Count(below, at)
        ids = {part: id_of(begins[part] - 1) for part in new}
        await have_bookmarks(self._client, self._base, self._group, ids)
        # Back too: the database may have been restored, and what it wants must not be trimmed.
        await self.done({part: begins[part] for part in new})
        return begins

    def _has_read_to(self, part: int, position: int) -> bool:
        return part in self._counts and self._counts[part].next == position

    async def _count(
        self, part: int, at: int, about: Mapping[str, Any], mark: Mapping[str, Any]
    ) -> int | None:
        """How many entries there are up to this place."""
        if at >= _end(about) - 1:
            return int(about.get("entries-added", 0))
        if at < place_of(about["recorded-first-entry-id"]):
            return int(about["entries-added"] - about["length"])
        marked, counted = place_of(mark.get("last-delivered-id", b"0")), mark.get("entries-read")
        if counted is None or marked > at:
            return None
        # What was handled in the last moment, when the bookmark could not be moved any more.
        name = stream(self._base, part)
        since = await self._client.xrange(name, id_of(marked + 1), id_of(at), count=_COUNT_MOST)
        return None if len(since) == _COUNT_MOST else int(counted) + len(since)

    async def read(self, positions: Mapping[int, int]) -> Sequence[Record]:
        """The next entries of these streams."""
        await self._trim_sometimes()
        parts = {stream(self._base, part).encode(): part for part in positions}
        found = await self._client.xread(
            {name: id_of(positions[part] - 1) for name, part in parts.items()},
            count=max(1, self._portion.most // len(parts)),
            block=BLOCK_MILLISECONDS,
        )
        records = []
        for name, entries in found or ():
            part = parts[name]
            for id_, fields in entries:
                message = read_entry(self._destination, name.decode(), id_, fields)
                records.append(Record(part, place_of(id_), message))
                self._counts[part].add(records[-1].position)
        self._portion.learn([record.message for record in records])
        return records

    async def done(self, positions: Mapping[int, int]) -> None:
        """Move the bookmarks; have them where there are none."""
        pipe = self._client.pipeline(transaction=False)
        for part, position in positions.items():
            count = self._counts[part].until(position)
            name = stream(self._base, part)
            pipe.xgroup_setid(name, self._group, id_of(position - 1), entries_read=count)
        answers = await pipe.execute(raise_on_error=False)
        failed = zip(positions.items(), answers, strict=True)
        gone = {part: id_of(at - 1) for (part, at), said in failed if isinstance(said, Exception)}
        if gone:  # somebody has destroyed the group, or everything
            await have_partitions(self._client, self._base, self._partitions)
            await have_bookmarks(self._client, self._base, self._group, gone)

    async def lag(self, positions: Mapping[int, int]) -> int | None:
        """How many entries lie behind the bookmarks; None when Redis does not know of one."""
        marks = await read_bookmarks(self._client, self._base, self._group, list(positions))
        waiting = [mark["lag"] for mark in marks.values() if mark is not None]
        known = len(waiting) == len(positions) and None not in waiting
        return sum(waiting) if known else None

    async def close(self) -> None:
        """Disconnect."""
        await self._client.aclose()

    async def _trim_sometimes(self) -> None:
        if monotonic() < self._trim_at:
            return
        self._trim_at = monotonic() + TRIM_EVERY
        seconds, microseconds = await self._client.time()
        kept_from = int((seconds - self._retention) * 1000) + microseconds // 1000
        await trim(self._client, self._base, list(self._counts), max(0, kept_from))


async def read_history(
    client: Client, base: str, destination: str, start: datetime | int
) -> AsyncIterator[Sequence[Incoming]]:
    """What a channel's streams hold from a time, or a number of milliseconds since 1970, to now."""
    begin = start if isinstance(start, int) else int(start.timestamp() * 1000)
    for part in range(await read_partitions(client, base) or 0):
        end = _end((await read_streams(client, base, [part]))[part])
        at, portion, name = time_place(begin), _Portion(), stream(base, part)
        while found := await client.xrange(name, id_of(at), id_of(end - 1), count=portion.most):
            messages = [read_entry(destination, name, id_, fields) for id_, fields in found]
            portion.learn(messages)
            yield messages
            at = place_of(found[-1][0]) + 1


def _end(about: Mapping[str, Any]) -> int:
    """Where what is added next will be, at least."""
    return place_of(about.get("last-generated-id", b"0")) + 1
