"""What the servers share: ports, processes, containers, packages."""

from __future__ import annotations

import functools
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOST = "127.0.0.1"
LOG = "log"
_PID = "pid"


class Missing(Exception):  # noqa: N818  - says what is missing
    """A server cannot be had here. The message names what is missing and how to get it."""


def free_port() -> int:
    """A free port below the ephemeral range.

    A client that reconnects to a dead server at an ephemeral port can be given that very port as
    its own, and then talks to itself while the server cannot come back.
    """
    for _ in range(200):
        port = random.randint(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise Missing("no free TCP port between 20000 and 32000 on 127.0.0.1")


def listening(port: int) -> bool:
    """Whether something accepts connections at the port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((HOST, port)) == 0


def spawn(command: list[str], folder: Path, user: str | None = None) -> None:
    """Start a process that outlives its starter. `folder` gets its output and its id."""
    with (folder / LOG).open("ab") as out:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=folder,
            user=user,
        )
    _children[process.pid] = process
    (folder / _PID).write_text(str(process.pid))


_children: dict[int, subprocess.Popen[bytes]] = {}


def alive(pid: int) -> bool:
    """Whether the process runs (a zombie does not)."""
    if pid in _children:
        return _children[pid].poll() is None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state != "Z"


def runs(folder: str) -> bool:
    """Whether the process that was started in the folder runs."""
    try:
        return alive(int((Path(folder) / _PID).read_text()))
    except FileNotFoundError:
        return False


def kill_process(folder: str) -> None:
    """SIGKILL the process that was started in `folder`, if there is one; wait until it is gone."""
    try:
        pid = int((Path(folder) / _PID).read_text())
    except FileNotFoundError:
        return
    try:
        if folder.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes():
            return
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return
    if alive(pid):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not alive(pid), 10, f"process {pid} to die")
    _children.pop(pid, None)


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Poll a condition; Missing, naming `what`, when it does not become true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Missing(f"waited {seconds:g} s for {what}")
        time.sleep(0.05)


def tail(folder: str, lines: int = 15) -> str:
    """The last lines of a server's log."""
    try:
        return "\n".join((Path(folder) / LOG).read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "(no log)"


# servers --------------------------------------------------------------------------------------


class Server(Protocol):
    """A running server. `folder` or `container` tell what to kill; neither at a given address."""

    folder: str
    container: str
    killable: bool


def kill_server(server: Server, fixture: str) -> None:
    """SIGKILL. `fixture` gives a test a server of its own."""
    if not server.killable:
        raise RuntimeError(f"other tests use this server too; take the fixture `{fixture}`")
    if server.container:
        docker("kill", server.container)
    elif server.folder:
        kill_process(server.folder)


def remove_server(server: Server) -> None:
    """Kill it and delete its data."""
    if server.container:
        docker("rm", "-f", server.container)
    elif server.folder:
        kill_process(server.folder)
        shutil.rmtree(server.folder, ignore_errors=True)


@contextmanager
def own_server(module: Any, folder: Path) -> Iterator[Any]:
    """A server of one's own, with its data in a new folder."""
    folder.mkdir(mode=0o755)
    server = module.start(folder, own=True)
    try:
        yield server
    finally:
        server.remove()


# containers -----------------------------------------------------------------------------------


@functools.cache
def docker_works() -> bool:
    """Whether there is a Docker client with a daemon behind it."""
    if shutil.which("docker") is None:
        return False
    done = subprocess.run(["docker", "info"], capture_output=True, timeout=30, check=False)
    return done.returncode == 0


def docker(*arguments: str, given: str = "") -> str:
    """Run a docker command; its output. Missing with its words when it fails."""
    command = ["docker", *arguments]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Missing(f"docker {arguments[0]}: {done.stderr.strip()}")
    return done.stdout.strip()


# packages -------------------------------------------------------------------------------------


def apt_install(*packages: str) -> None:
    """Install Debian packages, as root or with a sudo that asks for no password."""
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    names = " ".join(packages)
    if shutil.which("apt-get") is None:
        raise Missing(f"there is no apt-get here; install by hand what stands for: {names}")
    if root and (
        shutil.which("sudo") is None
        or subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode
    ):
        raise Missing(f"not root, and sudo asks for a password; run: apt-get install {names}")
    quiet = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-y"]
    subprocess.run([*quiet, "update"], stdin=subprocess.DEVNULL, check=False)
    install = [*quiet, "install", "--no-install-recommends", *packages]
    if subprocess.run(install, stdin=subprocess.DEVNULL, check=False).returncode:
        raise Missing(f"apt-get could not install {names}")


def maven_install(pom: str, target: Path, what: str) -> None:
    """Get the jars that a pom depends on into a folder; Java and Maven by apt when absent."""
    absent = {"java": "default-jre-headless", "mvn": "maven"}
    packages = [package for command, package in absent.items() if not shutil.which(command)]
    if packages:
        apt_install(*packages)
    # Into a folder of its own first: an interrupted download must not look like an installation.
    part = target.with_name(f"{target.name}.{os.getpid()}")
    part.mkdir(parents=True)
    try:
        (part / "pom.xml").write_text(pom)
        copy = ["mvn", "-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime"]
        done = subprocess.run(
            [*copy, "-DoutputDirectory=lib"], cwd=part, stdin=subprocess.DEVNULL, check=False
        )
        if done.returncode:
            raise Missing(f"Maven could not get the jars of {what}")
        shutil.rmtree(target, ignore_errors=True)
        (part / "lib").rename(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
