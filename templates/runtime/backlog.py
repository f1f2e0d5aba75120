"""What waits in the tables, and for how long: for the gauges and for `doctor`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .database import Database


class _Dialect(NamedTuple):
    """Where the databases differ: their clock, and the seconds that have passed since `{}`."""

    now: str
    age: str


# By the database's own clock, as the leases are.
_DIALECTS = {
    "postgresql": _Dialect(
        now="clock_timestamp()",
        age="coalesce(extract(epoch FROM clock_timestamp() - {}), 0)::float8",
    ),
    "sqlite": _Dialect(
        now="strftime('%Y-%m-%d %H:%M:%f', 'now')",
        age="coalesce((julianday('now') - julianday({})) * 86400.0, 0.0)",
    ),
}

_OUTBOX = """
SELECT count(*) FILTER (WHERE status = 'pending') AS pending,
  count(*) FILTER (WHERE status = 'poison') AS poison,
  {age} AS oldest,
  (SELECT count(*) FROM outbox_relay WHERE lease_until > {now}) AS relays
FROM outbox
"""
_PARKED = """
SELECT consumer, status, count(*) AS events, {age} AS oldest FROM parked GROUP BY consumer, status
"""


@dataclass(frozen=True, slots=True)
class Parked:
    """Parked events of one subscription and status; `oldest` is an age in seconds."""

    events: int
    oldest: float


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is still to be done, as the tables say.

    `pending` events wait for a relay, the oldest for `oldest` seconds; `poison` ones are those the
    broker refuses. `relays` counts the relays that have signed in and not fallen silent since.
    `parked` is by subscription and status (retry, waiting, dead).
    """

    pending: int
    poison: int
    oldest: float
    relays: int
    parked: Mapping[tuple[str, str], Parked]

    def dead(self) -> int:
        """How many dead letters there are."""
        return sum(found.events for (_, status), found in self.parked.items() if status == "dead")


async def read_backlog(database: Database) -> Backlog:
    """Count. Raises what the driver raises."""
    dialect = _DIALECTS[database.engine.dialect.name]
    pending_age = dialect.age.format("min(created_at) FILTER (WHERE status = 'pending')")
    outbox_query = _OUTBOX.format(age=pending_age, now=dialect.now)
    parked_query = _PARKED.format(age=dialect.age.format("min(first_failed_at)"))
    async with database.reading() as tx:
        outbox = (await tx.exec_driver_sql(outbox_query)).one()
        parked = (await tx.exec_driver_sql(parked_query)).all()
    return Backlog(
        pending=outbox.pending,
        poison=outbox.poison,
        oldest=max(0.0, outbox.oldest),
        relays=outbox.relays,
        parked={
            (row.consumer, row.status): Parked(row.events, max(0.0, row.oldest)) for row in parked
        },
    )
