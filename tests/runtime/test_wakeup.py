"""Relays of this and of other processes are told of new events; whatever fails, they live on."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from runtime.databases import open_database
from runtime.wakeup import Wakeup
from sqlalchemy import text

pytestmark = pytest.mark.anyio

LISTENING = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN %' AND state = 'idle'"
TERMINATE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE query LIKE 'LISTEN %' AND datname = current_database()"
)


@asynccontextmanager
async def process(database, wake=None):
    """The part of a process that calls and hears."""
    stopping = asyncio.Event()
    wakeup = Wakeup(database, wake)
    running = asyncio.create_task(wakeup.run(stopping))
    try:
        yield wakeup
    finally:
        stopping.set()
        async with asyncio.timeout(10):
            await running


async def ask(database, statement):
    async with database.transaction() as tx:
        return (await tx.execute(text(statement))).scalar_one_or_none()


async def listening(database, processes):
    """Wait until so many processes listen."""
    async with asyncio.timeout(30):
        while await ask(database, f"{LISTENING} AND datname = current_database()") < processes:
            await asyncio.sleep(0.02)


async def test_the_relay_of_this_process_is_told_at_once(database):
    heard = []
    async with process(database, lambda: heard.append(1)) as wakeup:
        wakeup.ring()
        assert heard == [1]


async def test_the_relay_of_another_process_is_told_and_nobody_hears_himself(
    postgres_database, postgres_url
):
    other, heard, own = open_database(postgres_url), asyncio.Event(), []
    try:
        async with (
            process(other, heard.set),
            process(postgres_database, lambda: own.append(1)) as w,
        ):
            await listening(postgres_database, 2)
            w.ring()
            async with asyncio.timeout(30):
                await heard.wait()
            assert own == [1], "by itself, not through the database"
    finally:
        await other.close()


async def test_a_connection_that_is_lost_is_replaced(postgres_database, postgres_url):
    other, heard = open_database(postgres_url), asyncio.Event()
    try:
        async with process(other, heard.set), process(postgres_database) as wakeup:
            await listening(postgres_database, 1)
            await ask(postgres_database, TERMINATE)
            async with asyncio.timeout(30):
                while not heard.is_set():
                    wakeup.ring()
                    await asyncio.sleep(0.05)
    finally:
        await other.close()


async def test_a_database_that_is_away_ends_nothing():
    database = open_database("postgresql://nobody@127.0.0.1:1/nothing")
    heard = []
    try:
        async with process(database, lambda: heard.append(1)) as wakeup:
            for _ in range(3):
                wakeup.ring()
                await asyncio.sleep(0.06)
            assert heard == [1, 1, 1]
    finally:
        await database.close()


async def test_many_commits_are_one_call(postgres_database):
    calls = []

    async def call():
        calls.append(1)

    postgres_database.call_relays = call
    async with process(postgres_database) as wakeup:
        for _ in range(100):
            wakeup.ring()
            await asyncio.sleep(0)
    assert 1 <= len(calls) <= 10
