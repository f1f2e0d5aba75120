"""A service's database on its way from version to version of the runtime, with rows in it."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from eventgen.plan.outputs import MIGRATIONS
from eventgen.write.apply import load_manifest, write_manifest
from sqlalchemy import Connection, inspect
from sqlalchemy.ext.asyncio import create_async_engine

from tests.support.generate import Run, eventgen, new_service, run
from tests.support.runtime import migrations

REVISIONS = tuple(migration.revision for migration in migrations())
BYTES = {"sqlite": "x'00ff'", "postgresql": r"'\x00ff'"}
# What a service of that version has written, by revision. BYTES is a literal of the dialect.
ROWS = {
    "0001_eventgen": """
      INSERT INTO outbox (lane, event_id, type, destination, key, headers, body)
      VALUES (3, '0198c0de-0000-7000-8000-000000000001', 'order.placed', 'orders', 'k', '{}',
              BYTES);
      INSERT INTO outbox_relay (owner, lease_until)
      VALUES ('0198c0de-0000-7000-8000-000000000009', '2026-01-31 23:59:59.999');
      INSERT INTO inbox (consumer, event_id)
      VALUES ('orders', '0198c0de-0000-7000-8000-000000000002');
      INSERT INTO parked (consumer, event_id, key, type, headers, body, origin, status, reason,
                          error, attempts, next_at)
      VALUES ('orders', '0198c0de-0000-7000-8000-000000000003', 'k', 'payment.captured', '{}',
              BYTES, 'payments/0/1', 'dead', 'handler-error', 'no', 1, '2026-01-31 23:59:59.999')
    """,
    "0002_eventgen": """
      INSERT INTO subscription_pause (consumer, reason) VALUES ('orders', 'a look at it');
      INSERT INTO outbox_sent (event_id, id, type, destination, headers, body, sent_at)
      VALUES ('0198c0de-0000-7000-8000-000000000004', 7, 'order.paid', 'orders', '{}', BYTES,
              '2026-01-31 23:59:59.999')
    """,
}
ORDER = """
  INSERT INTO orders (id, customer_id, amount, currency, status, placed_at)
  VALUES ('0198c0de-0000-7000-8000-000000000005', '0198c0de-0000-7000-8000-000000000006', 49.90,
          'EUR', 'placed', '2026-01-31 23:59:59.999')
"""
OWN = "migrations/versions/0003_orders.py"


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pristine")
    return new_service(folder, "--broker", "embedded", "--database", "postgres")


@pytest.fixture
def project(pristine: Path, tmp_path: Path) -> Path:
    return shutil.copytree(pristine, tmp_path / "orders")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.servers)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'orders.db'}"
    found: str = request.getfixturevalue("postgres").url
    return found


@pytest.mark.parametrize("released", range(1, len(MIGRATIONS)))
def test_a_database_of_every_earlier_version_is_upgraded_with_its_rows_in_it(
    released: int, project: Path, url: str
) -> None:
    go_back_to(released, project)
    own = (project / OWN).read_bytes()
    assert orders(project, url, "migrate").returncode == 0
    on(
        url,
        lambda connection: fill(
            connection, [*(ROWS[name] for name in REVISIONS[:released]), ORDER]
        ),
    )
    before = on(url, rows)
    assert all(before.values())

    generated = eventgen("generate", cwd=project)
    migrated = orders(project, url, "migrate")

    assert generated.returncode == 0, generated.stderr
    assert f"created  migrations/versions/{MIGRATIONS[-1]}.py" in generated.stderr
    assert "next: `make migrate`" in generated.stderr
    assert migrated.returncode == 0, migrated.stdout + migrated.stderr
    heads = migrated.stdout.rpartition("the database is at ")[2].strip()
    assert set(heads.split(", ")) == {REVISIONS[-1], "0003_orders"}
    after = on(url, rows)
    assert {table: after[table] for table in before} == before
    assert (project / OWN).read_bytes() == own
    waiting = json.loads(orders(project, url, "outbox", "ls", "--json").stdout)
    dead = json.loads(orders(project, url, "dlq", "ls", "--json").stdout)
    assert (waiting["type"], waiting["key"]) == ("order.placed", "k")
    assert (dead["type"], dead["error"]) == ("payment.captured", "no")


def test_migrations_that_parted_are_joined_again_by_alembic(project: Path, url: str) -> None:
    go_back_to(1, project)
    assert orders(project, url, "migrate").returncode == 0
    assert eventgen("generate", cwd=project).returncode == 0

    assert python(project, url, "-m", "alembic", "merge", "heads", "-m", "join").returncode == 0
    assert orders(project, url, "migrate").returncode == 0
    made = python(project, url, "-m", "alembic", "revision", "--autogenerate", "-m", "nothing")

    assert made.returncode == 0, made.stderr
    (file,) = (project / "migrations/versions").glob("*_nothing.py")
    assert file.read_text("utf-8").count("    pass\n") == 2  # the tables are as they should be
    assert eventgen("generate", "--check", cwd=project).returncode == 0


def test_a_migration_that_fails_half_way_has_changed_nothing(project: Path, url: str) -> None:
    broken = project / "migrations/versions/broken.py"
    text = (project / OWN).read_text("utf-8").replace('"0002_eventgen"', '"0003_orders"')
    text = text.replace('revision = "0003_orders"', 'revision = "broken"', 1)
    text = text.replace('"orders",', '"half",').replace(
        "\n\n\ndef downgrade", "\n    raise RuntimeError\n\n\ndef downgrade"
    )
    broken.write_text(text, encoding="utf-8")

    failed = orders(project, url, "migrate")

    assert "RuntimeError" in failed.stderr
    assert not on(url, rows)
    broken.unlink()
    assert orders(project, url, "migrate").returncode == 0


SLOW = """
import time
from pathlib import Path

revision = "slow"
down_revision = "0003_orders"


def upgrade():
    Path("reached").touch()
    while not Path("go").exists():
        time.sleep(0.01)
"""


def test_of_several_that_migrate_at_once_one_does_it_and_the_others_wait(
    project: Path, url: str
) -> None:
    (project / "migrations/versions/slow.py").write_text(SLOW, encoding="utf-8")
    first = migrating(project, url)
    until((project / "reached").exists)
    others = [migrating(project, url) for _ in range(2)]
    if url.startswith("postgresql"):  # SQLite tells nobody who waits
        until(lambda: on(url, waiting) == 2)
    (project / "go").touch()
    said = [process.communicate(timeout=120)[0] for process in (first, *others)]

    assert [process.returncode for process in (first, *others)] == [0, 0, 0], said
    assert ["-> slow" in one for one in said] == [True, False, False]


def migrating(project: Path, url: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "orders", "migrate"],
        cwd=project,
        env={"PYTHONPATH": "src", "ORDERS_DATABASE_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def waiting(connection: Connection) -> int:
    """How many wait for a lock."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    here = " AND datname = current_database()"
    return int(connection.exec_driver_sql(query + here).scalar_one())


def until(is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + 120
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.05)


def go_back_to(released: int, project: Path) -> None:
    """Make the project as an earlier version wrote it, with a migration of the service on top."""
    later = [f"migrations/versions/{name}.py" for name in MIGRATIONS[released:]]
    for path in later:
        (project / path).unlink()
    known = load_manifest(project)
    write_manifest(project, {path: entry for path, entry in known.items() if path not in later})
    own = project / OWN
    parent = f'down_revision = "{REVISIONS[released - 1]}"'
    own.write_text(re.sub('down_revision = ".*"', parent, own.read_text("utf-8")), encoding="utf-8")


def python(project: Path, url: str, *arguments: str) -> Run:
    env = {"PYTHONPATH": "src", "ORDERS_DATABASE_URL": url}
    return run(sys.executable, *arguments, cwd=project, env=env)


def orders(project: Path, url: str, *arguments: str) -> Run:
    return python(project, url, "-m", "orders", *arguments)


def on(url: str, work: Callable[[Connection], Any]) -> Any:
    async def connected() -> Any:
        engine = create_async_engine(url)
        async with engine.begin() as connection:
            done = await connection.run_sync(work)
        await engine.dispose()
        return done

    return asyncio.run(connected())


def fill(connection: Connection, scripts: Iterable[str]) -> None:
    for statement in ";".join(scripts).split(";"):
        literal = BYTES[connection.dialect.name]
        connection.exec_driver_sql(statement.replace("BYTES", literal))


def rows(connection: Connection) -> Mapping[str, list[Mapping[str, object]]]:
    """Every row of every table but Alembic's."""
    tables = sorted({*inspect(connection).get_table_names()} - {"alembic_version"})
    results = {name: connection.exec_driver_sql(f"SELECT * FROM {name}") for name in tables}
    return {name: [dict(row) for row in found.mappings()] for name, found in results.items()}
