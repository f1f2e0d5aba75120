"""Fixtures `kafka`, `postgres` and so on (shared servers), `own_kafka` and so on (to be killed).

A shared server is started by whichever test needs it first, in whichever pytest-xdist worker, and
stopped by the controlling process at the end. The lock file in the shared folder makes that one
server; the folder's path reaches the workers in the environment. A test run that was killed leaves
its servers behind: the next run stops them.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.servers import kafka as kafka_server
from tests.servers import nats as nats_server
from tests.servers import postgres as postgres_server
from tests.servers import rabbitmq as rabbitmq_server
from tests.servers import redis as redis_server
from tests.servers import sqs as sqs_server
from tests.servers.base import Missing, alive
from tests.servers.kafka import Kafka
from tests.servers.nats import Nats
from tests.servers.postgres import Postgres
from tests.servers.rabbitmq import RabbitMQ
from tests.servers.redis import RedisServer
from tests.servers.sqs import Sqs

if TYPE_CHECKING:
    from collections.abc import Iterator

_FOLDER = "EVENTGEN_TEST_SERVERS_FOLDER"
_PREFIX = "eventgen-servers-"
_OWNER = "owner"  # the file that holds the process id of the test run
_KINDS: dict[str, tuple[Any, Any]] = {
    "kafka": (kafka_server, Kafka),
    "nats": (nats_server, Nats),
    "postgres": (postgres_server, Postgres),
    "rabbitmq": (rabbitmq_server, RabbitMQ),
    "redis": (redis_server, RedisServer),
    "sqs": (sqs_server, Sqs),
}


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def pytest_configure(config: pytest.Config) -> None:
    if _is_worker(config):
        return
    _remove_abandoned()
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    folder.chmod(0o711)  # PostgreSQL runs as another user when the tests run as root
    (folder / _OWNER).write_text(str(os.getpid()))
    os.environ[_FOLDER] = str(folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    if _is_worker(config) or _FOLDER not in os.environ:
        return
    _remove(Path(os.environ.pop(_FOLDER)))


def _remove(folder: Path) -> None:
    """Stop the servers of a test run and delete their data."""
    for state in folder.glob("**/*.json"):
        if state.stem in _KINDS:
            _KINDS[state.stem][1](**json.loads(state.read_text())).remove()
    shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned() -> None:
    """Stop what test runs of this user left behind when they were killed."""
    for owner in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/{_OWNER}"):
        try:
            mine = owner.stat().st_uid == os.getuid()
            if mine and not alive(int(owner.read_text())):
                _remove(owner.parent)
        except (OSError, ValueError):
            continue  # being written or removed by its own run


def _start(kind: str, folder: Path, *, own: bool) -> Any:
    module, _ = _KINDS[kind]
    folder.mkdir(mode=0o755)
    try:
        return module.start(folder, own=own)
    except Missing as missing:
        # Never skipped: a run that proves nothing must not look like one that does.
        pytest.fail(f"{missing}\n(`make test-fast` runs the tests that need no server)", False)


def _shared(kind: str) -> Any:
    """The one server of its kind of this test run."""
    folder = Path(os.environ[_FOLDER])
    state = folder / f"{kind}.json"
    with (folder / f"{kind}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if state.exists():
            return _KINDS[kind][1](**json.loads(state.read_text()))
        shutil.rmtree(folder / kind, ignore_errors=True)  # of a start that failed
        server = _start(kind, folder / kind, own=False)
        server.killable = False
        _write(state, server)
        return server


def _write(state: Path, server: Any) -> None:
    part = state.with_suffix(".part")
    part.write_text(json.dumps(server.state()))
    part.replace(state)


def _own(kind: str) -> Iterator[Any]:
    parent = Path(tempfile.mkdtemp(prefix="own-", dir=os.environ[_FOLDER]))
    parent.chmod(0o711)
    server = _start(kind, parent / kind, own=True)
    _write(parent / f"{kind}.json", server)
    try:
        yield server
    finally:
        server.remove()
        shutil.rmtree(parent, ignore_errors=True)


@pytest.fixture(scope="session")
def kafka() -> Kafka:
    """A Kafka all tests share: use topics and groups with names of your own, and do not kill it."""
    server: Kafka = _shared("kafka")
    return server


@pytest.fixture
def own_kafka() -> Iterator[Kafka]:
    """A Kafka of this test alone, to be killed and restarted."""
    yield from _own("kafka")


@pytest.fixture(scope="session")
def nats() -> Nats:
    """A NATS all tests share: use names of your own, and do not kill it."""
    server: Nats = _shared("nats")
    return server


@pytest.fixture
def own_nats() -> Iterator[Nats]:
    """A NATS of this test alone, to be killed and restarted."""
    yield from _own("nats")


@pytest.fixture(scope="session")
def postgres_cluster() -> Postgres:
    """The PostgreSQL all tests share."""
    server: Postgres = _shared("postgres")
    return server


@pytest.fixture
def postgres(postgres_cluster: Postgres) -> Iterator[Postgres]:
    """A fresh database for this test, on the shared server."""
    database = postgres_cluster.create_database()
    yield database
    database.drop_database()


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A PostgreSQL of this test alone, to be killed and restarted."""
    yield from _own("postgres")


@pytest.fixture(scope="session")
def rabbitmq() -> RabbitMQ:
    """A RabbitMQ all tests share: use names of your own, and do not kill it."""
    server: RabbitMQ = _shared("rabbitmq")
    return server


@pytest.fixture
def own_rabbitmq() -> Iterator[RabbitMQ]:
    """A RabbitMQ of this test alone, to be killed and restarted."""
    yield from _own("rabbitmq")


@pytest.fixture(scope="session")
def redis() -> RedisServer:
    """A Redis all tests share: use names of your own, and do not kill it."""
    server: RedisServer = _shared("redis")
    return server


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A Redis of this test alone, to be killed and restarted."""
    yield from _own("redis")


@pytest.fixture(scope="session")
def sqs() -> Sqs:
    """An SQS, and SNS, all tests share: use names of your own, and do not kill it."""
    server: Sqs = _shared("sqs")
    return server


@pytest.fixture
def own_sqs() -> Iterator[Sqs]:
    """An SQS, and SNS, of this test alone, to be killed and restarted."""
    yield from _own("sqs")
