"""RabbitMQ, one node: at an address, from the distribution's package, or in Docker."""

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

import aio_pika
from aiormq.exceptions import AMQPError

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
    wait_until,
)

ADDRESS = "EVENTGEN_TEST_RABBITMQ"
IMAGE = "rabbitmq:4.3"
READY_SECONDS = 90.0
_SERVER = "rabbitmq-server"
# Where the package has the programs themselves; those on the PATH change user and home first.
_PROGRAMS = "/usr/lib/rabbitmq/bin"
_SETTINGS = """listeners.tcp.1 = {host}:{port}
log.console = true
log.console.level = error
log.file = false
"""
_TLS = """listeners.ssl.1 = {host}:{port}
ssl_options.cacertfile = {folder}/ca.pem
ssl_options.certfile = {folder}/server.pem
ssl_options.keyfile = {folder}/server.key
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = true
"""


@dataclass(frozen=True, slots=True)
class Found:
    """How RabbitMQ can be had: at an `address`, by a `launcher`, or as a container."""

    address: str = ""
    launcher: str = ""


def _path() -> str:
    return os.pathsep.join([_PROGRAMS, os.environ["PATH"]])


def find(*, own: bool = False) -> Found:
    """How RabbitMQ can be had here; `own` when the test means to kill it. Missing if it cannot."""
    if not own and (address := os.environ.get(ADDRESS)):
        return Found(address=address)
    if launcher := shutil.which(_SERVER, path=_path()):
        return Found(launcher=launcher)
    if docker_works():
        return Found()
    raise Missing(
        f"RabbitMQ: there is no {_SERVER} on the PATH, and Docker does not answer. "
        f"Run `python -m tests.servers install`, or set {ADDRESS}=amqp://user:password@host:port/"
    )


def install() -> str:
    """Install RabbitMQ by apt. A node the package starts for itself is left alone."""
    try:
        found = find()
    except Missing:
        apt_install("rabbitmq-server")
        found = find()
    return found.launcher or ("at an address" if found.address else f"container {IMAGE}")


@dataclass(slots=True)
class RabbitMQ:
    """A running RabbitMQ. `folder` or `container` tell what to kill."""

    url: str
    folder: str = ""
    launcher: str = ""
    container: str = ""
    node: str = ""
    killable: bool = True

    def state(self) -> dict[str, Any]:
        """What another process needs to use or stop this server."""
        return asdict(self)

    def kill(self) -> None:
        """SIGKILL. Its data stays for `restart`."""
        kill_server(self, "own_rabbitmq")

    def stop(self) -> None:
        """Stop it as an administrator does; it keeps what it knows."""
        if self.container:
            docker("stop", self.container)
        else:
            self.control("stop")
            wait_until(lambda: not runs(self.folder), 30, "RabbitMQ to stop")

    def restart(self) -> None:
        """Start it again after `kill`, with its data and its address; returns when it is ready."""
        if self.container:
            docker("start", self.container)
        else:
            self._run()
        self._wait()

    def remove(self) -> None:
        """Kill it and delete its data."""
        environment = self._environment() if self.folder else None
        remove_server(self)
        if environment:  # the daemon that knows the node's port is its own, and outlives it
            subprocess.run(["epmd", "-kill"], env=environment, capture_output=True, check=False)

    def speak_tls(self, folder: Path) -> str:
        """Listen with TLS too, and let in who has a certificate; where, as a URL.

        The folder has the files of `tests.support.certificates`.
        """
        if not self.folder:
            raise Missing("RabbitMQ: TLS is for a server that the tests have started alone")
        port = free_port()
        with (Path(self.folder) / "rabbitmq.conf").open("a") as settings:
            settings.write(_TLS.format(host=HOST, port=port, folder=folder))
        self.kill()
        self.restart()
        return f"amqps://guest:guest@localhost:{port}/"

    def control(self, *arguments: str, given: str = "") -> str:
        """Run rabbitmqctl, with something `given` to read; its output."""
        if self.container:
            command = ("exec", "-i", self.container, "rabbitmqctl", "-q", *arguments)
            return docker(*command, given=given)
        done = subprocess.run(
            [str(Path(self.launcher).with_name("rabbitmqctl")), "-q", "-n", self.node, *arguments],
            input=given,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            env=self._environment(),
            user=_user(),
        )
        if done.returncode:
            raise Missing(f"rabbitmqctl {arguments[0]}: {done.stderr}{done.stdout}")
        return done.stdout.strip()

    def _environment(self) -> dict[str, str]:
        data = f"{self.folder}/data"
        return {
            "PATH": _path(),
            "LANG": "C.UTF-8",
            "HOME": data,
            "RABBITMQ_NODENAME": self.node,
            "RABBITMQ_MNESIA_BASE": data,
            "RABBITMQ_LOG_BASE": data,
            "RABBITMQ_CONFIG_FILE": f"{self.folder}/rabbitmq.conf",
            "RABBITMQ_DIST_PORT": Path(self.folder, "dist").read_text(),
            "ERL_EPMD_PORT": Path(self.folder, "epmd").read_text(),
            "RUNNING_UNDER_SYSTEMD": "true",  # the launcher becomes the server: one process
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{data}/enabled_plugins",
        }

    def _run(self) -> None:
        variables = [f"{name}={value}" for name, value in self._environment().items()]
        spawn(["env", *variables, self.launcher], Path(self.folder), user=_user())

    def _wait(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not asyncio.run(_answers(self.url)):
            dead = self.folder and not runs(self.folder)
            if dead or time.monotonic() > deadline:
                raise Missing(f"RabbitMQ did not become ready:\n{tail(self.folder)}")
            time.sleep(0.1)


async def _answers(url: str) -> bool:
    try:
        connection = await aio_pika.connect(url, timeout=5)
    except (OSError, AMQPError, TimeoutError):
        return False
    await connection.close()
    return True


def _user() -> str | None:
    """The user to run as: the launcher wants the package's own when it is run by root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("rabbitmq").pw_name
    except KeyError:
        return None


def start(folder: Path, *, own: bool = False) -> RabbitMQ:
    """Start RabbitMQ with its data in `folder`, or use the one at the given address."""
    found = find(own=own)
    port = free_port()
    if found.address:
        server = RabbitMQ(found.address, killable=False)
    elif found.launcher:
        server = _start_launcher(folder, found.launcher, port)
    else:
        name = docker("run", "-d", "-p", f"{HOST}:{port}:5672", IMAGE)
        server = RabbitMQ(f"amqp://guest:guest@{HOST}:{port}/", container=name)
    server._wait()
    return server


def _start_launcher(folder: Path, launcher: str, port: int) -> RabbitMQ:
    (folder / "rabbitmq.conf").write_text(_SETTINGS.format(host=HOST, port=port))
    for name in ("dist", "epmd"):
        (folder / name).write_text(str(free_port()))
    (folder / "data").mkdir()
    (folder / "data" / "enabled_plugins").write_text("[].")
    if user := _user():
        for path in (folder, folder / "data"):
            shutil.chown(path, user)
    node = f"t{uuid.uuid4().hex[:8]}@localhost"
    url = f"amqp://guest:guest@{HOST}:{port}/"
    server = RabbitMQ(url, folder=str(folder), launcher=launcher, node=node)
    server._run()
    return server
