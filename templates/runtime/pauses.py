"""Which subscriptions are paused: kept in the database, the same for every process and restart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import text

from .dialect import clean, moment
from .flow import LOOK_EVERY
from .tasks import sleep

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping, Sequence

    from .database import Database
    from .flow import Flow

_PAUSE = text("""
INSERT INTO subscription_pause (consumer, reason) VALUES (:consumer, :reason)
ON CONFLICT (consumer) DO UPDATE SET reason = excluded.reason
""")
_RESUME = text("DELETE FROM subscription_pause WHERE consumer = :consumer RETURNING 1")
_PAUSED = text("SELECT consumer, reason, paused_at FROM subscription_pause ORDER BY consumer")

_log = structlog.get_logger("eventgen.flow")


@dataclass(frozen=True, slots=True)
class Pause:
    """Since when a subscription is paused, and why."""

    since: datetime
    reason: str


async def pause(database: Database, consumer: str, reason: str) -> None:
    """Pause a subscription. One that is paused already gets this reason."""
    async with database.transaction() as tx:
        await tx.execute(_PAUSE, {"consumer": consumer, "reason": clean(reason)})


async def resume(database: Database, consumer: str) -> bool:
    """Let a subscription go on; whether it was paused."""
    async with database.transaction() as tx:
        return (await tx.execute(_RESUME, {"consumer": consumer})).first() is not None


async def paused(database: Database) -> Mapping[str, Pause]:
    """What is paused, by subscription."""
    async with database.reading() as connection:
        rows = (await connection.execute(_PAUSED)).all()
    return {consumer: Pause(moment(since), reason) for consumer, reason, since in rows}


async def apply(database: Database, flows: Sequence[Flow]) -> None:
    """Hold back what is paused, and nothing else."""
    pauses = await paused(database)
    for flow in flows:
        flow.pause(pauses.get(flow.subscription))


async def follow(database: Database, flows: Sequence[Flow], stopping: asyncio.Event) -> None:
    """Keep the flows of this process in step, whoever pauses or resumes, wherever."""
    while not await sleep(LOOK_EVERY, stopping):
        try:
            await apply(database, flows)
        except Exception as error:
            if not database.is_outage(error):
                raise
            _log.warning("database.away", error=repr(error))
