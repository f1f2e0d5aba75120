"""Consuming a log of partitions that the broker leads nobody through.

The consumer reads those partitions that it has a lease on, from the position in the database on,
and writes down in `checkpoints` how far each is handled without a gap.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple, Protocol

import structlog

from . import checkpoints as leases
from .retry import outage_delay
from .tracker import Tracker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from .checkpoints import Checkpoints
    from .transport import Deliver, Incoming

SAVE_EVERY = 0.2  # seconds
LEAVE_SECONDS = 5.0  # until a partition goes to another consumer although something is under way
BROKER_SECONDS = leases.LEASE_SECONDS / 4  # for an answer while the leases wait to be renewed
_IDLE = 0.1  # seconds; nothing to read from

_log = structlog.get_logger("eventgen.partitions")


class Record(NamedTuple):
    """A message and its place. `message` has neither a token nor `stale`."""

    part: int
    position: int
    message: Incoming


class Log(Protocol):
    """One stream's partitions on the broker. Positions are whole numbers that rise along each."""

    async def partitions(self) -> int:
        """How many there are. Raises when the broker is away, or does not know the stream."""

    async def begin(self, positions: Mapping[int, int]) -> Mapping[int, int]:
        """Where to read on: at these positions, but for what the broker has lost.

        Asked about partitions that were leased a moment ago, each handled below its position, and
        after a failure about all, each read below its position.
        """

    async def read(self, positions: Mapping[int, int]) -> Sequence[Record]:
        """The next messages of these partitions from these positions on, each in its order.

        Waits for the first, but no longer than a second. Raises when the broker is away; `begin`
        is asked again before the next attempt.
        """

    async def done(self, positions: Mapping[int, int]) -> None:
        """All below these positions is handled, and the database says so: the broker may know."""

    async def lag(self, positions: Mapping[int, int]) -> int | None:
        """How many messages there are from these positions on; None when that cannot be said."""

    async def close(self) -> None:
        """Disconnect."""


@dataclass(eq=False, slots=True)
class _Holding:
    """A partition from when it was leased, or read again from where it is handled, to the end."""

    part: int
    next: int  # the first position not read yet
    saved: int  # as it stands in the database
    tracker: Tracker = field(default_factory=Tracker)
    leaving: float | None = None  # nothing more is read; when it goes to another consumer
    over: bool = False  # what was delivered is somebody else's by now

    @property
    def position(self) -> int:
        """Where to go on after a crash."""
        handled = self.tracker.committable() if len(self.tracker) else None
        return self.next if handled is None else handled


class PartitionConsumer:
    """A `Consumer` of one subscription, reading its share of the partitions."""

    def __init__(self, checkpoints: Checkpoints, log: Log, deliver: Deliver) -> None:
        self._checkpoints = checkpoints
        self._broker = log
        self._deliver = deliver
        self._holdings: dict[int, _Holding] = {}
        self._paused = False
        self._closed = False  # clients have been seen to swallow a cancellation
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin, in the background."""
        self._tasks = [
            asyncio.create_task(self._read_on(), name="partitions-read"),
            asyncio.create_task(self._keep_on(), name="partitions-keep"),
        ]

    def ack(self, messages: Sequence[Incoming]) -> None:
        """These are done; those of a partition that was lost are somebody else's business."""
        for message in messages:
            holding: _Holding
            holding, position = message.token
            if not holding.over:
                holding.tracker.done(position)

    async def pause(self) -> None:
        """Take no more messages, but keep the partitions."""
        self._paused = True

    async def close(self) -> None:
        """Write down what is done and let others have the partitions."""
        self._paused = self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        with suppress(Exception):  # the leases end by themselves
            await self._give(list(self._holdings.values()))
            await self._checkpoints.leave()
        self._lose(self._holdings)
        await self._broker.close()

    async def lag(self) -> int | None:
        """How many messages wait, or are under way, in the partitions that are ours."""
        if not self._holdings:
            return None
        try:
            return await self._broker.lag({h.part: h.position for h in self._holdings.values()})
        except Exception:  # noqa: BLE001  - the broker is away
            return None

    # reading ------------------------------------------------------------------------------------

    async def _read_on(self) -> None:
        tries = 0
        while not self._closed:
            try:
                if tries:
                    await self._begin_again()
                await self._read_some()
                tries = 0
            except Exception as error:  # noqa: BLE001  - an outage, or a bug: neither may end it
                _log.warning("partitions.not_read", error=repr(error))
                await asyncio.sleep(outage_delay(tries))
                tries += 1

    async def _read_some(self) -> None:
        holdings = {part: h for part, h in self._holdings.items() if h.leaving is None}
        if self._paused or not holdings:
            await asyncio.sleep(_IDLE)
            return
        records = await self._broker.read({part: h.next for part, h in holdings.items()})
        if self._paused:
            return
        # Partitions may have been lost, or begun to leave, while the broker was asked.
        fresh = [r for r in records if self._is_read(holdings[r.part])]
        for part, position, _ in fresh:
            holdings[part].tracker.add(position)
            holdings[part].next = position + 1
        try:
            if fresh:
                await self._deliver([_incoming(holdings[r.part], r) for r in fresh])
        except Exception:
            # Nobody knows how many were taken: begin again where all is done.
            self._reset({part: holdings[part].position for part in {r.part for r in fresh}})
            raise

    def _is_read(self, holding: _Holding) -> bool:
        return not holding.over and holding.leaving is None

    async def _begin_again(self) -> None:
        """Go on where the broker was lost, unless it has come back without its data."""
        asked = {part: h.next for part, h in self._holdings.items()}
        found = await self._broker.begin(asked)
        lost = {part: at for part, at in found.items() if at != asked[part]}
        self._reset({part: at for part, at in lost.items() if part in self._holdings})

    def _reset(self, positions: Mapping[int, int]) -> None:
        """Read partitions again from here on, unless they are somebody else's by now."""
        for part, position in positions.items():
            if (holding := self._holdings.get(part)) is not None:
                holding.over = True
                again = _Holding(part, position, holding.saved, leaving=holding.leaving)
                self._holdings[part] = again

    # leases, and what is done -------------------------------------------------------------------

    async def _keep_on(self) -> None:
        prepared, renew_at = False, 0.0
        while not self._closed:
            if monotonic() >= renew_at:
                renew_at = monotonic() + leases.LEASE_SECONDS / 4
                prepared = prepared or await self._guarded(self._prepare)
                if prepared:
                    await self._guarded(self._share)
            await self._guarded(self._save)
            await asyncio.sleep(SAVE_EVERY)

    async def _guarded(self, step: Callable[[], Awaitable[None]]) -> bool:
        """Whether the step was taken."""
        try:
            await step()
        except Exception as error:  # noqa: BLE001  - an outage, or a bug: neither may end it
            if self._checkpoints.database.is_outage(error):
                _log.warning("database.away", error=repr(error))
            else:
                _log.warning("partitions.not_kept", error=repr(error))
            return False
        return True

    async def _prepare(self) -> None:
        await self._checkpoints.prepare(await self._broker.partitions())

    async def _share(self) -> None:
        """Renew the leases; take or give partitions until everybody has a fair share."""
        share = await self._checkpoints.renew()
        if lost := self._holdings.keys() - share.held:
            _log.warning("partitions.lost", partitions=sorted(lost))
            self._lose(lost)
        await self._checkpoints.give(share.held - self._holdings.keys())  # an attempt had failed
        staying = sorted(part for part, h in self._holdings.items() if h.leaving is None)
        for part in staying[share.due :]:
            self._holdings[part].leaving = monotonic() + LEAVE_SECONDS
        if not self._paused and len(self._holdings) < share.due:
            await self._take(share.due - len(self._holdings))

    async def _take(self, most: int) -> None:
        taken = await self._checkpoints.take(most)
        if not taken:
            return
        try:
            async with asyncio.timeout(BROKER_SECONDS):
                begins = await self._broker.begin(taken)
        except Exception:
            await self._checkpoints.give(taken)  # somebody else may have a better connection
            raise
        for part, position in taken.items():
            self._holdings[part] = _Holding(part, begins[part], saved=position)
        _log.debug("partitions.taken", partitions=sorted(taken))

    async def _save(self) -> None:
        """Write down what is done, and give away what is to leave and has come to rest."""
        await self._write([h for h in self._holdings.values() if h.position != h.saved])
        await self._give([h for h in self._holdings.values() if _is_gone(h)])

    async def _give(self, holdings: Sequence[_Holding]) -> None:
        self._lose([h.part for h in holdings])  # what is settled from here on is not counted
        await self._write(holdings)
        await self._checkpoints.give([h.part for h in holdings])

    async def _write(self, holdings: Sequence[_Holding]) -> None:
        positions = {h.part: h.position for h in holdings}
        await self._checkpoints.save(positions)
        for holding in holdings:
            holding.saved = positions[holding.part]
        if positions:
            with suppress(Exception):  # it is told again, of the next position
                async with asyncio.timeout(BROKER_SECONDS):
                    await self._broker.done(positions)

    def _lose(self, partitions: Iterable[int]) -> None:
        """Whatever is under way in them is stale now."""
        for part in list(partitions):
            self._holdings.pop(part).over = True


def _is_gone(holding: _Holding) -> bool:
    """Whether it is to leave, and nothing of it is under way or the time for that is over."""
    if holding.leaving is None:
        return False
    return not len(holding.tracker) or monotonic() >= holding.leaving


def _incoming(holding: _Holding, record: Record) -> Incoming:
    token = (holding, record.position)
    return replace(record.message, token=token, stale=lambda: holding.over)
