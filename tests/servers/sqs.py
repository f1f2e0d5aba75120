"""SQS and SNS: an ElasticMQ (at an address, from jars by Maven, in Docker), with SNS in front.

The two never die in AWS: what a service sees of a failure is an address that does not answer. So
`kill` is a SIGKILL of what is in front, and the messages stay where they are. ElasticMQ can keep
messages in a file; but started again it gives away those that are behind a held one of their group,
as SQS never does.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.servers.base import (
    HOST,
    Missing,
    docker,
    docker_works,
    free_port,
    kill_process,
    listening,
    maven_install,
    runs,
    spawn,
    tail,
    wait_until,
)

VERSION = "1.7.1"
ADDRESS = "EVENTGEN_TEST_ELASTICMQ"
IMAGE = f"softwaremill/elasticmq-native:{VERSION}"
READY_SECONDS = 60.0

# The two that are left out cannot be had, and are not needed.
_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tests</groupId><artifactId>elasticmq</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.elasticmq</groupId><artifactId>elasticmq-server_3</artifactId>
      <version>{VERSION}</version>
      <exclusions>
        <exclusion>
          <groupId>org.apache.pekko</groupId><artifactId>pekko-testkit_3</artifactId>
        </exclusion>
        <exclusion>
          <groupId>org.apache.maven.plugins</groupId>
          <artifactId>maven-downloader-plugin</artifactId>
        </exclusion>
      </exclusions>
    </dependency>
  </dependencies>
</project>
"""
_SETTINGS = """include classpath("application.conf")
node-address {{ protocol = http, host = "{host}", port = {front}, context-path = "" }}
rest-sqs {{ enabled = true, bind-port = {port}, bind-hostname = "{host}", sqs-limits = strict }}
rest-stats {{ enabled = false }}
aws {{ region = us-east-1, accountId = "000000000000" }}
"""


@dataclass(frozen=True, slots=True)
class Found:
    """How ElasticMQ can be had: at an `address`, from a folder of `jars`, or as a container."""

    address: str = ""
    jars: str = ""


def _cache() -> Path:
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "eventgen-tests" / f"elasticmq-{VERSION}"


def find(*, own: bool = False) -> Found:
    """How ElasticMQ can be had here; `own` when the test means to kill it. Missing if it cannot."""
    if not own and (address := os.environ.get(ADDRESS)):
        return Found(address=address)
    if shutil.which("java") and any(_cache().glob("elasticmq-server_3-*.jar")):
        return Found(jars=str(_cache()))
    if docker_works():
        return Found()
    have = "Java is here, the jars are not" if shutil.which("java") else "there is no Java"
    raise Missing(
        f"ElasticMQ: {have}, and Docker does not answer. "
        f"Run `python -m tests.servers install`, or set {ADDRESS}=http://host:port"
    )


def install() -> str:
    """Get ElasticMQ's jars by Maven into the cache folder (and Java and Maven by apt)."""
    try:
        return _say(find())
    except Missing:
        maven_install(_POM, _cache(), "ElasticMQ")
        return _say(find())


def _say(found: Found) -> str:
    return found.address or found.jars or f"container {IMAGE}"


@dataclass(slots=True)
class Sqs:
    """A running SQS with SNS, both at `url`. `queues` is where ElasticMQ itself is."""

    url: str
    queues: str
    folder: str
    container: str = ""
    killable: bool = True

    def state(self) -> dict[str, Any]:
        """What another process needs to use or stop this server."""
        return asdict(self)

    def kill(self) -> None:
        """SIGKILL of what is in front. Topics and messages stay for `restart`."""
        if not self.killable:
            raise RuntimeError("other tests use this server too; take the fixture `own_sqs`")
        kill_process(self._front)

    def restart(self) -> None:
        """Start it again after `kill`, at its address; returns when it is ready."""
        self._run()
        self._wait()

    def cut(self) -> None:
        """Close every connection."""
        os.kill(int(Path(self._front, "pid").read_text()), signal.SIGUSR1)

    def remove(self) -> None:
        """Kill all of it and delete its data."""
        if self.container:
            docker("rm", "-f", self.container)
        for folder in (self._front, f"{self.folder}/queues"):
            kill_process(folder)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _front(self) -> str:
        return f"{self.folder}/front"

    def _run(self) -> None:
        port = self.url.rpartition(":")[2]
        file = f"{self._front}/topics.json"
        program = str(Path(__file__).with_name("sns.py"))
        spawn([sys.executable, program, port, f"{self.queues}/", file], Path(self._front))

    def _wait(self) -> None:
        port = int(self.url.rpartition(":")[2])
        try:
            wait_until(lambda: listening(port), READY_SECONDS, "SNS")
        except Missing as missing:
            raise Missing(f"{missing}:\n{tail(self._front)}") from missing


def _answers(address: str) -> bool:
    try:
        urllib.request.urlopen(f"{address}/?Action=ListQueues", timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def start(folder: Path, *, own: bool = False) -> Sqs:
    """Start ElasticMQ in `folder`, or use the one at the given address, and SNS in front of it."""
    found = find(own=own)
    port, front = free_port(), free_port()
    server = Sqs(f"http://{HOST}:{front}", f"http://{HOST}:{port}", str(folder))
    for name in ("front", "queues"):
        (folder / name).mkdir()
    if found.address:
        server.queues = found.address.rstrip("/")
    elif found.jars:
        settings = _SETTINGS.format(host=HOST, port=port, front=front)
        (folder / "queues" / "elasticmq.conf").write_text(settings)
        java = ["java", "-Xmx256m", f"-Dconfig.file={folder}/queues/elasticmq.conf"]
        spawn([*java, "-cp", f"{found.jars}/*", "org.elasticmq.server.Main"], folder / "queues")
    else:
        server.container = docker("run", "-d", "-p", f"{HOST}:{port}:9324", IMAGE)
    deadline = time.monotonic() + READY_SECONDS
    while not _answers(server.queues):
        dead = found.jars and not runs(f"{folder}/queues")
        if dead or time.monotonic() > deadline:
            raise Missing(f"ElasticMQ did not become ready:\n{tail(f'{folder}/queues')}")
        time.sleep(0.1)
    server._run()
    server._wait()
    return server
