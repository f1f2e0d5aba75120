"""What has to be done now and then: gauges, and forgetting what is long handled."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from .metrics import LAG, OUTBOX_OLDEST, OUTBOX_PENDING, PARKED
from .tasks import sleep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .consumer import Consumption
    from .database import Database

MEASURE_EVERY = 5.0  # seconds
FORGET_EVERY = 600.0  # seconds
FORGET_BATCH = 5000  # rows in one transaction, so that its locks are short
_DAY = 24 * 3600.0

_STATUSES = ("retry", "waiting", "dead")

log = structlog.get_logger("eventgen.housekeeping")


class Housekeeping:
    """Runs in every process: gauges are each process's own, and deleting twice does no harm."""

    def __init__(
        self,
        database: Database,
        consumptions: Sequence[Consumption],
        *,
        retention_days: float,
    ) -> None:
        """Inbox entries are forgotten `retention_days` after their event was handled."""
        self._database = database
        self._consumptions = consumptions
        self._retention = retention_days * _DAY

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until `stopping`."""
        forget_at = monotonic()
        while not stopping.is_set():
            try:
                await self.measure()
                if monotonic() >= forget_at:
                    await self.forget(stopping)
                    forget_at = monotonic() + FORGET_EVERY
            except Exception as error:
                if not self._database.is_outage(error):
                    raise
                log.warning("database.away", error=repr(error))
            await sleep(MEASURE_EVERY, stopping)

    async def measure(self) -> None:
        """Set the gauges."""
        pending, oldest = await self._database.outbox_depth()
        OUTBOX_PENDING.set(pending)
        OUTBOX_OLDEST.set(oldest)
        await self._measure_parked()
        for consumption in self._consumptions:
            lag = await consumption.lag()
            if lag is not None:
                LAG.labels(consumption.subscription.name).set(lag)

    async def forget(self, stopping: asyncio.Event) -> None:
        """Delete what the inbox need not know any more, a batch at a time."""
        forgotten = deleted = await self._database.forget_inbox(self._retention, FORGET_BATCH)
        while deleted == FORGET_BATCH and not await sleep(0.1, stopping):
            deleted = await self._database.forget_inbox(self._retention, FORGET_BATCH)
            forgotten += deleted
        if forgotten:
            log.info("inbox.forgotten", events=forgotten)

    async def _measure_parked(self) -> None:
        counts = await self._database.count_parked()
        names = {c.subscription.name for c in self._consumptions} | {name for name, _ in counts}
        for name in names:
            for status in _STATUSES:
                PARKED.labels(name, status).set(counts.get((name, status), 0))
