"""What the embedded broker's tables say about its groups, for `lag` and `doctor`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import text

from .findings import Finding, PartitionLag, nobody_consumes

if TYPE_CHECKING:
    import re
    from collections.abc import Sequence

    from .database import Database
    from .service import Service

_GROUP = "SELECT positions, low FROM embedded_group WHERE name = :name AND pattern = :pattern"
_PLACES = """
SELECT destination, part, max(id) + 1 AS ends FROM embedded_log
WHERE destination LIKE :pattern ESCAPE '!' GROUP BY destination, part ORDER BY destination, part
"""
_WAITING = """
SELECT count(*) FROM embedded_log
WHERE destination = :destination AND part = :part AND id >= :position
"""
_CONSUMED = """
SELECT 1 FROM embedded_group WHERE name = :name AND pattern = :pattern AND lease_until > {now}
"""


async def read_lags(
    database: Database, group: str, like: str, pattern: re.Pattern[str]
) -> Sequence[PartitionLag]:
    """The lag of every partition that holds messages; ids are one sequence for all of them."""
    values = {"name": group, "pattern": like}
    lags = []
    async with database.reading() as tx:
        found = (await tx.execute(text(_GROUP), values)).first()
        positions = {} if found is None else json.loads(found.positions)
        places = (await tx.execute(text(_PLACES), values)).all()
        for place in places:
            if pattern.fullmatch(place.destination) is None:
                continue
            position = positions.get(str(place.part), 0 if found is None else found.low)
            where = {"destination": place.destination, "part": place.part, "position": position}
            lag: int = (await tx.execute(text(_WAITING), where)).scalar_one()
            lags.append(PartitionLag(place.destination, place.part, position, place.ends, lag))
    return lags


async def unconsumed(
    database: Database, service: Service, likes: Sequence[str], now: str
) -> Sequence[Finding]:
    """The subscriptions that no process holds the lease of; `likes` are theirs, in their order."""
    findings = []
    async with database.reading() as tx:
        for subscription, like in zip(service.subscriptions, likes, strict=True):
            values = {"name": service.name, "pattern": like}
            held = (await tx.execute(text(_CONSUMED.format(now=now)), values)).first()
            if held is None:
                findings.append(nobody_consumes(service, subscription.name))
    return findings
