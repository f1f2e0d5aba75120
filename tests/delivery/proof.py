"""A generated service that proves delivery: it publishes numbered orders and handles them itself.

`source` says what was committed, `effects` what handlers did. Everything the tests assert is
counted in those two tables.
"""

from __future__ import annotations

import asyncio
import functools
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg

from tests.delivery import texts
from tests.delivery.backends import Backend
from tests.support.generate import eventgen, new_service

Process = subprocess.Popen[bytes]
Record = dict[str, Any]


@dataclass(frozen=True)
class Counts:
    """What the database says. `inversions`: an effect after a later one of its key."""

    placed: int
    effects: int
    lost: int
    doubles: int
    ghosts: int
    inversions: int
    outbox: int
    parked: int


@dataclass
class Proof:
    """One generated service on real servers, and the processes that run it.

    `dsn` is a PostgreSQL address, or the path of an SQLite file.
    """

    root: Path
    dsn: str
    backend: Backend
    topic: str
    env: dict[str, str]
    running: list[Process] = field(default_factory=list)

    # processes ----------------------------------------------------------------------------------

    def start(self, *command: str, **env: str) -> Process:
        """Start `python -m proof ...`; its output goes to a log in the project."""
        return self.spawn("-m", "proof", *command, **env)

    def spawn(self, *arguments: str, **env: str) -> Process:
        """Start Python with these arguments."""
        name = "-".join(arguments).removeprefix("-m-proof-")
        log = (self.root / f"{len(self.running):02}-{name}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=self.root,
            env=self.env | env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        self.running.append(process)
        return process

    def relay(self, **env: str) -> Process:
        """A process that relays and handles nothing."""
        return self.start("relay", **env)

    def consumer(self, **env: str) -> Process:
        """A process that handles events and does not relay."""
        return self.start("run", PROOF_RELAY="false", **env)

    def do(self, *command: str | Path, **env: str) -> str:
        """Run Python with these arguments to its end; its output."""
        done = subprocess.run(
            [sys.executable, *command],
            cwd=self.root,
            env=self.env | env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout

    def publish(self, count: int, customers: int, poison: str = "-", **env: str) -> None:
        """Commit so many orders, of so many customers."""
        self.open_accounts(customers)
        self.do("publish.py", str(count), str(customers), poison, **env)

    def publishing(self, count: int, customers: int, **env: str) -> Process:
        """The same, in the background."""
        self.open_accounts(customers)
        return self.spawn("publish.py", str(count), str(customers), "-", **env)

    def open_accounts(self, customers: int) -> None:
        """Customers c0, c1 and so on, without orders."""
        values = ", ".join(f"('c{number}', 0)" for number in range(customers))
        self.sql(f"INSERT INTO source VALUES {values} ON CONFLICT DO NOTHING")

    # what can be counted ------------------------------------------------------------------------

    def sql(self, statement: str, *arguments: object) -> list[Record]:
        """Run one statement; parameters are `$1` and so on."""
        if self.is_file:
            with closing(self.open_file()) as file:
                rows = file.execute(statement.replace("$", "?"), arguments)
                return [dict(row) for row in rows]

        async def run() -> list[Record]:
            connection = await asyncpg.connect(self.dsn)
            try:
                return [dict(row) for row in await connection.fetch(statement, *arguments)]
            finally:
                await connection.close()

        return asyncio.run(run())

    def run_script(self, statements: str) -> None:
        """Run many statements."""
        if self.is_file:
            with closing(self.open_file()) as file:
                file.executescript(statements)
            return

        async def run() -> None:
            connection = await asyncpg.connect(self.dsn)
            try:
                await connection.execute(statements)
            finally:
                await connection.close()

        asyncio.run(run())

    @property
    def is_file(self) -> bool:
        """Whether the database is SQLite's."""
        return self.env["PROOF_DATABASE_URL"].startswith("sqlite")

    def open_file(self) -> sqlite3.Connection:
        """A connection to SQLite's file, without a transaction."""
        connection = sqlite3.connect(self.dsn, timeout=30, isolation_level=None)
        connection.row_factory = sqlite3.Row
        return connection

    def counts(self) -> Counts:
        """Count now."""
        return Counts(**self.sql(texts.COUNTS)[0])

    def calls(self) -> int:
        """How often the handler was called, whatever became of it."""
        calls = self.root / "calls"
        return calls.stat().st_size if calls.exists() else 0

    def messages(self) -> int:
        """How many messages are on the broker, repetitions included."""
        return self.backend.messages(self)

    def behind(self) -> int:
        """How many messages on the broker are not acknowledged."""
        return self.backend.behind(self)

    # waiting ------------------------------------------------------------------------------------

    def wait(self, reached: Callable[[Counts], bool], seconds: float) -> Counts:
        """Wait until the counts say so, or until the time is up; the last counts."""
        until = time.monotonic() + seconds
        while not reached(counts := self.counts()) and time.monotonic() < until:
            time.sleep(0.1)
        return counts

    def drained(self, seconds: float = 90.0) -> Counts:
        """Wait until nothing is on its way: all sent, handled and acknowledged; the last counts."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            counts = self.wait(lambda c: not (c.lost or c.outbox or c.parked), 1.0)
            if not (counts.lost or counts.outbox or counts.parked) and not self.behind():
                break
        return self.counts()

    def wait_for_dead_letters(self, many: int, seconds: float) -> list[Record]:
        """The dead letters, once there are so many; headers as an object, the body as bytes."""
        until = time.monotonic() + seconds
        rows: list[Record] = []
        while len(rows) < many and time.monotonic() < until:
            time.sleep(0.1)
            rows = self.sql("SELECT * FROM parked WHERE status = 'dead' ORDER BY seq")
        return [{**row, "headers": json.loads(row["headers"])} for row in rows]

    def settle(self, quiet: float = 2.0, seconds: float = 60.0) -> Counts:
        """Wait until nothing has changed for a while; the last counts."""
        until = time.monotonic() + seconds
        last, since = self.counts(), time.monotonic()
        while time.monotonic() < until and time.monotonic() - since < quiet:
            time.sleep(0.2)
            if (now := self.counts()) != last:
                last, since = now, time.monotonic()
        return last

    def logs(self) -> str:
        """The end of every process's output, for a failure's message."""
        return "\n".join(
            f"--- {log.name}\n{log.read_text(errors='replace')[-1500:]}"
            for log in sorted(self.root.glob("*.log"))
        )


def mutate(root: Path, file: str, old: str, new: str) -> None:
    """Change the generated runtime in one place; the text must be there exactly once."""
    path = root / "src" / "proof" / "_runtime" / file
    text = path.read_text()
    assert text.count(old) == 1, f"{old!r} is in {file} {text.count(old)} times"
    path.write_text(text.replace(old, new))


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """A folder that goes when the interpreter does."""
    return tempfile.TemporaryDirectory(prefix="eventgen-proof-")


@functools.cache
def _generated(broker: str) -> Path:
    """The project, generated once; each test works on a copy of its own."""
    root = Path(_folder().name, broker)
    root.mkdir()
    spec = root / "proof.yaml"
    spec.write_text(texts.SPEC)
    project = new_service(root, "--spec", spec, "--broker", broker)
    config = project / "eventgen.yaml"
    config.write_text(config.read_text() + texts.RETRY)
    assert eventgen("generate", cwd=project).returncode == 0
    (project / "src/proof/handlers/on_order_placed.py").write_text(texts.HANDLER)
    (project / "publish.py").write_text(texts.PUBLISH)
    (project / "race.py").write_text(texts.RACE)
    return project


@functools.cache
def _tables(broker: str, dialect: str) -> str:
    """The statements of the migrations, as a person would review them, and of our own tables."""
    done = subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "head", "--sql"],
        cwd=_generated(broker),
        env={**os.environ, "PYTHONPATH": "src", "PROOF_DATABASE_URL": f"{dialect}:///nowhere"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + texts.TABLES.replace("NUMBERED", texts.NUMBERED[dialect])


def _copy(root: Path, broker: str, topic: str) -> Path:
    project = shutil.copytree(_generated(broker), root / "service")
    for file in (project / "src/proof/_generated").glob("*.py"):
        file.write_text(file.read_text().replace(texts.TOPIC, topic))
    return project


@contextmanager
def proof(root: Path, backend: Backend, url: str, dsn: str) -> Iterator[Proof]:
    """Make the service, its tables and topics; end every process it started."""
    topic = f"order.placed.{uuid4().hex}"
    project = _copy(root, backend.generated, topic)
    env = {
        **{name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ},
        "PYTHONPATH": str(project / "src"),
        "PROOF_DATABASE_URL": url,
        "PROOF_HTTP_PORT": "0",
        "PROOF_LOG_LEVEL": "info",
        **backend.env(topic),
    }
    made = Proof(project, dsn, backend, topic, env)
    try:
        made.run_script(_tables(backend.generated, url.partition("+")[0].partition(":")[0]))
        backend.create(made)
        yield made
    finally:
        for process in made.running:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()
