"""What `lag` and `doctor` read from a cluster, and what is wrong with it."""

from __future__ import annotations

import asyncio
import uuid
from concurrent.futures import Future
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from runtime import kafka_state
from runtime.kafka import KafkaSettings, KafkaTransport
from runtime.service import Channel, Service, Subscription
from runtime.transport import Outgoing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runtime.findings import Finding

    from tests.servers.kafka import Kafka

DAY = 86400.0


def channel(topic: str, **config: Any) -> Channel:
    return Channel(topic, topic, topic, options={"partitions": 2, "config": config})


def service(*channels: Channel) -> Service:
    subscriptions = tuple(Subscription(f"on-{c.name}", c, ()) for c in channels)
    return Service("orders", "1.0.0", "orders", "kafka", None, subscriptions=subscriptions)


SERVICE = service(channel("orders"))


def whats(findings: Iterable[Finding]) -> str:
    return " | ".join(finding.what for finding in findings)


class Loading:
    """The admin client of a cluster that has just started: its coordinator still reads."""

    def __init__(self, code: int, times: int) -> None:
        self._code, self._times = code, times

    def describe_consumer_groups(self, groups: list[str], **_: Any) -> dict[str, Future[Any]]:
        answer: Future[Any] = Future()
        self._times -= 1
        if self._times < 0:
            answer.set_result(SimpleNamespace(members=[]))
        else:
            answer.set_exception(KafkaException(KafkaError(self._code)))
        return {groups[0]: answer}


# judged without a cluster -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("replicas", "brokers", "settings", "expected"),
    [
        (1, 1, {}, ""),  # one broker can hold no second copy
        (3, 5, {"min.insync.replicas": "2", "unclean.leader.election.enable": "false"}, ""),
        (1, 3, {}, "topic t has 1 of 3 replicas"),
        (2, 2, {"min.insync.replicas": "1"}, ""),
        (3, 3, {"min.insync.replicas": "1"}, "one broker alone may confirm"),
        (3, 3, {"min.insync.replicas": "3"}, "nothing can be published while one broker is away"),
        (3, 3, {"min.insync.replicas": "2", "unclean.leader.election.enable": "true"}, "unclean"),
    ],
)
def test_a_topic_whose_events_can_be_lost_is_found(
    replicas: int, brokers: int, settings: dict[str, str], expected: str
) -> None:
    found = list(kafka_state._copies("t", replicas, brokers, settings))
    assert len(found) == bool(expected), whats(found)
    assert expected in whats(found)
    assert all(finding.remedy for finding in found)


@pytest.mark.parametrize(
    ("milliseconds", "days", "number"),
    [("604800000", 14.0, 0), ("604800000", 7.0, 0), ("604800001", 7.0, 1), ("-1", 1.0, 0)],
)
def test_a_topic_that_remembers_longer_than_the_inbox_is_found(
    milliseconds: str, days: float, number: int
) -> None:
    settings = {"retention.ms": milliseconds}
    found = list(kafka_state._retention(SERVICE, "t", days * DAY, settings))
    assert len(found) == number
    assert all("ORDERS_INBOX_RETENTION_DAYS" in finding.remedy for finding in found)


def test_brokers_that_create_topics_are_found() -> None:
    on, off = {"auto.create.topics.enable": "true"}, {"auto.create.topics.enable": "false"}
    assert not list(kafka_state._creating(SERVICE, {"1": off, "2": off}))
    [finding] = kafka_state._creating(SERVICE, {"1": off, "2": on})
    assert "orders provision" in finding.remedy


def test_a_coordinator_that_still_loads_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_state, "_AGAIN", 0.001)
    loading = Loading(KafkaError.COORDINATOR_LOAD_IN_PROGRESS, 3)
    [finding] = kafka_state._consumers(loading, SERVICE, "orders")
    assert finding.what == "nobody consumes on-orders"
    with pytest.raises(KafkaException, match="GROUP_AUTHORIZATION_FAILED"):
        list(
            kafka_state._consumers(Loading(KafkaError.GROUP_AUTHORIZATION_FAILED, 1), SERVICE, "g")
        )


# a real cluster -----------------------------------------------------------------------------------


@pytest.mark.servers
def test_a_cluster_is_asked_about_topics_groups_and_lag(kafka: Kafka, group_protocol: str) -> None:
    name = f"orders.{uuid.uuid4().hex[:12]}"
    wanted = channel(name, **{"retention.ms": int(30 * DAY * 1000)})
    group = f"group.{uuid.uuid4().hex[:12]}"

    async def test() -> None:
        settings = KafkaSettings(
            bootstrap_servers=kafka.bootstrap,
            group_id=group,
            group_protocol=group_protocol,
            replication_factor=1,
        )
        made = service(wanted)
        [subscription] = made.subscriptions
        transport = KafkaTransport(made, settings)
        assert await transport.lags(subscription, "ignored") == []  # there is no topic yet
        await transport.provision([wanted], dry_run=False)
        await transport.start()
        await transport.publish([Outgoing(name, f"k{n}", {}, b"x") for n in range(20)])

        async def lag() -> int:
            found = await transport.lags(subscription, "ignored")
            assert [(each.destination, each.partition) for each in found] == [(name, 0), (name, 1)]
            assert all(each.lag == each.end - each.position for each in found)
            return sum(each.lag for each in found)

        assert await lag() == 20
        assert whats(await transport.examine(made, 14 * DAY)) == (
            f"topic {name} keeps events for 30 days, the inbox remembers them for 14: "
            f"an older one that comes again is handled again | nobody consumes on-{name}"
        )

        taken: list[Any] = []

        async def deliver(messages: Any) -> None:
            taken.extend(messages)

        consumer = await transport.consume(subscription, "ignored", deliver)
        async with asyncio.timeout(30):
            while len(taken) < 20:
                await asyncio.sleep(0.05)
            assert await transport.examine(made, 31 * DAY) == []
            consumer.ack(taken)
            while await lag():
                await asyncio.sleep(0.05)
        await consumer.close()
        await transport.close()

    asyncio.run(test())


@pytest.mark.servers
def test_a_destination_with_parameters_is_all_the_topics_it_stands_for(kafka: Kafka) -> None:
    word = uuid.uuid4().hex[:12]

    async def test() -> None:
        names = [f"{word}.eu.orders", f"{word}.us.orders"]
        settings = KafkaSettings(bootstrap_servers=kafka.bootstrap, replication_factor=1)
        made = service(channel(f"{word}.{{region}}.orders"))
        transport = KafkaTransport(made, settings)
        await transport.provision([channel(name) for name in names], dry_run=False)
        async with asyncio.timeout(30):
            while len(found := await transport.lags(made.subscriptions[0], word)) < 4:
                await asyncio.sleep(0.1)
        assert sorted({each.destination for each in found}) == names
        await transport.close()

    asyncio.run(test())
