"""What is wrong around this service, each with what to do about it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from .backlog import Backlog, read_backlog
from .connecting import connect_broker, connect_database, require_tables
from .database_state import examine_database
from .errors import ConfigurationError
from .findings import Finding
from .migrate import revisions
from .pauses import paused

if TYPE_CHECKING:
    from .database import Database
    from .service import Service
    from .settings import ServiceSettings
    from .transport import Transport

OLD = 60.0  # seconds after which an event in the outbox is late
OLD_PARKED = 3600.0  # seconds after which somebody should look at a parked event

_DAY = 24 * 3600.0


async def examine(service: Service, settings: ServiceSettings) -> Sequence[Finding]:
    """Everything that is wrong now; empty when all is well."""
    database = connect_database(service, settings)
    try:
        if not await database.healthy():
            return [await _no_database(service, database)]
        if found := [finding async for finding in _migrations(service, database)]:
            return found
        found = await examine_database(database)
        found += [finding async for finding in _tables(service, database)]
        transport = connect_broker(service, settings, database)
        try:
            seconds = settings.inbox_retention_days * _DAY
            return found + [finding async for finding in _broker(service, transport, seconds)]
        finally:
            await transport.close()
    finally:
        await database.close()


async def _no_database(service: Service, database: Database) -> Finding:
    reason = "the database does not answer"
    try:
        await require_tables(service, database)
    except (ConfigurationError, OSError) as error:
        reason = str(error)
    return Finding(reason, f"start it, or correct {service.env_prefix}DATABASE_URL")


async def _migrations(service: Service, database: Database) -> AsyncIterator[Finding]:
    stands = await revisions(database)
    if stands.current != stands.head:
        here = ", ".join(sorted(stands.current)) or "nothing"
        yield Finding(
            f"the database has {here} applied, the migrations end at {', '.join(stands.head)}",
            f"run `{service.name} migrate`",
        )


async def _tables(service: Service, database: Database) -> AsyncIterator[Finding]:
    backlog = await read_backlog(database)
    if service.publications and not backlog.relays:
        yield Finding(
            "no relay is running: what is published stays in the outbox",
            f"start `{service.name} run` or `{service.name} relay`",
        )
    if backlog.oldest > OLD:
        yield Finding(
            f"{backlog.pending} events wait in the outbox, the oldest for {backlog.oldest:.0f} s",
            "the log of the relay says what keeps it from sending",
        )
    if backlog.poison:
        rows = await database.list_outbox(1000)
        error = next((row.last_error for row in rows if row.status == "poison"), "see the outbox")
        yield Finding(
            f"the broker refuses {backlog.poison} events, the first with: {error}",
            f"see `{service.name} outbox ls`; once it is mended, `{service.name} outbox retry`",
        )
    for finding in _parked(service, backlog):
        yield finding
    for name, pause in (await paused(database)).items():
        because = f" ({pause.reason})" if pause.reason else ""
        yield Finding(
            f"{name} is paused since {pause.since:%Y-%m-%d %H:%M} UTC{because}",
            f"run `{service.name} resume {name}` to let it go on",
        )


def _parked(service: Service, backlog: Backlog) -> Sequence[Finding]:
    findings = []
    if dead := backlog.dead():
        letters = "dead letter" if dead == 1 else "dead letters"
        findings.append(
            Finding(
                f"{dead} {letters}, and later events of their keys wait",
                f"see `{service.name} dlq ls`; then `dlq replay` or `dlq discard`",
            )
        )
    for (subscription, status), parked in sorted(backlog.parked.items()):
        if status == "retry" and parked.oldest > OLD_PARKED:
            findings.append(
                Finding(
                    f"{parked.events} events of {subscription} fail again and again, "
                    f"the first for {parked.oldest / 3600:.0f} h",
                    f"see `{service.name} dlq ls --all` for their errors",
                )
            )
    return findings


async def _broker(
    service: Service, transport: Transport, inbox_seconds: float
) -> AsyncIterator[Finding]:
    try:
        missing = await transport.provision(service.channels, dry_run=True)
        found = [] if missing else await transport.examine(service, inbox_seconds)
    except Exception as error:  # noqa: BLE001  - each client has its own; all mean the same here
        yield Finding(f"the broker cannot be asked: {error}", "start it, or correct its settings")
        return
    if missing:
        actions = "; ".join(change.action for change in missing)
        yield Finding(f"the broker lacks: {actions}", f"run `{service.name} provision`")
    for finding in found:
        yield finding
