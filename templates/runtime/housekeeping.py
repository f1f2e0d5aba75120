"""What has to be done now and then: gauges, and forgetting what is long handled."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from .backlog import Backlog, Parked, read_backlog
from .metrics import (
    LAG,
    MEASURED,
    OUTBOX_OLDEST,
    OUTBOX_PENDING,
    OUTBOX_POISON,
    PARKED,
    PARKED_OLDEST,
    RELAYS,
)
from .tasks import sleep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .consumer import Consumption
    from .database import Database

MEASURE_EVERY = 5.0  # seconds
MEASURE_SHARE = 20  # the pause is at least so many times as long as the measuring took
FORGET_EVERY = 600.0  # seconds
FORGET_BATCH = 5000  # rows in one transaction, so that its locks are short
_DAY = 24 * 3600.0

_STATUSES = ("retry", "waiting", "dead")
_NONE = Parked(0, 0.0)

log = structlog.get_logger("eventgen.housekeeping")


class Housekeeping:
    """Runs in every process: gauges are each process's own, and deleting twice does no harm."""

    def __init__(
        self,
        database: Database,
        consumptions: Sequence[Consumption],
        *,
        retention_days: float,
        sent_retention_days: float = 0.0,
    ) -> None:
        """Inbox entries are forgotten `retention_days` after their event was handled.

        Archived events are forgotten `sent_retention_days` after they were sent.
        """
        self._database = database
        self._consumptions = consumptions
        self._retention = retention_days * _DAY
        self._sent_retention = sent_retention_days * _DAY

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until `stopping`."""
        forget_at = monotonic()
        while not stopping.is_set():
            began = monotonic()
            took = 0.0
            try:
                await self.measure()
                took = monotonic() - began
                if monotonic() >= forget_at:
                    await self.forget(stopping)
                    forget_at = monotonic() + FORGET_EVERY
            except Exception as error:
                if not self._database.is_outage(error):
                    raise
                log.warning("database.away", error=repr(error))
            # Counting a long backlog is work too: it must not become a burden of its own.
            await sleep(max(MEASURE_EVERY, MEASURE_SHARE * took), stopping)

    async def measure(self) -> None:
        """Set the gauges. A scrape only reads them, however many scrape."""
        backlog = await read_backlog(self._database)
        lags = [(c.subscription.name, await c.lag()) for c in self._consumptions]
        OUTBOX_PENDING.set(backlog.pending)
        OUTBOX_OLDEST.set(backlog.oldest)
        OUTBOX_POISON.set(backlog.poison)
        RELAYS.set(backlog.relays)
        self._show_parked(backlog)
        LAG.clear()  # better no value than an old one: somebody else has the partitions now
        for name, lag in lags:
            if lag is not None:
                LAG.labels(name).set(lag)
        MEASURED.set_to_current_time()

    async def forget(self, stopping: asyncio.Event) -> None:
        """Delete what inbox and archive need not know any more, a batch at a time."""
        for name, forget, retention in (
            ("inbox.forgotten", self._database.forget_inbox, self._retention),
            ("archive.forgotten", self._database.forget_sent, self._sent_retention),
        ):
            forgotten = deleted = await forget(retention, FORGET_BATCH)
            while deleted == FORGET_BATCH and not await sleep(0.1, stopping):
                deleted = await forget(retention, FORGET_BATCH)
                forgotten += deleted
            if forgotten:
                log.info(name, events=forgotten)

    def _show_parked(self, backlog: Backlog) -> None:
        names = {c.subscription.name for c in self._consumptions}
        names |= {name for name, _ in backlog.parked}
        for name in names:
            for status in _STATUSES:
                found = backlog.parked.get((name, status), _NONE)
                PARKED.labels(name, status).set(found.events)
                PARKED_OLDEST.labels(name, status).set(found.oldest)
