"""What is wrong around this service, each with what to do about it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .backlog import read_backlog
from .connecting import connect_broker, connect_database, require_tables
from .errors import ConfigurationError
from .migrate import revisions

if TYPE_CHECKING:
    from .database import Database
    from .service import Service
    from .settings import ServiceSettings
    from .transport import Transport

OLD = 60.0  # seconds after which an event in the outbox is late


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be."""

    what: str
    remedy: str


async def examine(service: Service, settings: ServiceSettings) -> Sequence[Finding]:
    """Everything that is wrong now; empty when all is well."""
    database = connect_database(service, settings)
    try:
        if not await database.healthy():
            return [await _no_database(service, database)]
        if found := [finding async for finding in _migrations(service, database)]:
            return found
        found = [finding async for finding in _tables(service, database)]
        transport = connect_broker(service, settings, database)
        try:
            return found + [finding async for finding in _broker(service, transport)]
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
    if not backlog.relays:
        yield Finding(
            "no relay is running: what is published stays in the outbox",
            f"start `{service.name} run` or `{service.name} relay`",
        )
    if backlog.oldest > OLD:
        yield Finding(
            f"{backlog.pending} events wait in the outbox, the oldest for {backlog.oldest:.0f} s",
            "the log of the relay says what keeps it from sending",
        )
    poison = [row for row in await database.list_outbox(1000) if row.status == "poison"]
    if poison:
        yield Finding(
            f"the broker refuses {len(poison)} events, the first with: {poison[0].last_error}",
            f"see `{service.name} outbox ls`; once it is mended, `{service.name} outbox retry`",
        )
    if dead := backlog.dead():
        yield Finding(
            f"{dead} dead letter{'' if dead == 1 else 's'}, and later events of their keys wait",
            f"see `{service.name} dlq ls`; then `dlq replay` or `dlq discard`",
        )


async def _broker(service: Service, transport: Transport) -> AsyncIterator[Finding]:
    try:
        missing = await transport.provision(service.channels, dry_run=True)
    except Exception as error:  # noqa: BLE001  - each client has its own; all mean the same here
        yield Finding(f"the broker cannot be asked: {error}", "start it, or correct its settings")
        return
    if missing:
        actions = "; ".join(change.action for change in missing)
        yield Finding(f"the broker lacks: {actions}", f"run `{service.name} provision`")
