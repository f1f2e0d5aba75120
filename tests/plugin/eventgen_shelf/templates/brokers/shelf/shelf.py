"""A shelf: each partition of a destination is a file that messages are appended to, a line each."""

from __future__ import annotations

import asyncio
import base64
import fcntl
import json
import os
import re
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

from pydantic_settings import BaseSettings

from .checkpoints import Checkpoints, provide_tables
from .findings import Finding, PartitionLag, nobody_consumes
from .partitions import PartitionConsumer, Record
from .settings import load_broker
from .transport import Change, Incoming, Outcome, Outgoing, Sent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
    from datetime import datetime

    from .database import Database
    from .service import Channel, Service, Subscription
    from .transport import Consumer, Deliver

PARTITIONS = 4
FETCH = 200
MOST_BYTES = 1_000_000
_PARAMETER = re.compile(r"\{[^{}]*\}")


class ShelfSettings(BaseSettings):
    """Where the shelf is, from an environment variable: `ORDERS_SHELF_FOLDER`."""

    folder: Path

    @classmethod
    def read(cls, prefix: str) -> ShelfSettings:
        """Read the settings; ConfigurationError, naming the variables, if they cannot be right."""
        return load_broker(cls, "The shelf", prefix)


class Shelf:
    """The files of one destination. Positions are bytes from a file's beginning."""

    def __init__(self, folder: Path, destination: str) -> None:
        self._folder = folder
        self._name = _PARAMETER.sub("_", destination)
        self._destination = destination

    @property
    def files(self) -> list[Path]:
        """The partitions, in order."""
        return [self._folder / f"{self._name}.{number}.jsonl" for number in range(PARTITIONS)]

    def create(self) -> bool:
        """Whether a file was missing. OSError when there is no shelf."""
        missing = [file for file in self.files if not file.exists()]
        for file in missing:
            file.touch()
        return bool(missing)

    def append(self, message: Outgoing, turn: int) -> None:
        """Write a message, and wait until it is on the disk. OSError without a shelf."""
        spread = turn if message.key is None else crc32(message.key.encode("utf-8", "replace"))
        line = json.dumps(
            {
                "destination": message.destination,
                "key": message.key,
                "headers": dict(message.headers),
                "body": base64.b64encode(message.body).decode(),
            }
        )
        file = os.open(self.files[spread % PARTITIONS], os.O_RDWR | os.O_APPEND)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            _cut_torn_line(file)
            _write(file, f"{line}\n".encode())
            os.fsync(file)
        finally:
            os.close(file)

    def read(self, part: int, position: int, most: int) -> Iterator[Record]:
        """The messages from a position, or from the first line that begins behind it, on."""
        with self.files[part].open("rb") as file:
            file.seek(max(0, position - 1))
            if position and file.read(1) != b"\n":
                file.readline()
            for _ in range(most):
                at = file.tell()
                if not (line := file.readline()).endswith(b"\n"):
                    return  # the end, or a message that is being written
                yield Record(part, at, self._incoming(part, at, json.loads(line)))

    def waiting(self, part: int, position: int) -> int:
        """How many messages there are from a position on."""
        return sum(1 for _ in self.read(part, position, 1_000_000))

    def _incoming(self, part: int, at: int, stored: Mapping[str, object]) -> Incoming:
        return Incoming(
            destination=str(stored["destination"]),
            key=None if stored["key"] is None else str(stored["key"]),
            headers=dict(stored["headers"]),  # type: ignore[call-overload]  # written above
            body=base64.b64decode(str(stored["body"])),
            origin=f"{self._name}/{part}/{at}",
        )


def _cut_torn_line(file: int) -> None:
    """A writer that was killed may have left half a line, which nobody was told is there."""
    end = os.fstat(file).st_size
    if end and os.pread(file, 1, end - 1) != b"\n":
        text = os.pread(file, end, 0)
        os.ftruncate(file, text.rfind(b"\n") + 1)


def _write(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]


class ShelfLog:
    """The `Log` of one subscription."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def partitions(self) -> int:
        """How many files there are."""
        return PARTITIONS

    async def begin(self, positions: Mapping[int, int]) -> Mapping[int, int]:
        """The same positions: files lose nothing."""
        return positions

    async def read(self, positions: Mapping[int, int]) -> Sequence[Record]:
        """What is there, or a moment later."""
        found = await asyncio.to_thread(self._read, positions)
        if not found:
            await asyncio.sleep(0.05)
        return found

    def _read(self, positions: Mapping[int, int]) -> list[Record]:
        return [r for part, at in positions.items() for r in self._shelf.read(part, at, FETCH)]

    async def done(self, positions: Mapping[int, int]) -> None:
        """Files do not care."""

    async def lag(self, positions: Mapping[int, int]) -> int | None:
        """How many messages there are from these positions on."""
        return sum(self._shelf.waiting(part, at) for part, at in positions.items())

    async def close(self) -> None:
        """There is no connection."""


class ShelfTransport:
    """A service and the shelf."""

    def __init__(self, service: Service, settings: ShelfSettings, database: Database) -> None:
        self._service = service
        self._settings = settings
        self._database = database
        self._turn = count()

    async def start(self) -> None:
        """There is nothing to connect to."""

    async def publish(self, messages: Sequence[Outgoing]) -> Sequence[Sent]:
        """Write each of them."""
        return [await asyncio.to_thread(self._publish, message) for message in messages]

    def _publish(self, message: Outgoing) -> Sent:
        if len(message.body) > MOST_BYTES:
            reason = f"the message has {len(message.body)} bytes, {MOST_BYTES} are allowed"
            return Sent(Outcome.PERMANENT, reason)
        try:
            self._shelf(self._declared(message.destination)).append(message, next(self._turn))
        except OSError as error:
            return Sent(Outcome.TRANSIENT, str(error))
        return Sent(Outcome.SENT)

    async def consume(self, subscription: Subscription, group: str, deliver: Deliver) -> Consumer:
        """Start reading."""
        destination = subscription.channel.destination
        checkpoints = Checkpoints(self._database, group, destination)
        consumer = PartitionConsumer(checkpoints, ShelfLog(self._shelf(destination)), deliver)
        consumer.start()
        return consumer

    async def history(
        self, channel: Channel, start: datetime | int
    ) -> AsyncIterator[Sequence[Incoming]]:
        """What is in the files from an offset on; they know no times."""
        shelf = self._shelf(channel.destination)
        for part in range(PARTITIONS):
            records = shelf.read(part, start if isinstance(start, int) else 0, 1_000_000)
            yield [record.message for record in records]

    async def provision(self, channels: Sequence[Channel], *, dry_run: bool) -> Sequence[Change]:
        """Create the files that are missing."""
        changes = []
        if self._service.subscriptions and await provide_tables(self._database, dry_run=dry_run):
            changes.append(Change("create the tables of positions", not dry_run))
        for channel in channels:
            shelf = self._shelf(channel.destination)
            if any(not file.exists() for file in shelf.files):
                changes.append(Change(f"create the files of {channel.name}", not dry_run))
                if not dry_run:
                    shelf.create()
        return changes

    def export(self, service: Service, user: str) -> str:
        """The files that must be there and be written to."""
        files = [f for channel in service.channels for f in self._shelf(channel.destination).files]
        return "".join(f"install -o {user} -m 600 /dev/null {file}\n" for file in files)

    async def lags(self, subscription: Subscription, group: str) -> Sequence[PartitionLag]:
        """How far the group has come, by file. Places are bytes, the lag counts messages."""
        destination = subscription.channel.destination
        shelf = self._shelf(destination)
        positions = await Checkpoints(self._database, group, destination).positions()
        found = []
        for part, file in enumerate(shelf.files):
            at = positions[part].position if part in positions else 0
            lag = shelf.waiting(part, at)
            found.append(PartitionLag(destination, part, at, file.stat().st_size, lag))
        return found

    async def examine(self, service: Service, inbox_seconds: float) -> Sequence[Finding]:
        """The subscriptions that nobody consumes."""
        del inbox_seconds  # what was handled is not read again
        findings = []
        for subscription in service.subscriptions:
            destination = subscription.channel.destination
            positions = await Checkpoints(self._database, service.name, destination).positions()
            if not any(position.held for position in positions.values()):
                findings.append(nobody_consumes(service, subscription.name))
        return findings

    async def healthy(self) -> bool:
        """Whether the folder is there."""
        return self._settings.folder.is_dir()

    async def close(self) -> None:
        """There is no connection."""

    def _shelf(self, destination: str) -> Shelf:
        return Shelf(self._settings.folder, destination)

    def _declared(self, destination: str) -> str:
        """The channel's destination of one whose parameters are filled in."""
        for channel in self._service.channels:
            fixed = map(re.escape, _PARAMETER.split(channel.destination))
            if re.fullmatch("[^.]+".join(fixed), destination):
                return channel.destination
        return destination


def connect(service: Service, database: Database) -> ShelfTransport:
    """The transport of a service, configured from its environment."""
    settings = ShelfSettings.read(service.env_prefix + "SHELF_")
    return ShelfTransport(service, settings, database)
