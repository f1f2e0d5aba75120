"""Streams: what a service needs, whether it is there, creating what is missing, reading beside."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import structlog
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import APIError, NotFoundError

from .errors import ConfigurationError
from .findings import Finding, PartitionLag, nobody_consumes
from .nats_log import sequence_of, stream_in
from .nats_names import PARTITIONS, Destination, stream_of, subjects, subjects_of
from .nats_reading import Reading, incoming
from .transport import Change

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

    from nats.js.api import StreamInfo

    from .checkpoints import Position
    from .nats_link import Link
    from .service import Channel, Service
    from .transport import Incoming

_log = structlog.get_logger("eventgen.nats")

_FETCH = 500
_SILENCE_SECONDS = 30.0
_MONITORING_SECONDS = 5.0
_REPLICAS = 3  # of which one may be lost and one be restarted


@dataclass(frozen=True, slots=True)
class Shape:
    """How streams are made: seconds that they keep events for and know ids for, and their sizes."""

    replicas: int
    keep_seconds: float
    most_bytes: int | None
    duplicate_seconds: float

    def config(self, channel: Channel) -> StreamConfig:
        """The stream of a channel. A full one refuses what is new; it drops nothing unread."""
        return StreamConfig(
            name=stream_of(channel),
            description=channel.address,
            subjects=subjects(channel.destination),
            storage=StorageType.FILE,
            retention=RetentionPolicy.LIMITS,
            discard=DiscardPolicy.NEW,
            num_replicas=self.replicas,
            max_age=self.keep_seconds,
            max_bytes=-1 if self.most_bytes is None else self.most_bytes,
            duplicate_window=min(self.duplicate_seconds, self.keep_seconds),
        )


async def find(link: Link, channel: Channel) -> StreamInfo | None:
    """What the server knows of a channel's stream; None when it has none."""
    try:
        return await link.streams.stream_info(stream_of(channel))
    except NotFoundError:
        return None


async def provision(
    link: Link, channels: Sequence[Channel], shape: Shape, *, dry_run: bool
) -> list[Change]:
    """Create the streams that are missing. What exists stays as it is."""
    changes = []
    for channel in channels:
        if await find(link, channel) is not None:
            continue
        if not dry_run:
            await make(link, channel, shape)
        name = stream_of(channel)
        changes.append(Change(f"create stream {name} ({PARTITIONS} partitions)", done=not dry_run))
    return changes


async def make(link: Link, channel: Channel, shape: Shape) -> StreamInfo:
    """Create a channel's stream."""
    try:
        return await link.streams.add_stream(shape.config(channel))
    except APIError as error:
        raise ConfigurationError(
            f"NATS does not create the stream {stream_of(channel)}: {error.description}"
        ) from error


async def lags(
    link: Link, channel: Channel, positions: Mapping[int, Position]
) -> list[PartitionLag]:
    """How far a group has come in each partition. The sequence is one for all of them."""
    info = await link.streams.stream_info(stream_of(channel))
    stream, end = stream_in(info), info.state.last_seq + 1

    async def ask(part: int) -> PartitionLag:
        found = positions.get(part)
        at = max(sequence_of(found.position) if found else 0, info.state.first_seq, 1)
        reading = Reading(link, stream, 1, asyncio.Event())
        await reading.begin(subjects_of(channel.destination, part), at)
        await reading.end()
        return PartitionLag(channel.destination, part, at, end, reading.left)

    return list(await asyncio.gather(*map(ask, range(PARTITIONS))))


async def history(
    link: Link, channel: Channel, start: datetime | int
) -> AsyncIterator[Sequence[Incoming]]:
    """What the stream holds from a time or a sequence number up to now."""
    info = await link.streams.stream_info(stream_of(channel))
    stream, end, bell = stream_in(info), info.state.last_seq, asyncio.Event()
    destination = Destination(channel.destination)
    reading = Reading(link, stream, _FETCH, bell)
    await reading.begin(subjects(channel.destination), start)
    left = reading.left
    try:
        while left:
            bell.clear()
            await reading.ask()
            if not (taken := reading.take()):
                if reading.broken:
                    raise ConnectionError("NATS was lost while its events were read")
                await asyncio.wait_for(bell.wait(), _SILENCE_SECONDS)
                continue
            read = [incoming(one, stream, destination) for one in taken if one.sequence <= end]
            yield [one for one in read if one is not None]
            left = taken[-1].left if taken[-1].sequence < end else 0
    finally:
        await reading.end()


def examine(
    service: Service, channel: Channel, info: StreamInfo, inbox_seconds: float
) -> Iterator[Finding]:
    """What of one stream does not fit the promises."""
    config, name = info.config, stream_of(channel)
    if missing := set(subjects(channel.destination)) - set(config.subjects or ()):
        yield Finding(
            f"stream {name} does not take {', '.join(sorted(missing))}: such events are not "
            "published",
            f"add them (`nats stream edit {name}`)",
        )
    if config.storage != StorageType.FILE:
        yield Finding(
            f"stream {name} is in memory: a server that stops loses events",
            "have it created again, with file storage",
        )
    if config.retention != RetentionPolicy.LIMITS:
        yield Finding(
            f"stream {name} has the retention {config.retention}, which deletes what its own "
            "consumers acknowledge: events are lost",
            "have it created again, with the retention `limits`",
        )
    limits = (config.max_bytes, config.max_msgs, config.max_msgs_per_subject)
    if config.discard != DiscardPolicy.NEW and any((limit or -1) > 0 for limit in limits):
        yield Finding(
            f"stream {name} deletes its oldest events when it is full, read or not",
            f"nats stream edit {name} --discard new",
        )
    if info.cluster is not None and info.cluster.name and (config.num_replicas or 1) < _REPLICAS:
        yield Finding(
            f"stream {name} has {config.num_replicas} of {_REPLICAS} replicas: a lost disk loses "
            "events",
            f"nats stream edit {name} --replicas {_REPLICAS}",
        )
    seconds = config.max_age or 0.0
    if seconds > inbox_seconds:
        days, inbox = seconds / 86400, inbox_seconds / 86400
        yield Finding(
            f"stream {name} keeps events for {days:.3g} days, the inbox remembers them for "
            f"{inbox:.3g}: an older one that comes again is handled again",
            f"set {service.env_prefix}INBOX_RETENTION_DAYS to {days:.3g} or more",
        )


def consumed(
    service: Service, subscription: str, positions: Mapping[int, Position]
) -> Iterator[Finding]:
    """Whether somebody reads every partition."""
    if not any(position.held for position in positions.values()):
        yield nobody_consumes(service, subscription)


async def synced(service: Service, monitoring: str | None) -> AsyncIterator[Finding]:
    """Whether the server writes to its disk before it confirms; only its monitoring port knows."""
    variable = f"{service.env_prefix}NATS_MONITORING_URL"
    if monitoring is None:
        yield Finding(
            "nobody here knows whether NATS writes an event to its disk before it confirms it; by "
            "default it does so every two minutes, and a power cut loses what was confirmed since",
            f"set {variable} to its monitoring address (http://host:8222), so that this is looked "
            "at",
        )
        return
    try:
        told = await asyncio.to_thread(_ask, f"{monitoring.rstrip('/')}/jsz?config=1")
    except (OSError, ValueError) as error:
        yield Finding(f"the monitoring address of NATS does not answer: {error}", f"see {variable}")
        return
    if not told.get("config", {}).get("sync_always"):
        yield Finding(
            "NATS confirms events before they are on its disk: a power cut loses some",
            "set `sync_interval: always` in the `jetstream` block of the server's configuration",
        )


def _ask(url: str) -> Any:
    with urlopen(url, timeout=_MONITORING_SECONDS) as answer:  # noqa: S310  - checked: it is http
        return json.load(answer)
