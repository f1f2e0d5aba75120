"""From the outbox to the broker, in the order of each key, with as many relays as there are.

Three rules keep the order of a key, whoever dies at whatever point:

* Relays lease lanes, and all events of a key are in one lane, so that a key has one relay.
* Of one key, at most one event is on its way to the broker; the next follows its confirmation.
* After a failure nothing later of that key is sent, and nothing is marked as sent past it.

A relay that lost its lease without noticing starts at the oldest event that is not marked, as its
successor does: all it can do is to repeat events, and the inbox drops those.
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from contextlib import suppress
from itertools import count
from logging import DEBUG
from time import monotonic
from typing import TYPE_CHECKING
from uuid import uuid4

import structlog

from . import logs, spans
from .database import LANES, PendingRow
from .dialect import lane_of
from .metrics import PUBLISH_FAILURES, PUBLISHED, RELAY_LANES
from .transport import Outcome, Outgoing, Sent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .database import Database
    from .transport import Transport

POISON_AFTER = 3  # permanent failures
POLL_FASTEST = 0.02  # seconds between two looks at an empty outbox
POLL_SLOWEST = 0.5
GATHER = 0.005  # seconds from the end of a round that left nothing to the next look
AWAY_LONGEST = 5.0  # seconds between two attempts at a broker that is away
_AWAY_FIRST = 0.1
_SUBJECT_FIRST = 0.2
_SUBJECT_LONGEST = 5.0
_SUBJECTS_MOST = 5000  # are passed over; beyond that, begin again with the oldest
_RELEASE_SECONDS = 3.0
_FORGOTTEN_AFTER = 60.0

_log = structlog.get_logger("eventgen.relay")


class Relay:
    """Moves events from the outbox to the broker until it is told to stop."""

    def __init__(  # noqa: PLR0913  - all but the first two are optional
        self,
        database: Database,
        transport: Transport,
        *,
        keep_sent: bool = False,
        lease_seconds: float = 10.0,
        batch: int = 500,
        lanes: int = LANES,
        system: str = "",
    ) -> None:
        """Takes at most `lanes` lanes; several relays share them out among themselves.

        `keep_sent` moves what is sent to the archive instead of deleting it; `system` is the
        broker's name in traces.
        """
        self._system = system
        self._database = database
        self._transport = transport
        self._keep_sent = keep_sent
        self._lease_seconds = lease_seconds
        self._batch = batch
        self._most = lanes
        self._owner = uuid4()
        self._wake = asyncio.Event()
        self._lanes: frozenset[int] = frozenset()
        self._renew_at = 0.0
        self._lease_ends = 0.0  # by this machine's clock, counted from before it was asked for
        self._delays = _Delays()
        self._unmarked: list[int] = []  # on the broker, not yet deleted from the outbox
        self._pause = POLL_FASTEST
        self._failures = 0  # rounds in a row that brought nothing to the broker

    def wake(self) -> None:
        """There is something new in the outbox: look at once."""
        self._wake.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Relay until `stopping`, then what is there at that moment, once; give the leases back."""
        watch = asyncio.create_task(self._wake_when(stopping), name="relay-stop")
        try:
            while True:
                last = stopping.is_set()
                pause = await self._guarded_round()
                if last:
                    break
                await self._rest(pause, stopping)
        finally:
            watch.cancel()
            with suppress(Exception):  # the leases end by themselves
                async with asyncio.timeout(_RELEASE_SECONDS):
                    await self._database.release_lanes(self._owner)
            RELAY_LANES.set(0)

    async def _wake_when(self, stopping: asyncio.Event) -> None:
        await stopping.wait()
        self._wake.set()

    async def _rest(self, pause: float, stopping: asyncio.Event) -> None:
        if pause <= 0:
            return
        # New events end the wait for new events, but not the wait for a broker that is away.
        event = stopping if self._failures else self._wake
        with suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), pause)

    async def _guarded_round(self) -> float:
        """A round; whatever goes wrong, the relay lives on and tries again."""
        try:
            return await self._round()
        except Exception as error:  # noqa: BLE001  - an outage, or a bug: neither may end the relay
            if self._database.is_outage(error):
                _log.warning("database.away", error=repr(error))
            else:
                _log.error("relay.failed", exc_info=error)
            return self._failed()

    async def _round(self) -> float:
        """One look at the outbox; how long to rest before the next, in seconds."""
        self._wake.clear()
        await self._mark()
        await self._lease(self._most)
        if not self._lanes:
            return self._idle()
        # While nothing gets through, look past what was tried: the broker, or only they?
        keys, ids = self._delays.skipped(all_=self._failures > 0)
        rows = await self._database.pending(sorted(self._lanes), self._batch, keys, ids)
        if not rows:
            self._failures = 0
            return min(self._idle(), self._delays.next_in())
        self._pause = POLL_FASTEST
        reached = await self._send(rows)
        await self._mark()
        if not reached:
            return self._failed()
        if self._failures:
            _log.info("broker.back")
            self._delays.forget_waiting()  # it was the broker, not they
        self._failures = 0
        if len(rows) == self._batch:
            return 0.0
        # That was all. A round costs much the same for one event as for many: let some come.
        await asyncio.sleep(GATHER)
        return min(self._idle(), self._delays.next_in())

    def _idle(self) -> float:
        pause = self._pause
        self._pause = min(pause * 2, POLL_SLOWEST)
        return pause

    def _failed(self) -> float:
        """Nothing reached the broker: rest longer each time, by chance, so relays do not march."""
        self._failures += 1
        return max(0.02, _jitter(_AWAY_FIRST, self._failures, AWAY_LONGEST))

    # leases -----------------------------------------------------------------------------------

    async def _lease(self, most: int) -> None:
        now = monotonic()
        if now < self._renew_at:
            return
        lanes = await self._database.lease_lanes(self._owner, self._lease_seconds, most)
        held = frozenset(lanes)
        if lost := self._lanes - held:
            _log.info("relay.lanes_gone", lanes=sorted(lost))
        self._lanes = held
        self._renew_at = now + min(self._lease_seconds / 3, 1.0)
        self._lease_ends = now + self._lease_seconds
        RELAY_LANES.set(len(held))

    def _holds(self, row: PendingRow) -> bool:
        return monotonic() < self._lease_ends and lane_of(row.key, row.event_id) in self._lanes

    # sending ----------------------------------------------------------------------------------

    async def _send(self, rows: Sequence[PendingRow]) -> bool:
        """Send rows in waves, one of each key; False when the broker had no word on any of them."""
        outcomes: set[Outcome] = set()
        failed: set[str | None] = set()
        for wave in _waves(rows):
            ready = [row for row in wave if row.key not in failed and self._holds(row)]
            answers = list(zip(ready, await self._publish(ready), strict=True)) if ready else []
            outcomes.update(sent.outcome for _, sent in answers)
            # All that was sent is noted before anything else can fail.
            for row, _ in (a for a in answers if a[1].outcome is Outcome.SENT):
                self._sent(row)
            for row, sent in (a for a in answers if a[1].outcome is not Outcome.SENT):
                failed |= {row.key} - {None}
                await self._not_sent(row, sent)
        return outcomes != {Outcome.TRANSIENT}

    async def _publish(self, rows: Sequence[PendingRow]) -> Sequence[Sent]:
        """What the broker said to each; the leases are kept while it takes its time."""
        messages = [Outgoing(row.destination, row.key, row.headers, row.body) for row in rows]
        with spans.sending(self._system, messages) as span:
            answers = await self._answers(messages)
            spans.answered(span, answers)
        return answers

    async def _answers(self, messages: Sequence[Outgoing]) -> Sequence[Sent]:
        publishing = asyncio.ensure_future(self._transport.publish(messages))
        try:
            while not (await asyncio.wait({publishing}, timeout=self._lease_seconds / 3))[0]:
                await self._lease_meanwhile()
            return publishing.result()
        except Exception as error:  # noqa: BLE001  - of the transport; the events stay in the outbox
            _log.warning("relay.transport_failed", error=repr(error))
            return [Sent(Outcome.TRANSIENT, repr(error))] * len(messages)
        finally:
            publishing.cancel()

    async def _lease_meanwhile(self) -> None:
        try:
            await self._lease(len(self._lanes))
        except Exception as error:  # noqa: BLE001  - then the lease ends, and `_holds` knows
            _log.warning("database.away", error=repr(error))

    def _sent(self, row: PendingRow) -> None:
        self._unmarked.append(row.id)
        self._delays.clear(row)
        PUBLISHED.labels(row.type).inc()
        if _log.is_enabled_for(DEBUG):
            _log.debug("relay.sent", **logs.about_row(row))

    async def _not_sent(self, row: PendingRow, sent: Sent) -> None:
        PUBLISH_FAILURES.labels(sent.outcome.value).inc()
        self._delays.add(row)
        about = logs.about_row(row)
        if sent.outcome is Outcome.TRANSIENT:
            _log.debug("relay.later", **about, reason=sent.reason)
            return
        poison = await self._database.mark_failed(row.id, sent.reason, poison_after=POISON_AFTER)
        if poison:
            self._delays.clear(row)
        tell = _log.error if poison else _log.warning
        tell("relay.poison" if poison else "relay.refused", **about, reason=sent.reason)

    async def _mark(self) -> None:
        """Delete what is on the broker. Kept in mind until it worked: no need to send it again."""
        if self._unmarked:
            await self._database.mark_sent(self._unmarked, keep=self._keep_sent)
            self._unmarked = []


class _Delays:
    """Keys, and rows without a key, that failed and wait a while, each longer every time."""

    def __init__(self) -> None:
        self._subjects: dict[str | int, tuple[int, float]] = {}  # failures, due by `monotonic`

    def add(self, row: PendingRow) -> None:
        subject = row.id if row.key is None else row.key
        failures = self._subjects.get(subject, (0, 0.0))[0] + 1
        # Half of it by chance: enough to spread, and never so short as to spin.
        delay = _jitter(_SUBJECT_FIRST, failures, _SUBJECT_LONGEST, least=0.5)
        self._subjects[subject] = (failures, monotonic() + delay)

    def clear(self, row: PendingRow) -> None:
        if self._subjects:
            self._subjects.pop(row.id if row.key is None else row.key, None)

    def skipped(self, *, all_: bool) -> tuple[list[str], list[int]]:
        """The keys and the ids that are not due yet; with `all_`, those that are too."""
        now = monotonic()
        if len(self._subjects) > _SUBJECTS_MOST:
            self._subjects.clear()
        long_ago = now - _FORGOTTEN_AFTER  # then somebody else has sent it
        for subject in [s for s, (_, due) in self._subjects.items() if due < long_ago]:
            del self._subjects[subject]
        waiting = [s for s, (_, due) in self._subjects.items() if all_ or due > now]
        keys = [subject for subject in waiting if isinstance(subject, str)]
        return keys, [subject for subject in waiting if isinstance(subject, int)]

    def next_in(self) -> float:
        """Seconds until the next of them is due; infinite when there is none."""
        now = monotonic()
        return min((due - now for _, due in self._subjects.values() if due > now), default=1e9)

    def forget_waiting(self) -> None:
        """All are due now."""
        self._subjects = {subject: (n, monotonic()) for subject, (n, _) in self._subjects.items()}


def _waves(rows: Sequence[PendingRow]) -> Sequence[Sequence[PendingRow]]:
    """The first row of every key, then the second of every key, and so on; keyless ones first."""
    waves: dict[int, list[PendingRow]] = defaultdict(list)
    places: dict[str, count[int]] = defaultdict(count)
    for row in rows:
        waves[0 if row.key is None else next(places[row.key])].append(row)
    return [waves[place] for place in sorted(waves)]


def _jitter(first: float, failures: int, longest: float, *, least: float = 0.0) -> float:
    """Between `least` of it and all of `first * 2 ** failures`, which is at most `longest`."""
    ceiling = min(longest, first * 2.0 ** min(failures, 30))
    return ceiling * random.uniform(least, 1.0)  # noqa: S311  - nothing secret
