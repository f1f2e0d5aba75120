"""For tests of handlers and of your own code: a migrated database, and a way to run one handler.

A handler runs on the same path as in production, from the event's bytes to the outbox, in a real
transaction; only the broker is missing.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, chdir
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel
from pydantic_core import to_json

from .codec import decode, encode, payload
from .context import Context
from .database import Database, OutboxRow, PendingRow
from .databases import open_database
from .envelope import Envelope, read_envelope, said_by, to_message, uuid7
from .handling import Handling
from .migrate import upgrade
from .outbox import Publisher
from .service import Channel, EventType, Route, Service, Subscription
from .transport import Incoming

E = TypeVar("E", bound=BaseModel)

_CHANNEL = Channel(name="tests", address="tests", destination="tests")


def migrate_sqlite(file: Path, project: Path) -> None:
    """Make a SQLite database and apply the migrations of the project in this folder to it."""
    with chdir(project):
        upgrade(_url(file))


@asynccontextmanager
async def copied_sqlite(original: Path, folder: Path) -> AsyncIterator[Database]:
    """A copy of a SQLite database in this folder, open until the end of the `async with`."""
    file = Path(shutil.copy(original, folder / "test.db"))
    database = open_database(_url(file))
    try:
        yield database
    finally:
        await database.close()


class HandlerRunner:
    """Runs one handler for one event, as the service would."""

    def __init__(self, service: Service, database: Database) -> None:
        """`database` holds what the handlers read and write, and is migrated."""
        self._service = service
        self._database = database

    async def __call__(
        self, handler: Callable[[E, Context[Any]], Awaitable[None]], event: E
    ) -> list[BaseModel]:
        """Commit what the handler does, and return the events it published.

        Whatever the handler raises is raised, `Retry`, `DeadLetter` and `Skip` too; then nothing it
        did is kept. Each call is another event: with an id of its own, never a duplicate.
        """
        known = _route(self._service, type(event))
        subscription = Subscription("tests", _CHANNEL, (replace(known, handler=handler),))
        handling = Handling(subscription, self._database, Publisher(self._service), _nothing)
        work = handling.read(_message(known.event, event))
        async with self._database.transaction() as tx:
            await self._database.claim(tx, subscription.name, [work.id])
            outgoing = await handling.run(tx, work)
            if outgoing:
                await self._database.add_to_outbox(tx, outgoing)
        return _events(self._service, outgoing)


class Outbox:
    """Reads the events that were committed and no relay has sent yet."""

    def __init__(self, service: Service, database: Database) -> None:
        """`database` is the one the code under test publishes to."""
        self._service = service
        self._database = database

    async def __call__(self) -> list[BaseModel]:
        """The events, oldest first."""
        return _events(self._service, await self._database.list_outbox(limit=1000))


def _url(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


def _route(service: Service, model: type[BaseModel]) -> Route:
    routes = (route for subscription in service.subscriptions for route in subscription.routes)
    found = next((route for route in routes if route.event.model is model), None)
    if found is None:
        raise LookupError(f"{service.name} subscribes to no {model.__name__}")
    return found


def _message(type_: EventType, event: BaseModel) -> Incoming:
    body = encode(type_, event)
    key = _key(type_, body)
    now = datetime.now(UTC)
    envelope = Envelope(uuid7(), type_.type, "tests", now, type_.version, key, payload=body)
    headers, body = to_message(type_, envelope, said_by(type_, body))
    return Incoming(_CHANNEL.destination, key, headers, body, origin="tests")


def _key(type_: EventType, body: bytes) -> str | None:
    value = payload(type_, body) if type_.key else None
    for name in type_.key:
        value = value.get(name) if isinstance(value, dict) else None
    return value if value is None or isinstance(value, str) else to_json(value).decode()


def _events(service: Service, rows: Iterable[OutboxRow | PendingRow]) -> list[BaseModel]:
    """The events in the outbox, read as a subscriber to all of them would."""
    routes = tuple(Route(publication.event, _ignore) for publication in service.publications)
    return [_event(Subscription("tests", _CHANNEL, routes), row) for row in rows]


def _event(subscription: Subscription, row: OutboxRow | PendingRow) -> BaseModel:
    message = Incoming(row.destination, row.key, row.headers, row.body, origin="outbox")
    envelope = read_envelope(message, subscription)
    found = subscription.route(envelope.type, envelope.version)
    assert found is not None
    return decode(found.event, envelope.payload, envelope.version)


async def _ignore(_event: Any, _context: Context[Any]) -> None:
    """Nobody calls it."""


def _nothing() -> None:
    """There is no relay to wake."""
