"""The partitions of a stream, as those read them that lease them.

A position is a number of the stream's sequence, and above it when the stream was made. So it rises
even when a stream is deleted and made again, and is not taken for a place in the new one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from .nats_link import Link
from .nats_names import PARTITIONS, Destination, subjects_of
from .nats_reading import Reading, Stream, incoming
from .partitions import Record

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from nats.js.api import StreamInfo

_FETCH = 500  # messages that wait here, of all partitions together
_WAIT_SECONDS = 1.0
_CLOSE_SECONDS = 2.0
_SEQUENCES = 2**48  # numbers of one stream's sequence

_log = structlog.get_logger("eventgen.nats")


def sequence_of(position: int) -> int:
    """The number of the stream's sequence that a position has."""
    return position % _SEQUENCES


class _Reader:
    """One partition's reading, and the sequence numbers that are not known to be handled."""

    def __init__(self, reading: Reading, next_: int) -> None:
        self.reading = reading
        self.next = next_  # the position behind the last message that was handed over
        self.open: deque[int] = deque()


class NatsLog:
    """A `Log` for `PartitionConsumer`, on a connection of its own."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Link]],
        look: Callable[[Link], Awaitable[StreamInfo]],
        destination: str,
    ) -> None:
        """`look` asks for the stream, and makes it again when it is gone."""
        self._connect = connect
        self._look = look
        self._destination = destination
        self._meant = Destination(destination)
        self._link: Link | None = None
        self._stream: Stream | None = None
        self._readers: dict[int, _Reader] = {}
        self._bell = asyncio.Event()
        self._opening = asyncio.Lock()

    async def partitions(self) -> int:
        """How many there are, once the server is there."""
        async with self._opening:
            await self._open()
        return PARTITIONS

    async def begin(self, positions: Mapping[int, int]) -> Mapping[int, int]:
        """Where to read on; elsewhere than it says when the stream has lost what was handled."""
        async with self._opening:
            link = await self._open()
            info = await self._look(link)
            self._stream = stream = stream_in(info)
        base, end = stream.born * _SEQUENCES, info.state.last_seq + 1
        others = [part for part, at in positions.items() if at // _SEQUENCES != stream.born]
        beyond = [part for part, at in positions.items() if at > base + end and part not in others]
        if anew := [part for part in others if positions[part]]:
            _log.error("nats.stream_made_anew", stream=stream.name, partitions=anew)
        if beyond:
            _log.error("nats.messages_lost", stream=stream.name, partitions=beyond)
        first = dict.fromkeys(others, base + info.state.first_seq)
        return {**positions, **first, **dict.fromkeys(beyond, base + end)}

    async def read(self, positions: Mapping[int, int]) -> Sequence[Record]:
        """The next messages of these partitions, once there are some."""
        link, stream = self._link, self._stream
        if link is None or stream is None or link.lost.is_set():
            raise ConnectionError("the connection to NATS was lost")
        broken = [part for part, reader in self._readers.items() if reader.reading.broken]
        if broken or any(at // _SEQUENCES != stream.born for at in positions.values()):
            await self._end(broken)
            raise ConnectionError("the stream was lost, or its consumers: it is looked at again")
        await self._follow(link, stream, positions)
        self._bell.clear()
        await asyncio.gather(*(reader.reading.ask() for reader in self._readers.values()))
        if not (records := self._take(stream)):
            await self._wait(link)
            records = self._take(stream)
        return records

    async def done(self, positions: Mapping[int, int]) -> None:
        """Forget what is handled; the server need not know."""
        for part, position in positions.items():
            if (reader := self._readers.get(part)) is not None:
                while reader.open and reader.open[0] < position:
                    reader.open.popleft()

    async def lag(self, positions: Mapping[int, int]) -> int | None:
        """How many messages there are from these positions on."""
        await self.done(positions)
        readers = [self._readers.get(part) for part in positions]
        known = [reader for reader in readers if reader is not None]
        if len(known) < len(readers):
            return None
        waiting = await asyncio.gather(*(reader.reading.waiting() for reader in known))
        return sum(waiting) + sum(len(reader.open) for reader in known)

    async def close(self) -> None:
        """Disconnect."""
        async with self._opening:
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await self._end(list(self._readers))
            if self._link is not None:
                await self._link.close()

    async def _open(self) -> Link:
        if self._link is None or self._link.lost.is_set():
            self._readers = {}
            self._link = await self._connect()
        return self._link

    async def _follow(self, link: Link, stream: Stream, positions: Mapping[int, int]) -> None:
        """Have a reading of each partition, and of no other, at the position that is asked for."""
        await self._end([p for p, r in self._readers.items() if r.next != positions.get(p)])
        missing = [part for part in positions if part not in self._readers]
        batch = max(1, _FETCH // len(positions))
        readings = [Reading(link, stream, batch, self._bell) for _ in missing]
        begun = await asyncio.gather(
            *(
                reading.begin(subjects_of(self._destination, part), sequence_of(positions[part]))
                for part, reading in zip(missing, readings, strict=True)
            ),
            return_exceptions=True,
        )
        for part, reading, error in zip(missing, readings, begun, strict=True):
            if error is None:
                self._readers[part] = _Reader(reading, positions[part])
        for error in begun:
            if error is not None:
                raise error

    async def _end(self, partitions: Sequence[int]) -> None:
        await asyncio.gather(*(self._readers.pop(part).reading.end() for part in partitions))

    async def _wait(self, link: Link) -> None:
        """Until something has arrived, or the connection is lost, but not for long."""
        events = [asyncio.create_task(event.wait()) for event in (self._bell, link.lost)]
        try:
            await asyncio.wait(events, timeout=_WAIT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for event in events:
                event.cancel()

    def _take(self, stream: Stream) -> list[Record]:
        records: list[Record] = []
        for part, reader in self._readers.items():
            for found in reader.reading.take():
                position = stream.born * _SEQUENCES + found.sequence
                if (message := incoming(found, stream, self._meant)) is not None:
                    reader.next = position + 1
                    reader.open.append(position)
                    records.append(Record(part, position, message))
        return records


def stream_in(info: StreamInfo) -> Stream:
    """The stream that the server told of."""
    created = info.created
    born = 0 if created is None else int(created.timestamp() * 1000)
    return Stream(str(info.config.name), born)
