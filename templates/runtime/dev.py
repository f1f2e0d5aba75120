"""`dev`: the whole service in one process, on SQLite and the embedded broker, and what happens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

import click
import structlog
from pydantic_core import from_json, to_json
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from . import logs
from .app import App
from .codec import encode
from .connecting import connect_database
from .database import OutboxRow, PendingRow
from .embedded import EmbeddedTransport
from .envelope import uuid7
from .migrate import upgrade
from .outbox import Publisher
from .retry import describe
from .serve import http, signals
from .service import Channel, EventType, Publication, Service
from .settings import EMBEDDED, ServiceSettings, load
from .trace import Trace
from .transport import Outgoing

PATIENCE = 20.0  # seconds for everything to be handled
CALM = 0.2  # seconds between two looks that must both find nothing to do
DRAIN_SECONDS = 2.0

# What is counted in the end: what it is, the table, and which of its rows.
_COUNTS = (
    ("events still to be sent", "outbox", "true"),
    ("messages on the embedded broker", "embedded_log", "true"),
    ("events handled", "inbox", "true"),
    ("events parked for another attempt", "parked", "status <> 'dead'"),
    ("dead letters", "parked", "status = 'dead'"),
)

_log = structlog.get_logger("eventgen.dev")


@dataclass(slots=True)
class Played:
    """What was done: which events must be in which inbox now, and what went wrong so far."""

    sent: dict[str, list[UUID]] = field(default_factory=dict)  # by subscription
    problems: list[str] = field(default_factory=list)


def command(
    service: Service,
    settings_type: type[ServiceSettings],
    explained: Callable[[Callable[..., None]], Callable[..., None]],
) -> click.Command:
    """The command `dev`."""

    @click.command("dev")
    @click.option("--serve", is_flag=True, help="Keep running, with HTTP, until Ctrl-C.")
    @click.option("--keep", is_flag=True, help="Keep the database of the last run.")
    @explained
    def dev(serve: bool, keep: bool) -> None:
        """Show events go through outbox, broker, inbox and handler, with nothing to start."""
        file = _fresh(service, keep=keep)
        url = f"sqlite+aiosqlite:///{file}"
        settings = load(
            settings_type,
            service,
            broker=EMBEDDED,
            database_url=url,
            drain_timeout=DRAIN_SECONDS,
            relay=True,
        )
        trace = Trace(service)
        logs.configure("warning", "console", trace)
        upgrade(url)
        click.echo(f"{service.name} on {file} and the embedded broker\n")
        problems = asyncio.run(_play(service, settings, trace, serve=serve))
        for problem in problems:
            click.echo(f"not well: {problem}", err=True)
        if problems:
            raise SystemExit(1)

    return dev


def _fresh(service: Service, *, keep: bool) -> Path:
    file = Path(".dev").absolute() / f"{service.package}.db"
    file.parent.mkdir(exist_ok=True)
    for suffix in ("", "-wal", "-shm"):
        if not keep:
            file.with_name(file.name + suffix).unlink(missing_ok=True)
    return file


async def _play(
    service: Service, settings: ServiceSettings, trace: Trace, *, serve: bool
) -> Sequence[str]:
    """Run, play, report; what did not go well."""
    hook = _hook()
    stopping = asyncio.Event()
    async with _running(service, settings) as app:
        played = await _played(app, hook)
        if not await _settled(app, trace):
            played.problems.append(f"not everything was done within {PATIENCE:.0f} s")
        await _report(app, hook)
        played.problems.extend(await _left(app, played))
        if serve:
            with signals(stopping):
                async with http(app) as address:
                    click.echo(f"\nserving http://{address} until Ctrl-C")
                    await stopping.wait()
    return played.problems


@asynccontextmanager
async def _running(service: Service, settings: ServiceSettings) -> AsyncIterator[App]:
    database = connect_database(service, settings)
    transport = EmbeddedTransport(database)
    await transport.provision(service.channels, dry_run=False)
    async with App(service, settings, database, transport) as app:
        yield app


def _hook() -> ModuleType | None:
    """The service's own `dev` module, if it has one."""
    package = __name__.rpartition("._runtime.")[0]
    name = f"{package}.dev"
    return import_module(name) if package and find_spec(name) is not None else None


# playing ------------------------------------------------------------------------------------------


async def _played(app: App, hook: ModuleType | None) -> Played:
    """Play what the service wants played, else the examples."""
    played = Played()
    try:
        if hook is not None and hasattr(hook, "play"):
            await hook.play(app)
        else:
            played.sent = await play_examples(app)
    except Exception as error:  # noqa: BLE001  - of the service's own code; the report goes on
        _log.error("dev.play_failed", exc_info=error)
        played.problems.append(describe(error))
    return played


async def play_examples(app: App) -> dict[str, list[UUID]]:
    """Publish an example of each event the service publishes; send it one of each it handles.

    Returns the ids of what was sent, by the name of the subscription.
    """
    for publication in app.service.publications:
        async with app.unit_of_work() as uow:
            uow.publish(_example(app, publication.event), **_where(publication.channel))
    sent: dict[str, list[UUID]] = {}
    for subscription in app.service.subscriptions:
        for route in subscription.routes:
            row = _foreign(app, route.event, subscription.channel)
            await app.transport.publish([Outgoing(row.destination, row.key, row.headers, row.body)])
            sent.setdefault(subscription.name, []).append(row.event_id)
    return sent


def _foreign(app: App, event: EventType, channel: Channel) -> OutboxRow:
    """The example as another service would send it, without an outbox that is ours to show."""
    publications = (Publication(event, channel),)
    other = replace(app.service, name="another-service", publications=publications)
    return Publisher(other).row(_example(app, event), **_where(channel))


def _example(app: App, event: EventType) -> Any:
    body = app.service.examples.get(event.model.__name__)
    if body is None:
        raise LookupError(f"there is no example of {event.type}")
    example = event.model.model_validate_json(body, strict=True)
    try:
        other = event.model.model_validate_json(_with_id(event, body), strict=True)
        encode(event, other)
    except ValueError:  # an id that must look otherwise
        return example
    return other


def _with_id(event: EventType, body: bytes) -> bytes:
    """The example with an id of its own, where its payload has one: the inbox believes it."""
    path = event.envelope.attributes.get("id", ()) if event.envelope.data is None else ()
    document = holder = from_json(body)
    for name in path[:-1]:
        holder = holder.get(name) if isinstance(holder, dict) else None
    if not path or not isinstance(holder, dict) or not isinstance(holder.get(path[-1]), str):
        return body
    holder[path[-1]] = str(uuid7())
    return to_json(document)


def _where(channel: Channel) -> dict[str, Any]:
    missing = {name: "example" for name, path in channel.parameters.items() if not path}
    return {"parameters": missing, "channel": channel.name}


# looking at what became of it ---------------------------------------------------------------------


async def _settled(app: App, trace: Trace) -> bool:
    """Wait until nothing is on its way; whether that came about."""
    until = time.monotonic() + PATIENCE
    calm_at = -1
    while time.monotonic() < until:
        steps = trace.steps
        busy = await _waiting(app) or await _unsent(app) or steps != trace.steps
        if not busy and calm_at == steps:
            return True  # the second look in a row, with no step in between
        calm_at = -1 if busy else steps
        await asyncio.sleep(CALM)
    return False


async def _waiting(app: App) -> int:
    """How many messages the broker still has for the service; one where it cannot tell yet."""
    lags = [await consumption.lag() for consumption in app.consumptions]
    return sum(1 if lag is None else lag for lag in lags)


async def _unsent(app: App) -> Sequence[PendingRow]:
    """What waits in the outbox and may still be sent."""
    return [row for row in await app.database.list_outbox(1000) if row.status == "pending"]


async def _report(app: App, hook: ModuleType | None) -> None:
    """Print the counts of the database."""
    click.echo("\ncounted in the database:")
    async with app.database.reading() as tx:
        for what, table, which in _COUNTS:
            query = f"SELECT count(*) FROM {table} WHERE {which}"  # noqa: S608  - our own words
            number = (await tx.execute(text(query))).scalar_one()
            click.echo(f"{number:>6}  {what} ({table})")
        if hook is not None and hasattr(hook, "summary"):
            async with AsyncSession(bind=tx) as session:
                for what, number in (await hook.summary(session)).items():
                    click.echo(f"{number:>6}  {what}")


async def _left(app: App, played: Played) -> list[str]:
    """What is not as it should be once all is done."""
    left = [
        f"{row.type} {row.event_id} is still in the outbox{_because(row.last_error)}"
        for row in await app.database.list_outbox(1000)
    ]
    left += [
        f"{row.type} {row.event_id} is parked ({row.status}){_because(row.error)}"
        for row in await app.database.list_parked(None, None, 1000)
    ]
    async with app.database.reading() as tx:
        for consumer, ids in played.sent.items():
            seen = await app.database.seen(tx, consumer, ids, [])
            left += [f"{id_} was not handled by {consumer}" for id_ in set(ids) - seen.handled]
    return left


def _because(error: str | None) -> str:
    return f": {error}" if error else ""
