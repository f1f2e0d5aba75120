"""What `doctor` finds in the settings of a database, and `lag` on the embedded broker."""

from __future__ import annotations

import asyncio
import json

import pytest
from click.testing import CliRunner
from runtime import database_state, doctor, sqlite
from runtime.backlog import Backlog, Parked
from runtime.connecting import connect_broker
from runtime.database_state import examine_database
from runtime.databases import open_database
from runtime.embedded import EmbeddedTransport
from sqlalchemy import text

from tests.runtime.tiny import SERVICE, Settings, captured, main, migrate, until

pytestmark = pytest.mark.anyio


def whats(findings):
    return " | ".join(finding.what for finding in findings)


# the database -------------------------------------------------------------------------------------


async def test_a_database_as_the_runtime_sets_it_up_is_well(database):
    assert await examine_database(database) == []


async def test_a_server_that_does_not_wait_for_its_disk_is_found(postgres_database, postgres_url):
    name = postgres_url.rpartition("/")[2].partition("?")[0]
    async with postgres_database.transaction() as tx:
        await tx.execute(text(f'ALTER DATABASE "{name}" SET synchronous_commit = off'))
    again = open_database(postgres_url)
    try:
        [finding] = await examine_database(again)
    finally:
        await again.close()
    assert "synchronous_commit is off" in finding.what
    assert finding.remedy == "set synchronous_commit = on"


async def test_clocks_that_differ_are_found(postgres_database, monkeypatch):
    real = database_state.time
    for ahead in (-3600.0, 3600.0):
        monkeypatch.setattr(database_state, "time", lambda ahead=ahead: real() + ahead)
        [finding] = await examine_database(postgres_database)
        assert "3600 s apart" in finding.what


async def test_a_file_that_is_not_safe_is_found(tmp_path, monkeypatch):
    pragmas = ("PRAGMA journal_mode = DELETE", "PRAGMA synchronous = NORMAL")
    monkeypatch.setattr(sqlite, "_PRAGMAS", pragmas)
    database = open_database(f"sqlite:///{tmp_path / 'unsafe.db'}")
    try:
        found = await examine_database(database)
    finally:
        await database.close()
    assert "journal_mode is delete, not wal" in whats(found)
    assert "synchronous is not FULL" in whats(found)


async def test_versions_that_lack_something_are_found(sqlite_database, monkeypatch):
    monkeypatch.setattr(database_state, "_OLDEST_SQLITE", (99, 0))
    assert "too old" in whats(await examine_database(sqlite_database))


async def test_a_postgres_of_the_future_is_wanted(postgres_database, monkeypatch):
    monkeypatch.setattr(database_state, "_OLDEST_POSTGRES", 990000)
    assert "too old" in whats(await examine_database(postgres_database))


# the tables ---------------------------------------------------------------------------------------


def test_parked_events_are_found_when_they_are_old():
    parked = {
        ("a", "retry"): Parked(3, 7200.0),
        ("a", "waiting"): Parked(9, 7200.0),
        ("b", "retry"): Parked(1, 60.0),
        ("b", "dead"): Parked(2, 60.0),
    }
    found = doctor._parked(SERVICE, Backlog(0, 0, 0.0, 1, parked))
    assert whats(found) == (
        "2 dead letters, and later events of their keys wait | "
        "3 events of a fail again and again, the first for 2 h"
    )
    assert all("`tiny dlq ls" in finding.remedy for finding in found)


# the command --------------------------------------------------------------------------------------


@pytest.fixture
def url(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    url = migrate(tmp_path)
    monkeypatch.setenv("TINY_DATABASE_URL", url)
    monkeypatch.setenv("TINY_LOG_FORMAT", "json")
    return url


def invoke(*arguments):
    return CliRunner().invoke(main, arguments)


def provisioned(url, *amounts):
    """The log of the embedded broker, with these payments in it; nobody handles them."""

    async def work():
        database = open_database(url)
        try:
            transport = connect_broker(SERVICE, Settings(), database)
            await transport.provision(SERVICE.channels, dry_run=False)
            await transport.publish([captured(n, f"o{n}") for n in amounts])
        finally:
            await database.close()

    asyncio.run(work())


def test_findings_are_for_machines_too(url):
    provisioned(url)
    result = invoke("doctor", "--json")
    assert result.exit_code == 1, result.output
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert {"what": "nobody consumes payments", "remedy": "start `tiny run`"} in found
    assert all(finding.keys() == {"what", "remedy"} for finding in found)


def test_the_lag_is_told_by_subscription_and_partition(url):
    provisioned(url, *range(1, 21))
    shown = invoke("lag")
    assert shown.exit_code == 0, shown.output
    heading, *lines = shown.stdout.splitlines()
    assert heading.split() == ["subscription", "destination", "partition", "position", "end", "lag"]
    rows = [json.loads(line) for line in invoke("lag", "--json").stdout.splitlines()]
    assert len(rows) == len(lines) > 1
    assert sum(row["lag"] for row in rows) == 20
    assert {row["subscription"] for row in rows} == {row["destination"] for row in rows}
    assert len({row["partition"] for row in rows}) == len(rows)


def test_no_lag_is_no_finding(url):
    assert invoke("lag").exit_code == 0
    assert "there is nothing to wait for" in invoke("lag").output


async def test_what_was_acknowledged_is_no_lag_partition_by_partition(database):
    transport = EmbeddedTransport(database)
    await transport.start()
    await transport.publish([captured(n, f"o{n % 4}") for n in range(40)])
    taken = []

    async def deliver(messages):
        taken.extend(messages)

    subscription = SERVICE.subscriptions[0]
    consumer = await transport.consume(subscription, "tiny", deliver)

    async def all_taken():
        return len(taken) == 40

    await until(all_taken)
    before = await transport.lags(subscription, "tiny")
    assert sum(found.lag for found in before) == 40
    part = before[0].partition
    consumer.ack([message for message in taken if f"/{part}/" in message.origin])

    async def acknowledged():
        return (await transport.lags(subscription, "tiny"))[0].lag == 0

    await until(acknowledged)
    after = await transport.lags(subscription, "tiny")
    assert [found.lag for found in after[1:]] == [found.lag for found in before[1:]]
    assert await transport.lags(subscription, "another") == [
        type(found)(found.destination, found.partition, 0, found.end, found.lag) for found in before
    ]
    assert await transport.examine(SERVICE, 1.0) == []
    await transport.close()
    assert whats(await transport.examine(SERVICE, 1.0)) == "nobody consumes payments"
