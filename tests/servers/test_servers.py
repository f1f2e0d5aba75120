"""The servers themselves: killed and restarted they keep their data; what is missing is named."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest
from confluent_kafka.admin import AdminClient

from tests.servers import kafka as kafka_server
from tests.servers import nats as nats_server
from tests.servers import postgres as postgres_server
from tests.servers import rabbitmq as rabbitmq_server
from tests.servers import redis as redis_server
from tests.servers import sqs as sqs_server
from tests.servers.base import Missing, alive, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.kafka import Kafka
    from tests.servers.postgres import Postgres

ROOT = Path(__file__).parents[2]


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder for temporary files that PostgreSQL's user may enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


def sql(dsn: str, statement: str) -> object:
    async def ask() -> object:
        connection = await asyncpg.connect(dsn)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(ask())


@pytest.mark.servers
def test_postgres_keeps_its_data_when_killed(own_postgres: Postgres) -> None:
    sql(own_postgres.dsn, "create table kept as select 7 as n")
    own_postgres.kill()
    with pytest.raises(OSError, match=r"refused|reset|failed"):
        sql(own_postgres.dsn, "select 1")
    own_postgres.restart()
    assert sql(own_postgres.dsn, "select n from kept") == 7


@pytest.mark.servers
def test_kafka_keeps_its_topics_when_killed(own_kafka: Kafka) -> None:
    own_kafka.create_topic("kept", 3)
    own_kafka.kill()
    own_kafka.restart()
    admin = AdminClient({"bootstrap.servers": own_kafka.bootstrap})
    assert len(admin.list_topics("kept", timeout=10).topics["kept"].partitions) == 3


@pytest.mark.servers
def test_each_test_has_a_database_of_its_own(postgres: Postgres) -> None:
    assert sql(postgres.dsn, "select count(*) from pg_tables where schemaname = 'public'") == 0
    assert postgres.url.startswith("postgresql+asyncpg://")
    with pytest.raises(RuntimeError, match="own_postgres"):
        postgres.kill()


@pytest.mark.servers
def test_what_a_killed_test_run_left_behind_is_stopped_by_the_next(
    tmp_path: Path, temporary: Path
) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["tests.servers.fixtures"]\n')
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_it.py").write_text(
        "import os, time\n"
        "def test_holds(postgres):\n"
        "    open('folder', 'w').write(os.environ['EVENTGEN_TEST_SERVERS_FOLDER'])\n"
        "    time.sleep(600)\n"
        "def test_nothing(): pass\n"
    )
    pytest_ = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    environment = {"PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)}
    arguments = {"cwd": tmp_path, "env": {**os.environ, **environment}}
    held = subprocess.Popen([*pytest_, "-k", "holds"], **arguments)
    written = tmp_path / "folder"
    deadline = time.monotonic() + 60
    while not (written.exists() and written.read_text()):
        assert held.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    held.send_signal(signal.SIGKILL)
    held.wait()
    left = Path(written.read_text())
    server = int((left / "postgres" / "pid").read_text())
    assert alive(server)
    subprocess.run([*pytest_, "-k", "nothing"], **arguments, check=True)
    assert not left.exists()
    assert list(temporary.iterdir()) == []
    assert not alive(server)


@pytest.mark.parametrize(
    "server",
    [kafka_server, nats_server, postgres_server, rabbitmq_server, redis_server, sqs_server],
)
def test_what_is_missing_is_named(server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("KAFKA_HOME", raising=False)
    monkeypatch.delenv(server.ADDRESS, raising=False)
    monkeypatch.setattr(server, "docker_works", lambda: False)
    monkeypatch.setattr(postgres_server, "VERSIONS", tmp_path)
    monkeypatch.setattr(rabbitmq_server, "_PROGRAMS", str(tmp_path))
    monkeypatch.setattr(nats_server, "_path", lambda: str(tmp_path))
    with pytest.raises(Missing, match=f"python -m tests.servers install.*{server.ADDRESS}"):
        server.find()
    monkeypatch.setenv(server.ADDRESS, "here")
    assert server.find().address == "here"


def test_a_free_port_is_outside_the_range_clients_are_given() -> None:
    assert 20_000 <= free_port() <= 32_000
