"""Redis, one primary: at an address, from the distribution's package, or in Docker."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import redis

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

ADDRESS = "EVENTGEN_TEST_REDIS"
IMAGE = "redis:8"
READY_SECONDS = 30.0
_SERVER = "redis-server"
_DURABLE = ("--appendonly", "yes", "--appendfsync", "always", "--save", "")
# The process is told from others by the folder in its command line, so that must stay.
_SETTINGS = """bind {host}
port {port}
dir {folder}
appendonly yes
appendfsync always
save ""
set-proc-title no
"""
_TLS = """tls-port {port}
tls-ca-cert-file {folder}/ca.pem
tls-cert-file {folder}/server.pem
tls-key-file {folder}/server.key
tls-auth-clients yes
"""


@dataclass(frozen=True, slots=True)
class Found:
    """How Redis can be had: at an `address`, by a `program`, or as a container."""

    address: str = ""
    program: str = ""


def find(*, own: bool = False) -> Found:
    """How Redis can be had here; `own` when the test means to kill it. Missing if it cannot."""
    if not own and (address := os.environ.get(ADDRESS)):
        return Found(address=address)
    if program := shutil.which(_SERVER):
        return Found(program=program)
    if docker_works():
        return Found()
    raise Missing(
        f"Redis: there is no {_SERVER} on the PATH, and Docker does not answer. "
        f"Run `python -m tests.servers install`, or set {ADDRESS}=redis://user:password@host:port"
    )


def install() -> str:
    """Install Redis by apt. A server the package starts for itself is left alone."""
    try:
        found = find()
    except Missing:
        apt_install(_SERVER)
        found = find()
    return found.program or ("at an address" if found.address else f"container {IMAGE}")


@dataclass(slots=True)
class RedisServer:
    """A running Redis. `folder` or `container` tell what to kill."""

    url: str
    folder: str = ""
    program: str = ""
    container: str = ""
    killable: bool = True

    def state(self) -> dict[str, Any]:
        """What another process needs to use or stop this server."""
        return asdict(self)

    def client(self) -> Any:
        """A client that blocks; its texts are `str`."""
        return redis.Redis.from_url(self.url, decode_responses=True, protocol=2)

    def kill(self) -> None:
        """SIGKILL. Its data stays for `restart`."""
        kill_server(self, "own_redis")

    def restart(self) -> None:
        """Start it again after `kill`, with its data and its address; returns when it is ready."""
        if self.container:
            docker("start", self.container)
        else:
            self._run()
        self._wait()

    def lose_everything(self) -> None:
        """Come back from a SIGKILL without data, as it does when it keeps none on the disk."""
        with self.client() as client:
            client.flushall()
        self.kill()
        self.restart()

    def remove(self) -> None:
        """Kill it and delete its data."""
        remove_server(self)

    def speak_tls(self, folder: Path) -> str:
        """Listen with TLS too, and let in who has a certificate; where, as a URL.

        The folder has the files of `tests.support.certificates`.
        """
        if not self.folder:
            raise Missing("Redis: TLS is for a server that the tests have started alone")
        port = free_port()
        with (Path(self.folder) / "redis.conf").open("a") as settings:
            settings.write(_TLS.format(port=port, folder=folder))
        self.kill()
        self.restart()
        return f"rediss://localhost:{port}"

    def _run(self) -> None:
        spawn([self.program, f"{self.folder}/redis.conf"], Path(self.folder))

    def _wait(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not self._answers():
            dead = self.folder and not runs(self.folder)
            if dead or time.monotonic() > deadline:
                raise Missing(f"Redis did not become ready:\n{tail(self.folder)}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        with self.client() as client:
            try:
                return bool(client.ping())
            except (redis.ConnectionError, redis.TimeoutError):
                return False


def start(folder: Path, *, own: bool = False) -> RedisServer:
    """Start Redis with its data in `folder`, or use the one at the given address."""
    found = find(own=own)
    port = free_port()
    url = f"redis://{HOST}:{port}"
    if found.address:
        server = RedisServer(found.address, killable=False)
    elif found.program:
        settings = _SETTINGS.format(host=HOST, port=port, folder=folder)
        (folder / "redis.conf").write_text(settings)
        server = RedisServer(url, folder=str(folder), program=found.program)
        server._run()
    else:
        name = docker("run", "-d", "-p", f"{HOST}:{port}:6379", IMAGE, _SERVER, *_DURABLE)
        server = RedisServer(url, container=name)
    server._wait()
    return server
