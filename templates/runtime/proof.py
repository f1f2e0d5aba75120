"""A worker that publishes numbered events and handles them, to be killed while it does.

`source` holds what was committed with its event, `effects` what the handler did. The proofs in
`tests/delivery` count in those two tables; nothing in here runs in production.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from pydantic import BaseModel, SecretStr
from sqlalchemy import text

from . import embedded, testing
from .app import App
from .context import Context
from .service import Channel, EventType, Publication, RetryPolicy, Service, Subscription, route
from .settings import ServiceSettings

EFFECTS = "SELECT count(*) FROM effects"
DOUBLES = "SELECT count(*) - count(DISTINCT key || '#' || number) FROM effects"
INVERSIONS = """
SELECT count(*) FROM (
  SELECT number, lag(number) OVER (PARTITION BY key ORDER BY id) AS before FROM effects
) WHERE number <= before
"""
DEAD = "SELECT count(*) FROM parked WHERE status = 'dead'"

KEYS = 8
EVENTS = 240
TABLES = """
CREATE TABLE source (key TEXT PRIMARY KEY, number INTEGER NOT NULL);
CREATE TABLE effects (id INTEGER PRIMARY KEY, key TEXT NOT NULL, number INTEGER NOT NULL);
"""
FEWEST = "SELECT key, number FROM source ORDER BY number, key LIMIT 1"
NEXT = "UPDATE source SET number = number + 1 WHERE key = :key"
EFFECT = "INSERT INTO effects (key, number) VALUES (:key, :number)"


class Numbered(BaseModel):
    """The `number`th event of its key. Poison cannot be handled, however often it is tried."""

    key: str
    number: int
    poison: bool = False


async def on_numbered(event: Numbered, ctx: Context[Numbered]) -> None:
    """One effect for each event."""
    if event.poison:
        raise ValueError(f"event {event.number} of {event.key} is poison")
    await ctx.db.execute(text(EFFECT), {"key": event.key, "number": event.number})


NUMBERED = EventType("proof.numbered", "1.0.0", Numbered, key=("key",))
CHANNEL = Channel("proof", "proof", "proof")
RETRY = RetryPolicy(attempts=4, initial=0.05, factor=1.0, maximum=0.05)
SERVICE = Service(
    name="proof",
    version="1.0.0",
    package="proof",
    broker="embedded",
    transport=embedded.connect,
    publications=(Publication(NUMBERED, CHANNEL),),
    subscriptions=(
        Subscription("proof", CHANNEL, (route(NUMBERED, Numbered, on_numbered),), retry=RETRY),
    ),
)


async def work(database: str, poison: str) -> None:
    """Publish what is still to be published, and handle, until somebody ends the process."""
    settings = ServiceSettings(
        broker="embedded",
        database_url=SecretStr(f"sqlite:///{database}"),
        http_port=0,
        log_level="warning",
    )
    async with App(SERVICE, settings) as app:
        for _ in range(EVENTS):
            await place_next(app, poison)
        await asyncio.Event().wait()


async def place_next(app: App, poison: str) -> None:
    """Commit the next event of the key that has the fewest, in one transaction with its number."""
    async with app.unit_of_work() as uow:
        found = await uow.db.execute(text(FEWEST))
        key, number = found.one()
        if number >= EVENTS // KEYS:
            return  # an earlier worker has placed them all
        await uow.db.execute(text(NEXT), {"key": key})
        uow.publish(Numbered(key=key, number=number + 1, poison=(key == poison and number == 4)))


class Proof:
    """A database, and the worker processes that use it."""

    def __init__(self, project: Path, folder: Path, poison: str = "") -> None:
        """`project` has the migrations; `poison` is the key whose fifth event cannot be handled."""
        self.database = folder / "proof.db"
        self.poison = poison
        testing.migrate_sqlite(self.database, project)
        with closing(sqlite3.connect(self.database)) as db, db:
            db.executescript(TABLES)
            db.executemany("INSERT INTO source VALUES (?, 0)", [(f"k{n}",) for n in range(KEYS)])

    def start(self) -> subprocess.Popen[bytes]:
        """Start a worker."""
        command = [sys.executable, "-m", __name__, str(self.database), self.poison]
        path = os.pathsep.join(filter(None, sys.path))
        return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path})

    def count(self, query: str) -> int:
        """One number from the database."""
        with closing(sqlite3.connect(self.database, timeout=10)) as db:
            return int(db.execute(query).fetchone()[0])

    def wait(self, query: str, least: int, seconds: float = 45.0) -> int:
        """Wait until the number is reached; what it is in the end."""
        until = time.monotonic() + seconds
        while (now := self.count(query)) < least and time.monotonic() < until:
            time.sleep(0.05)
        return now


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], sys.argv[2]))
