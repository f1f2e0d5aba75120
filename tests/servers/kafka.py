"""Apache Kafka, one node in KRaft mode: at an address, from jars by Maven, or in Docker."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import uuid
from base64 import urlsafe_b64encode
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from confluent_kafka.cimpl import NewTopic

from tests.servers.base import (
    HOST,
    Missing,
    docker,
    docker_works,
    free_port,
    kill_server,
    maven_install,
    remove_server,
    runs,
    spawn,
    tail,
)

VERSION = "4.3.1"
ADDRESS = "EVENTGEN_TEST_KAFKA"
IMAGE = f"apache/kafka:{VERSION}"
READY_SECONDS = 60.0

_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tests</groupId><artifactId>kafka</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
      <version>{VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId>
      <version>{VERSION}</version>
    </dependency>
  </dependencies>
</project>
"""

# One node for tests: small internal topics, and short broker sessions, so that a node that was
# killed and started again is not kept waiting for its own dead session. So are those of consumers,
# where brokers set them.
_PROPERTIES = """process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers={host}:{controller}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SSL:SSL,\
SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL
log.dirs={data}
num.partitions=8
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
broker.session.timeout.ms=1500
broker.heartbeat.interval.ms=300
group.consumer.min.session.timeout.ms=6000
group.consumer.session.timeout.ms=6000
group.consumer.min.heartbeat.interval.ms=500
group.consumer.heartbeat.interval.ms=500
"""
_TLS = """ssl.keystore.type=PEM
ssl.keystore.location={own}
ssl.truststore.type=PEM
ssl.truststore.location={folder}/ca.pem
ssl.client.auth=required
"""
_LOGIN = "org.apache.kafka.common.security"
_SASL = f"""sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER
listener.name.sasl_plaintext.plain.sasl.jaas.config=\\
{_LOGIN}.plain.PlainLoginModule required user_{{user}}="{{password}}";
listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config=\\
{_LOGIN}.scram.ScramLoginModule required;
listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config=\\
{_LOGIN}.scram.ScramLoginModule required;
listener.name.sasl_plaintext.oauthbearer.sasl.jaas.config=\\
{_LOGIN}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="kafka";
"""

# The image is configured by the same settings, as environment variables; it listens at the same
# port inside and outside, since that is the port it tells its clients.
_IN_IMAGE = {"host": "0.0.0.0", "data": "/tmp/kafka-data"}


def _cache() -> Path:
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "eventgen-tests" / f"kafka-{VERSION}"


@dataclass(frozen=True, slots=True)
class Found:
    """How Kafka can be had: at an `address`, from a folder of `jars`, or as a container."""

    address: str = ""
    jars: str = ""


def find(*, own: bool = False) -> Found:
    """How Kafka can be had here; `own` when the test means to kill it. Missing when it cannot."""
    if not own and (address := os.environ.get(ADDRESS)):
        return Found(address=address)
    if shutil.which("java"):
        homes = [Path(home) / "libs"] if (home := os.environ.get("KAFKA_HOME")) else []
        for folder in (*homes, _cache()):
            if any(folder.glob("kafka_2.13-*.jar")):
                return Found(jars=str(folder))
    if docker_works():
        return Found()
    have = "Java is here, the jars are not" if shutil.which("java") else "there is no Java"
    raise Missing(
        f"Kafka: {have}, KAFKA_HOME does not help, and Docker does not answer. "
        f"Run `python -m tests.servers install`, or set {ADDRESS}=host:port"
    )


def install() -> str:
    """Get Kafka's jars by Maven into the cache folder (and Java and Maven by apt when absent)."""
    try:
        return _say(find())
    except Missing:
        pass
    maven_install(_POM, _cache(), "Kafka")
    return _say(find())


def _say(found: Found) -> str:
    return found.address or found.jars or f"container {IMAGE}"


@dataclass(slots=True)
class Kafka:
    """A running Kafka. `folder` or `container` tell what to kill; neither at a given address."""

    bootstrap: str
    folder: str = ""
    jars: str = ""
    container: str = ""
    killable: bool = True

    def state(self) -> dict[str, Any]:
        """What another process needs to use or stop this server."""
        return asdict(self)

    def kill(self) -> None:
        """SIGKILL. Its data stays for `restart`."""
        kill_server(self, "own_kafka")

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

    def create_topic(
        self, name: str, partitions: int = 8, config: dict[str, str] | None = None
    ) -> None:
        """Create a topic and wait until the broker knows it."""
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        topic = NewTopic(name, num_partitions=partitions, replication_factor=1, config=config or {})
        admin.create_topics([topic], operation_timeout=10)[name].result(20)

    def delete_topic(self, name: str) -> None:
        """Delete a topic."""
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        admin.delete_topics([name], operation_timeout=10)[name].result(20)

    def demand_rights(self, user: str, password: str) -> str:
        """Have rights checked, and let a user in who has none; the address that is for this one.

        Whoever comes without a name may do everything, as before.
        """
        if not self.folder:
            raise Missing("Kafka: rights are checked on a server from jars alone")
        login = f"{_LOGIN}.plain.PlainLoginModule required"
        return self._listen(
            "SASL_PLAINTEXT",
            "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\n"
            "super.users=User:ANONYMOUS\n"
            "sasl.enabled.mechanisms=PLAIN\n"
            "listener.name.sasl_plaintext.plain.sasl.jaas.config="
            f'{login} user_{user}="{password}";\n',
        )

    def ask_who(self, user: str, password: str) -> str:
        """Listen for users too, and know one by each mechanism; where.

        With OAUTHBEARER it is whoever has a token, which nobody need have signed.
        """
        address = self._listen("SASL_PLAINTEXT", _SASL.format(user=user, password=password))
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        for kind in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512):
            how = ScramCredentialInfo(kind, 4096)
            known = UserScramCredentialUpsertion(user, how, password.encode())
            admin.alter_user_scram_credentials([known])[user].result(20)
        return address

    def speak_tls(self, folder: Path) -> str:
        """Listen with TLS too, and let in who has a certificate; where.

        The folder has the files of `tests.support.certificates`.
        """
        own = Path(self.folder) / "server.pem"
        own.write_text((folder / "server.key").read_text() + (folder / "server.pem").read_text())
        return self._listen("SSL", _TLS.format(own=own, folder=folder))

    def _listen(self, protocol: str, settings: str) -> str:
        """Listen with one more protocol, and these settings; where."""
        address = f"localhost:{free_port()}"
        file = Path(self.folder) / "server.properties"
        plain = file.read_text()
        for name in ("listeners", "advertised.listeners"):
            plain = plain.replace(f"\n{name}=", f"\n{name}={protocol}://{address},")
        file.write_text(plain + settings)
        self.kill()
        self.restart()
        return address

    def tools(self, folder: Path) -> Path:
        """A folder with the scripts of Kafka's distribution that the jars have the programs of."""
        if not self.jars:
            raise Missing("Kafka: its tools are there with its jars alone")
        folder.mkdir()
        for name, program in (("kafka-topics.sh", "TopicCommand"), ("kafka-acls.sh", "AclCommand")):
            java = f"java -Xmx128m -cp '{self.jars}/*' org.apache.kafka.tools.{program}"
            (folder / name).write_text(f'#!/bin/sh\nexec {java} "$@"\n')
            (folder / name).chmod(0o755)
        return folder

    def _run(self) -> None:
        folder = Path(self.folder)
        spawn(
            [
                "java",
                "-Xms256m",
                "-Xmx1g",
                "-cp",
                f"{self.jars}/*",
                f"-Dlog4j2.configurationFile={folder}/log4j2.properties",
                "kafka.Kafka",
                f"{folder}/server.properties",
            ],
            folder,
        )

    def _wait(self) -> None:
        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                if admin.list_topics(timeout=1).brokers:
                    return
            except KafkaException:
                pass
            dead = self.folder and not runs(self.folder)
            if dead or time.monotonic() > deadline:
                raise Missing(
                    f"Kafka at {self.bootstrap} did not become ready:\n{tail(self.folder)}"
                )


def start(folder: Path, *, own: bool = False) -> Kafka:
    """Start Kafka with its data in `folder`, or use the one at the given address."""
    found = find(own=own)
    if found.address:
        server = Kafka(found.address, killable=False)
    elif found.jars:
        server = _start_jars(folder, found.jars)
    else:
        server = _start_container()
    server._wait()
    return server


def _start_jars(folder: Path, jars: str) -> Kafka:
    port, controller = free_port(), free_port()
    properties = _PROPERTIES.format(
        host=HOST, port=port, controller=controller, data=folder / "data"
    )
    (folder / "server.properties").write_text(properties)
    (folder / "log4j2.properties").write_text(
        "rootLogger.level=WARN\nrootLogger.appenderRef.out.ref=OUT\n"
        "appender.out.type=Console\nappender.out.name=OUT\n"
    )
    cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")
    tool = ["java", "-Xmx256m", "-cp", f"{jars}/*", "kafka.tools.StorageTool"]
    prepare = ["format", "--standalone", "-t", cluster, "-c", f"{folder}/server.properties"]
    done = subprocess.run([*tool, *prepare], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Missing(f"Kafka could not prepare its folder: {done.stdout}{done.stderr}")
    server = Kafka(f"{HOST}:{port}", folder=str(folder), jars=jars)
    server._run()
    return server


def _start_container() -> Kafka:
    port, controller = free_port(), free_port()
    lines = _PROPERTIES.format(port=port, controller=controller, **_IN_IMAGE).splitlines()
    settings = dict(line.split("=", 1) for line in lines)
    settings["controller.quorum.bootstrap.servers"] = f"localhost:{controller}"
    settings["advertised.listeners"] = f"PLAINTEXT://{HOST}:{port}"
    variables = [f"KAFKA_{k.replace('.', '_').upper()}={v}" for k, v in settings.items()]
    environment = [word for variable in variables for word in ("-e", variable)]
    name = docker("run", "-d", "-p", f"{HOST}:{port}:{port}", *environment, IMAGE)
    return Kafka(f"{HOST}:{port}", container=name)
