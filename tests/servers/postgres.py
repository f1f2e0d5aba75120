"""PostgreSQL: an address, the binaries of this machine, or Docker."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import subprocess
import time
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from tests.servers.base import (
    HOST,
    Missing,
    apt_install,
    docker,
    docker_works,
    free_port,
    kill_server,
    remove_server,
    runs,
    spawn,
    tail,
)

ADDRESS = "EVENTGEN_TEST_POSTGRES"
IMAGE = "postgres:17"
READY_SECONDS = 60.0
VERSIONS = Path("/usr/lib/postgresql")  # where Debian keeps the binaries, a folder a version


@dataclass(frozen=True, slots=True)
class Found:
    """How PostgreSQL can be had: at an `address`, from `binaries`, or as a container."""

    address: str = ""
    binaries: str = ""


def find(*, own: bool = False) -> Found:
    """How PostgreSQL can be had here; `own` if the test means to kill it. Missing if it cannot."""
    if not own and (address := os.environ.get(ADDRESS)):
        return Found(address=address)
    which = shutil.which("initdb")
    path = [Path(which).resolve().parent] if which else []
    by_version = sorted(VERSIONS.glob("*/bin"), key=lambda p: float(p.parent.name), reverse=True)
    for folder in (*path, *by_version):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return Found(binaries=str(folder))
    if docker_works():
        return Found()
    raise Missing(
        "PostgreSQL: neither initdb and postgres nor a Docker that answers. "
        f"Run `python -m tests.servers install`, or set {ADDRESS}=postgresql://user@host:port/db"
    )


def install() -> str:
    """Install PostgreSQL by apt. A cluster the package starts for itself is left alone."""
    try:
        found = find()
    except Missing:
        apt_install("postgresql")
        found = find()
    return urlsplit(found.address).hostname or found.binaries or f"container {IMAGE}"


@dataclass(slots=True)
class Postgres:
    """A running PostgreSQL and one of its databases. `dsn` is for asyncpg, `url` for SQLAlchemy."""

    dsn: str
    folder: str = ""
    binaries: str = ""
    container: str = ""
    killable: bool = True

    @property
    def url(self) -> str:
        """The database as SQLAlchemy names it."""
        return "postgresql+asyncpg" + self.dsn.removeprefix("postgresql")

    def state(self) -> dict[str, Any]:
        """What another process needs to use or stop this server."""
        return asdict(self)

    def kill(self) -> None:
        """SIGKILL. Its data stays for `restart`."""
        kill_server(self, "own_postgres")

    def restart(self) -> None:
        """Start it again after `kill`, with its data and its address; returns when it is ready."""
        if self.container:
            docker("start", self.container)
        else:
            self._run()
        self._wait()

    def remove(self) -> None:
        """Kill it and delete its data."""
        remove_server(self)

    def create_database(self) -> Postgres:
        """A fresh database of the same server."""
        name = f"test_{uuid.uuid4().hex[:16]}"
        asyncio.run(_execute(self.dsn, f'create database "{name}"'))
        dsn = urlunsplit(urlsplit(self.dsn)._replace(path=f"/{name}"))
        return Postgres(**(self.state() | {"dsn": dsn}))

    def drop_database(self) -> None:
        """Drop this database, whoever is still connected."""
        parts = urlsplit(self.dsn)
        name, server = parts.path.strip("/"), urlunsplit(parts._replace(path="/postgres"))
        asyncio.run(_execute(server, f'drop database if exists "{name}" with (force)'))

    def _run(self) -> None:
        folder, port = Path(self.folder), urlsplit(self.dsn).port
        settings = [f"listen_addresses={HOST}", "unix_socket_directories="]
        options = [word for setting in settings for word in ("-c", setting)]
        spawn(
            [f"{self.binaries}/postgres", "-D", f"{folder}/data", "-p", str(port), *options],
            folder,
            user=_user(),
        )

    def _wait(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                asyncio.run(_execute(self.dsn, "select 1"))
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                pass
            else:
                return
            if self.folder and not runs(self.folder) and time.monotonic() < deadline:
                # After a SIGKILL the orphans of the old server hold its memory for a moment.
                time.sleep(0.2)
                self._run()
            if time.monotonic() > deadline:
                raise Missing(f"PostgreSQL did not become ready:\n{tail(self.folder)}")
            time.sleep(0.05)


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn, timeout=5)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _user() -> str | None:
    """The user to run as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        return "nobody"


def start(folder: Path, *, own: bool = False) -> Postgres:
    """Start PostgreSQL with its data in `folder`, or use the one at the given address."""
    found = find(own=own)
    if found.address:
        dsn = found.address.replace("postgresql+asyncpg", "postgresql", 1)
        server = Postgres(dsn, killable=False)
    elif found.binaries:
        server = _start_binaries(folder, found.binaries)
    else:
        port = free_port()
        trust = ("-e", "POSTGRES_HOST_AUTH_METHOD=trust")
        name = docker("run", "-d", "-p", f"{HOST}:{port}:5432", *trust, IMAGE)
        server = Postgres(f"postgresql://postgres@{HOST}:{port}/postgres", container=name)
    server._wait()
    return server


def _start_binaries(folder: Path, binaries: str) -> Postgres:
    user = _user()
    if user:
        shutil.chown(folder, user)
    initdb = [f"{binaries}/initdb", "-D", f"{folder}/data", "-A", "trust", "-U", "postgres"]
    done = subprocess.run(
        [*initdb, "-E", "UTF8", "--locale=C", "--no-sync"],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        user=user,
    )
    if done.returncode:
        raise Missing(f"initdb failed: {done.stderr}")
    dsn = f"postgresql://postgres@{HOST}:{free_port()}/postgres"
    server = Postgres(dsn, folder=str(folder), binaries=binaries)
    server._run()
    return server
