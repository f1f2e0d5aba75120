"""A service of one handler, as `eventgen` would generate it, and a project folder for it.

`python -m tests.runtime.tiny run` is its command.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_settings import SettingsConfigDict

from tests.support.runtime import MIGRATIONS, ROOT, importable

RUNTIME = importable()

from runtime import embedded  # noqa: E402  - assembled just now
from runtime.cli import command  # noqa: E402
from runtime.context import Context  # noqa: E402
from runtime.envelope import Envelope, to_headers, uuid7  # noqa: E402
from runtime.errors import DeadLetter  # noqa: E402
from runtime.migrate import upgrade  # noqa: E402
from runtime.service import (  # noqa: E402
    Channel,
    EventType,
    Publication,
    Route,
    Service,
    Subscription,
)
from runtime.settings import ServiceSettings  # noqa: E402
from runtime.transport import Outgoing  # noqa: E402

ALEMBIC = """[alembic]
script_location = %(here)s/migrations
path_separator = os
"""
ENV = """
import asyncio
from alembic import context
from sqlalchemy import pool
from sqlalchemy.ext.asyncio import create_async_engine

def migrate(connection):
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()

async def main():
    url = context.config.get_main_option("sqlalchemy.url")
    engine = create_async_engine(url, poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()

asyncio.run(main())
"""


class Captured(BaseModel):
    """What the service takes. Some amounts are more than its handler can bear."""

    order_id: str
    amount: int


class Paid(BaseModel):
    """What its handler publishes."""

    order_id: str


CAPTURED = EventType("payment.captured", "1.0.0", Captured, ("order_id",))
PAID = EventType("order.paid", "1.0.0", Paid, ("order_id",))
PAYMENTS = Channel("payments", "payments", "payments")
ORDERS = Channel("orders", "orders", "orders")


async def on_payment_captured(event: Captured, ctx: Context[Paid]) -> None:
    if event.amount < 0:
        raise DeadLetter("an amount below zero")
    if event.amount == 0:
        raise ValueError("an amount of nothing")
    if event.amount > 1000:
        await asyncio.sleep(event.amount / 1000)
    ctx.publish(Paid(order_id=event.order_id))


def make_service(
    handler: Callable[..., Awaitable[None]] = on_payment_captured,
    example: bytes = b'{"order_id":"o1","amount":5}',
) -> Service:
    return Service(
        name="tiny",
        version="1.2.3",
        package="tiny",
        broker="embedded",
        transport=embedded.connect,
        publications=(Publication(PAID, ORDERS),),
        subscriptions=(Subscription("payments", PAYMENTS, (Route(CAPTURED, handler),)),),
        examples={"Captured": example, "Paid": b'{"order_id":"o2"}'},
    )


SERVICE = make_service()


class Settings(ServiceSettings):
    """As in a service."""

    model_config = SettingsConfigDict(env_prefix="TINY_")


def project(folder: Path) -> Path:
    """Make the folder a project: `alembic.ini`, and the migrations every service begins with."""
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True)
    (folder / "alembic.ini").write_text(ALEMBIC)
    (folder / "migrations" / "env.py").write_text(ENV)
    for file in MIGRATIONS:
        shutil.copy(file, versions)
    return folder


def migrate(folder: Path) -> str:
    """Make a project of the folder, and a migrated database in it; the database's URL."""
    url = f"sqlite+aiosqlite:///{project(folder) / 'tiny.db'}"
    before = Path.cwd()
    os.chdir(folder)
    try:
        upgrade(url)
    finally:
        os.chdir(before)
    return url


def captured(amount: int, order_id: str = "o1") -> Outgoing:
    """A `payment.captured` as another service sends it."""
    envelope = Envelope(uuid7(), "payment.captured", "payments", None, "1.0.0", order_id)
    body = Captured(order_id=order_id, amount=amount).model_dump_json().encode()
    headers = to_headers(envelope, "application/json")
    return Outgoing("payments", order_id, headers, body)


def environment(**variables: str) -> dict[str, str]:
    """The environment of a child process that runs this module."""
    path = os.pathsep.join([str(RUNTIME), str(ROOT)])
    return {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", **variables}


async def until(condition: Callable[[], Awaitable[Any]], seconds: float = 15.0) -> None:
    """Wait until the condition holds."""
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.02)


main = command(SERVICE, Settings)

if __name__ == "__main__":
    main()
