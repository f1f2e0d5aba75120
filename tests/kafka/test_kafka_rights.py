"""What `export` says a service must be allowed is enough for it, and no more than that."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.servers import kafka as kafka_server
from tests.servers.base import own_server
from tests.servers.kafka import Kafka
from tests.support.rights import SECONDS, service, works

from runtime.kafka import KafkaSettings, KafkaTransport  # isort: skip  - assembled by the support

pytestmark = pytest.mark.servers

PLACED, CAPTURED, OTHERS = "orders.placed", "payments", "secrets"
DENIED = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
}


SERVICE = service(PLACED, CAPTURED, partitions=3, replicas=1, config={"retention.ms": "3600000"})


@dataclass(frozen=True)
class Rights:
    """A cluster that was set up by the exported script alone, but for the topics of others."""

    server: Kafka
    settings: KafkaSettings
    transport: KafkaTransport
    client: dict[str, Any]


@pytest.fixture(scope="module")
def rights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rights]:
    folder = tmp_path_factory.mktemp("rights")
    with own_server(kafka_server, folder / "kafka") as server:
        yield set_up(server, folder)


def set_up(server: Kafka, folder: Path) -> Rights:
    address = server.demand_rights("orders", "secret")
    settings = KafkaSettings(
        bootstrap_servers=address,
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="PLAIN",
        sasl_username="orders",
        sasl_password="secret",  # type: ignore[arg-type]
        session_timeout_ms=6000,
        replication_factor=1,
    )
    transport = KafkaTransport(SERVICE, settings)
    script = folder / "setup.sh"
    script.write_text(transport.export(SERVICE, "orders"))
    (folder / "admin.properties").touch()
    paths = f"{server.tools(folder / 'bin')}:{os.environ['PATH']}"
    env = {
        "PATH": paths,
        "BOOTSTRAP_SERVERS": server.bootstrap,
        "CONFIG": str(folder / "admin.properties"),
    }
    done = subprocess.run(["sh", script], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    server.create_topic(OTHERS)
    client = {**settings.client(), "log_level": 0}
    return Rights(server, settings, transport, client)


def test_with_the_exported_rights_a_service_publishes_and_consumes(
    rights: Rights, group_protocol: str
) -> None:
    own = rights.settings.model_copy(update={"group_protocol": group_protocol})
    everything = KafkaSettings(bootstrap_servers=rights.server.bootstrap)
    transports = (KafkaTransport(SERVICE, settings) for settings in (own, everything))
    asyncio.run(works(*transports, SERVICE))


def test_a_name_with_parameters_stands_for_all_that_begin_like_it(rights: Rights) -> None:
    script = rights.transport.export(service("orders.{shop}.seen", "{tenant}.paid"), "orders")

    assert "Write --operation Describe --topic orders. --resource-pattern-type prefixed" in script
    assert "Read --operation Describe --topic '*'" in script
    assert "--create" not in script


def test_what_is_exported_is_what_provision_creates(rights: Rights) -> None:
    async def test() -> None:
        settings = KafkaSettings(bootstrap_servers=rights.server.bootstrap)
        administrator = KafkaTransport(SERVICE, settings)
        try:
            assert await administrator.provision(SERVICE.channels, dry_run=True) == []
        finally:
            await administrator.close()
        admin = AdminClient({"bootstrap.servers": rights.server.bootstrap})
        assert len(admin.list_topics(PLACED, timeout=SECONDS).topics[PLACED].partitions) == 3

    asyncio.run(test())


def publishes_an_event_of_another_service(rights: Rights) -> None:
    failed: list[KafkaError] = []
    producer = Producer(rights.client)
    producer.produce(CAPTURED, b"", on_delivery=lambda error, _: failed.append(error))
    producer.flush(SECONDS)
    raise KafkaException(*failed)


def reads_what_it_publishes(rights: Rights) -> None:
    with closing(Consumer({**rights.client, "group.id": "orders"})) as client:
        client.assign([TopicPartition(PLACED, 0, 0)])
        complain(client.poll(SECONDS))


def sees_a_topic_of_others(rights: Rights) -> None:
    found = AdminClient(rights.client).list_topics(OTHERS, timeout=SECONDS).topics[OTHERS]
    if found.error is not None:
        raise KafkaException(found.error)


def joins_another_group(rights: Rights) -> None:
    with closing(Consumer({**rights.client, "group.id": "others"})) as client:
        client.subscribe([CAPTURED])
        complain(client.poll(SECONDS))


def creates_a_topic(rights: Rights) -> None:
    admin = AdminClient(rights.client)  # must live until the future is done
    new = NewTopic("more", num_partitions=1, replication_factor=1)
    admin.create_topics([new])["more"].result(SECONDS)


def deletes_its_topic(rights: Rights) -> None:
    admin = AdminClient(rights.client)
    admin.delete_topics([PLACED])[PLACED].result(SECONDS)


def complain(message: Message | None) -> None:
    error = None if message is None else message.error()
    if error is not None:
        raise KafkaException(error)


@pytest.mark.parametrize(
    "forbidden",
    [
        publishes_an_event_of_another_service,
        reads_what_it_publishes,
        sees_a_topic_of_others,
        joins_another_group,
        creates_a_topic,
        deletes_its_topic,
    ],
)
def test_with_the_exported_rights_nothing_else_is_allowed(
    rights: Rights, forbidden: Callable[[Rights], None]
) -> None:
    with pytest.raises(KafkaException) as refused:
        forbidden(rights)
    assert refused.value.args[0].code() in DENIED, refused.value
