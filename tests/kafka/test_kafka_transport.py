"""The Kafka transport against a real Kafka: what it promises to the relay and to the lanes."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import uuid
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from runtime.errors import ConfigurationError
from runtime.kafka import KafkaSettings, KafkaTransport
from runtime.service import Channel, Service, Subscription
from runtime.transport import Outcome, Outgoing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from runtime.transport import Incoming

    from tests.servers.kafka import Kafka

pytestmark = pytest.mark.servers

SECONDS = 30.0  # for everything that must happen at all


def settings(kafka: Kafka, **values: Any) -> KafkaSettings:
    if values.get("group_protocol") != "consumer":
        values.setdefault("session_timeout_ms", 6000)
    return KafkaSettings(bootstrap_servers=kafka.bootstrap, replication_factor=1, **values)


def service(*topics: str) -> Service:
    subscriptions = tuple(
        Subscription(name=f"on-{topic}", channel=channel(topic), routes=()) for topic in topics
    )
    return Service("orders", "1.0.0", "orders", "kafka", None, subscriptions=subscriptions)


def channel(topic: str, **options: Any) -> Channel:
    return Channel(name=topic, address=topic, destination=topic, options=options)


def message(topic: str, key: str | None, body: str, **headers: str) -> Outgoing:
    return Outgoing(topic, key, headers, body.encode())


@asynccontextmanager
async def running(kafka: Kafka, *topics: str, **values: Any) -> AsyncIterator[KafkaTransport]:
    transport = KafkaTransport(service(*topics), settings(kafka, **values))
    await transport.start()
    try:
        yield transport
    finally:
        await transport.close()


class Inbox:
    """What a subscription delivered; `gate` holds deliveries back."""

    def __init__(self, transport: KafkaTransport, topic: str, group: str = "orders") -> None:
        self.transport, self.topic, self.group = transport, topic, group
        self.messages: list[Incoming] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.acknowledge = False
        self.consumer: Any = None

    async def open(self) -> Inbox:
        subscription = Subscription("on-" + self.topic, channel(self.topic), ())
        self.consumer = await self.transport.consume(subscription, self.group, self.deliver)
        return self

    async def deliver(self, messages: Sequence[Incoming]) -> None:
        self.messages += messages
        await self.gate.wait()
        if self.acknowledge:
            self.consumer.ack(messages)

    async def has(self, number: int) -> list[Incoming]:
        await until(lambda: len(self.messages) >= number, f"{number} messages")
        return self.messages

    def bodies(self) -> list[str]:
        return [m.body.decode() for m in self.messages]


async def until(condition: Callable[[], bool], what: str, seconds: float = SECONDS) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)
    assert condition(), what


async def publish(transport: KafkaTransport, *messages: Outgoing) -> list[Outcome]:
    return [sent.outcome for sent in await transport.publish(messages)]


def run(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(test())


# publishing -----------------------------------------------------------------------------------


def test_what_was_sent_arrives_with_key_headers_and_body(kafka: Kafka, topic: str) -> None:
    async def test() -> None:
        async with running(kafka, topic) as transport:
            headers = {"ce_id": "1", "ce_type": "order.placed", "content-type": "text/plain"}
            outcomes = await publish(
                transport,
                Outgoing(topic, "Zoë", headers, b"\x00\xff"),
                Outgoing(topic, None, {}, b""),
            )
            assert outcomes == [Outcome.SENT] * 2
            inbox = await Inbox(transport, topic).open()
            first, second = sorted(await inbox.has(2), key=lambda m: m.key is None)
            assert (first.key, first.headers, first.body) == ("Zoë", headers, b"\x00\xff")
            assert first.destination == topic
            assert first.origin.startswith(f"{topic}/0/")
            assert (second.key, second.headers, second.body) == (None, {}, b"")
            await inbox.consumer.close()

    run(test)


def test_text_that_no_database_could_store_is_replaced(kafka: Kafka, topic: str) -> None:
    async def test() -> None:
        async with running(kafka, topic) as transport:
            await publish(transport, message(topic, "a\x00b", "x", name="c\x00d", odd="\udc80"))
            inbox = await Inbox(transport, topic).open()
            received = (await inbox.has(1))[0]
            assert received.key == "a\ufffdb"
            assert received.headers == {"name": "c\ufffdd", "odd": "?"}
            await inbox.consumer.close()

    run(test)


def test_a_producer_that_met_a_fatal_error_is_replaced(kafka: Kafka, topic: str) -> None:
    async def test() -> None:
        async with running(kafka, topic) as transport:
            before = transport._producer.client
            wave = asyncio.gather(
                *[transport.publish([message(topic, "a", "1")]) for _ in range(9)]
            )
            transport._producer._started.broken = True
            sent = await transport.publish([message(topic, "b", "2")])
            assert [s.outcome for s in sent] == [Outcome.SENT]
            assert {s.outcome for part in await wave for s in part} == {Outcome.SENT}
            assert transport._producer.client is not before

    run(test)


def test_a_message_too_large_for_the_client_is_refused_for_good(kafka: Kafka, topic: str) -> None:
    async def test() -> None:
        async with running(kafka, topic) as transport:
            large, small = await transport.publish(
                [message(topic, "a", "x" * 2_000_000), message(topic, "b", "x")]
            )
            assert large.outcome is Outcome.PERMANENT
            assert "MSG_SIZE_TOO_LARGE" in large.reason
            assert small.outcome is Outcome.SENT

    run(test)


def test_a_message_too_large_for_the_topic_does_not_take_its_batch_with_it(kafka: Kafka) -> None:
    async def test() -> None:
        name = f"small.{uuid.uuid4().hex[:12]}"
        kafka.create_topic(name, 1, {"max.message.bytes": "2000", "compression.type": "producer"})
        noise = os.urandom(5000).hex()
        async with running(kafka, name) as transport:
            wave = [message(name, str(n), noise if n == 7 else f"{n}") for n in range(20)]
            outcomes = await publish(transport, *wave)
            assert outcomes.pop(7) is Outcome.PERMANENT
            assert outcomes == [Outcome.SENT] * 19
            inbox = await Inbox(transport, name).open()
            await inbox.has(19)
            assert sorted(inbox.bodies()) == sorted(str(n) for n in range(20) if n != 7)
            await inbox.consumer.close()

    run(test)


def test_an_unknown_topic_is_refused_until_it_exists(kafka: Kafka, topic: str) -> None:
    async def test() -> None:
        missing = f"missing.{uuid.uuid4().hex[:12]}"
        async with running(kafka, topic) as transport:
            lost, kept = await transport.publish(
                [message(missing, "a", "1"), message(topic, "b", "2")]
            )
            assert lost.outcome is Outcome.PERMANENT
            assert "UNKNOWN_TOPIC" in lost.reason
            assert kept.outcome is Outcome.SENT
            kafka.create_topic(missing)

            async def accepted() -> None:
                while await publish(transport, message(missing, "a", "1")) != [Outcome.SENT]:
                    await asyncio.sleep(0.2)

            await asyncio.wait_for(accepted(), SECONDS)

    run(test)


def test_order_per_key(kafka: Kafka) -> None:
    async def test() -> None:
        name = f"order.{uuid.uuid4().hex[:12]}"
        kafka.create_topic(name, 4)
        async with running(kafka, name) as transport:
            inbox = await Inbox(transport, name).open()
            for number in range(30):
                wave = [message(name, f"key-{k}", f"{number}") for k in range(10)]
                assert await publish(transport, *wave) == [Outcome.SENT] * 10
            by_key: dict[str | None, list[int]] = {}
            for received in await inbox.has(300):
                by_key.setdefault(received.key, []).append(int(received.body))
            assert by_key == {f"key-{k}": list(range(30)) for k in range(10)}
            await inbox.consumer.close()

    run(test)


def test_publishing_recovers_from_a_broker_that_was_killed(own_kafka: Kafka) -> None:
    async def test() -> None:
        name = "orders"
        own_kafka.create_topic(name, 2)
        async with running(own_kafka, name, delivery_timeout_ms=2000) as transport:
            assert await publish(transport, message(name, "a", "before")) == [Outcome.SENT]
            await asyncio.to_thread(own_kafka.kill)
            assert not await transport.healthy()
            away = await transport.publish([message(name, "a", "away")])
            assert away[0].outcome is Outcome.TRANSIENT
            await asyncio.to_thread(own_kafka.restart)

            async def recovered() -> None:
                while await publish(transport, message(name, "a", "after")) != [Outcome.SENT]:
                    await asyncio.sleep(0.1)

            await asyncio.wait_for(recovered(), SECONDS)
            assert await transport.healthy()
            inbox = await Inbox(transport, name).open()
            await until(lambda: "after" in inbox.bodies(), "the last message")
            assert inbox.bodies()[0] == "before"
            await inbox.consumer.close()

    run(test)


# consuming ------------------------------------------------------------------------------------


def test_close_commits_what_is_done(kafka: Kafka, topic: str, group_protocol: str) -> None:
    async def test() -> None:
        async with running(kafka, topic, group_protocol=group_protocol) as transport:
            await publish(transport, *[message(topic, str(n), str(n)) for n in range(3)])
            inbox = await Inbox(transport, topic).open()
            await inbox.has(3)
            inbox.consumer.ack(inbox.messages)
            await inbox.consumer.close()
            await publish(transport, message(topic, "9", "9"))
            again = await Inbox(transport, topic).open()
            assert [m.body for m in await again.has(1)] == [b"9"]
            await again.consumer.close()

    run(test)


def test_only_what_is_done_without_a_gap_is_committed(
    kafka: Kafka, topic: str, group_protocol: str
) -> None:
    async def test() -> None:
        async with running(kafka, topic, group_protocol=group_protocol) as transport:
            for n in range(5):
                await publish(transport, message(topic, "k", str(n)))
            inbox = await Inbox(transport, topic).open()
            await inbox.has(5)
            inbox.consumer.ack([inbox.messages[n] for n in (0, 3, 2)])
            await asyncio.sleep(0.5)  # two commits by the clock
            await inbox.consumer.close()
            again = await Inbox(transport, topic).open()
            await again.has(4)
            assert again.bodies() == ["1", "2", "3", "4"]
            await again.consumer.close()

    run(test)


_TAKES_AND_DIES = """
import asyncio, sys
from tests.support.runtime import importable
importable()
from tests.kafka.test_kafka_transport import Inbox, running
from tests.servers.kafka import Kafka

async def main() -> None:
    async with running(Kafka(sys.argv[1]), sys.argv[2], group_protocol=sys.argv[3]) as transport:
        inbox = await Inbox(transport, sys.argv[2]).open()
        await inbox.has(3)
        inbox.consumer.ack(inbox.messages[:1])
        await asyncio.sleep(1)
        print("taken", flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


def test_a_killed_consumer_loses_nothing_it_did_not_acknowledge(
    kafka: Kafka, topic: str, group_protocol: str
) -> None:
    async def test() -> None:
        async with running(kafka, topic, group_protocol=group_protocol) as transport:
            for n in range(3):
                await publish(transport, message(topic, "k", str(n)))
            process = subprocess.Popen(
                [sys.executable, "-c", _TAKES_AND_DIES, kafka.bootstrap, topic, group_protocol],
                stdout=subprocess.PIPE,
                cwd=Path(__file__).parents[2],
            )
            assert process.stdout is not None
            try:
                line = await asyncio.to_thread(process.stdout.readline)
            finally:
                process.send_signal(signal.SIGKILL)
                process.communicate()
            assert line == b"taken\n"
            inbox = await Inbox(transport, topic).open()
            await inbox.has(2)
            assert inbox.bodies() == ["1", "2"]
            await inbox.consumer.close()

    run(test)


def test_a_slow_service_stays_in_the_group(kafka: Kafka, topic: str, group_protocol: str) -> None:
    async def test() -> None:
        async with running(
            kafka, topic, max_poll_interval_ms=6000, group_protocol=group_protocol
        ) as transport:
            await publish(transport, message(topic, "k", "0"))
            inbox = Inbox(transport, topic)
            inbox.gate.clear()
            await inbox.open()
            await inbox.has(1)
            await publish(transport, message(topic, "k", "1"))
            await asyncio.sleep(8)  # longer than the poll interval the group allows
            assert inbox.bodies() == ["0"], "a delivery began before the last one ended"
            inbox.gate.set()
            await inbox.has(2)
            assert inbox.bodies() == ["0", "1"]
            assert not any(m.stale() for m in inbox.messages)
            await inbox.consumer.close()

    run(test)


def test_pause_stops_deliveries_and_close_still_commits(
    kafka: Kafka, topic: str, group_protocol: str
) -> None:
    async def test() -> None:
        async with running(kafka, topic, group_protocol=group_protocol) as transport:
            inbox = await Inbox(transport, topic).open()
            await publish(transport, message(topic, "k", "0"))
            await inbox.has(1)
            await inbox.consumer.pause()
            await publish(transport, message(topic, "k", "1"))
            await asyncio.sleep(1)
            assert inbox.bodies() == ["0"]
            inbox.consumer.ack(inbox.messages)
            await inbox.consumer.close()
            again = await Inbox(transport, topic).open()
            await again.has(1)
            assert again.bodies() == ["1"]
            await again.consumer.close()

    run(test)


def test_a_rebalance_makes_the_messages_of_moved_partitions_stale(
    kafka: Kafka, group_protocol: str
) -> None:
    async def test() -> None:
        name = f"moved.{uuid.uuid4().hex[:12]}"
        kafka.create_topic(name, 4)
        async with (
            running(kafka, name, group_protocol=group_protocol) as one,
            running(kafka, name, group_protocol=group_protocol) as two,
        ):
            await publish(one, *[message(name, str(n), str(n)) for n in range(40)])
            first = await Inbox(one, name).open()
            await first.has(40)
            second = Inbox(two, name)
            second.acknowledge = True
            await second.open()
            await until(lambda: any(m.stale() for m in first.messages), "stale messages")
            moved = {m.body for m in first.messages if m.stale()}
            assert 0 < len(moved) < 40
            first.consumer.ack(first.messages)  # too late for what has moved
            await second.has(len(moved))
            assert {m.body for m in second.messages} == moved
            await first.consumer.close()
            await second.consumer.close()
        async with running(kafka, name, group_protocol=group_protocol) as three:
            rest = await Inbox(three, name).open()
            await publish(three, message(name, "new", "new"))
            await rest.has(1)
            assert rest.bodies() == ["new"]
            await rest.consumer.close()

    run(test)


def test_a_partition_that_was_taken_away_while_paused_is_read_when_it_is_back(
    kafka: Kafka, group_protocol: str
) -> None:
    async def test() -> None:
        name = f"moved.{uuid.uuid4().hex[:12]}"
        kafka.create_topic(name, 4)
        async with (
            running(kafka, name, group_protocol=group_protocol) as one,
            running(kafka, name, group_protocol=group_protocol) as two,
        ):
            await publish(one, *[message(name, str(n), str(n)) for n in range(40)])
            stays = await Inbox(one, name).open()
            await stays.has(40)
            stays.gate.clear()  # a service that is busy: its partitions are paused
            await publish(one, message(name, "more", "more"))
            await stays.has(41)
            leaves = await Inbox(two, name).open()
            await until(lambda: any(m.stale() for m in stays.messages), "partitions moved")
            stays.gate.set()
            await asyncio.sleep(0.5)  # the partitions that are left go on
            await leaves.consumer.close()
            late = [f"late {n}" for n in range(40)]
            await publish(one, *[message(name, body, body) for body in late])
            await until(lambda: set(late) <= set(stays.bodies()), "all that came later")
            await stays.consumer.close()

    run(test)


def test_what_finishes_during_a_rebalance_is_committed_before_it_moves(
    kafka: Kafka, group_protocol: str
) -> None:
    async def test() -> None:
        name = f"moved.{uuid.uuid4().hex[:12]}"
        kafka.create_topic(name, 4)
        async with (
            running(kafka, name, group_protocol=group_protocol) as one,
            running(kafka, name, group_protocol=group_protocol) as two,
        ):
            await publish(one, *[message(name, str(n), str(n)) for n in range(40)])
            first = await Inbox(one, name).open()
            await first.has(40)
            second = await Inbox(two, name).open()
            await asyncio.sleep(2)  # the first one is asked to give partitions away, and waits
            assert not any(m.stale() for m in first.messages)
            first.consumer.ack(first.messages)
            await until(lambda: any(m.stale() for m in first.messages), "partitions moved")
            await asyncio.sleep(1)
            assert second.bodies() == []
            await first.consumer.close()
            await second.consumer.close()

    run(test)


def test_a_running_group_goes_over_to_the_other_protocol(kafka: Kafka) -> None:
    async def test() -> None:
        name = f"moved.{uuid.uuid4().hex[:12]}"
        kafka.create_topic(name, 4)
        async with (
            running(kafka, name, group_protocol="classic") as old,
            running(kafka, name, group_protocol="consumer") as new,
        ):
            first, second = Inbox(old, name), Inbox(new, name)
            first.acknowledge = second.acknowledge = True

            def all_have(number: int) -> bool:
                return len({*first.bodies(), *second.bodies()}) == number

            await first.open()
            await publish(old, *[message(name, str(n), str(n)) for n in range(40)])
            await first.has(40)
            await second.open()
            await asyncio.sleep(2)  # both are members
            await publish(old, *[message(name, str(n), str(n)) for n in range(40, 80)])
            await until(lambda: all_have(80), "all of them")
            await first.consumer.close()
            await publish(old, *[message(name, str(n), str(n)) for n in range(80, 120)])
            await until(lambda: all_have(120), "the rest")
            await second.consumer.close()

    run(test)


def test_a_destination_with_parameters_takes_every_topic_it_stands_for(
    kafka: Kafka, group_protocol: str
) -> None:
    async def test() -> None:
        run_id = uuid.uuid4().hex[:12]
        destination = f"o{run_id}.{{region}}.placed"
        topics = [f"o{run_id}.eu.placed", f"o{run_id}.us-1.placed"]
        others = [f"o{run_id}.eu.x.placed", f"o{run_id}.eu.placed.dlq", f"o{run_id}xeuxplaced"]
        for name in topics + others:
            kafka.create_topic(name, 1)
        async with running(kafka, topics[0], group_protocol=group_protocol) as transport:
            await publish(transport, *[message(t, "k", t) for t in topics + others])
            inbox = await Inbox(transport, destination).open()
            await inbox.has(2)
            await asyncio.sleep(1)
            assert sorted(inbox.bodies()) == sorted(topics)
            assert {m.destination for m in inbox.messages} == set(topics)
            await inbox.consumer.close()

    run(test)


def test_lag(kafka: Kafka, topic: str) -> None:
    async def test() -> None:
        async with running(kafka, topic) as transport:
            await publish(transport, *[message(topic, str(n), str(n)) for n in range(7)])
            inbox = await Inbox(transport, topic).open()
            await inbox.has(7)

            async def becomes(lag: int) -> None:
                while await inbox.consumer.lag() != lag:
                    await asyncio.sleep(0.1)

            await asyncio.wait_for(becomes(7), SECONDS)
            inbox.consumer.ack(inbox.messages[:5])
            await asyncio.wait_for(becomes(2), SECONDS)
            await inbox.consumer.close()

    run(test)


def test_a_missing_topic_is_named(kafka: Kafka) -> None:
    async def test() -> None:
        async with running(kafka, "nowhere") as transport:
            with pytest.raises(ConfigurationError, match=r"has no topic nowhere.*orders provision"):
                await Inbox(transport, "nowhere").open()

    run(test)


# provisioning ---------------------------------------------------------------------------------


def test_provision_creates_what_is_missing_and_nothing_else(kafka: Kafka, topic: str) -> None:
    async def test() -> None:
        name = f"new.{uuid.uuid4().hex[:12]}"
        config = {"retention.ms": 60000, "unclean.leader.election.enable": False}
        new = channel(name, partitions=3, replicas=1, config=config)
        old = channel(topic, partitions=5)
        pattern = channel("orders.{region}")
        async with running(kafka, topic) as transport:
            planned = await transport.provision([new, old, pattern], dry_run=True)
            assert [change.done for change in planned] == [False]
            assert planned[0].action == (
                f"create topic {name} (3 partitions, 1 replica, "
                "retention.ms=60000, unclean.leader.election.enable=false)"
            )
            assert await transport.provision([new], dry_run=True) == planned, "dry run did it"
            done = await transport.provision([new, old, pattern], dry_run=False)
            assert [(c.action, c.done) for c in done] == [(planned[0].action, True)]
            assert await transport.provision([new, old], dry_run=False) == []
            metadata = transport._producer.client.list_topics(timeout=10).topics
            assert len(metadata[name].partitions) == 3
            assert len(metadata[topic].partitions) == 1
            await (await Inbox(transport, name).open()).consumer.close()

    run(test)


def test_provision_says_why_it_cannot(kafka: Kafka) -> None:
    async def test() -> None:
        async with running(kafka, "x") as transport:
            wrong = channel(f"wrong.{uuid.uuid4().hex[:12]}", replicas=3)
            with pytest.raises(ConfigurationError, match="refuses to create topic wrong"):
                await transport.provision([wrong], dry_run=False)

    run(test)


# history --------------------------------------------------------------------------------------


def test_history_goes_from_an_offset_or_a_time_to_the_end_and_no_group_takes_note(
    kafka: Kafka,
) -> None:
    async def test() -> None:
        name = f"orders.{uuid.uuid4().hex[:12]}"
        for site in ("berlin", "paris"):
            kafka.create_topic(f"{name}.{site}", partitions=2)
        kafka.create_topic(name, partitions=3)

        async def read(start: Any, destination: str = name) -> list[str]:
            found = transport.history(channel(destination), start)
            return [m.body.decode() async for some in found for m in some]

        async with running(kafka, name) as transport:
            for n in range(20):  # one after the other, so that times tell them apart
                await publish(transport, message(name, f"k{n % 5}", str(n), ce_id=str(n)))
            await asyncio.sleep(0.05)  # Kafka's time has milliseconds
            since = datetime.now(UTC)
            await asyncio.sleep(0.05)
            assert await read(since) == []
            late = [message(name, f"k{n % 5}", str(n)) for n in range(20, 25)]
            await publish(transport, *late)
            everything = await read(0)
            assert sorted(map(int, everything)) == list(range(25))
            for key in range(5):
                assert [n for n in everything if int(n) % 5 == key] == [
                    str(n) for n in range(key, 25, 5)
                ]
            assert sorted(await read(since)) == ["20", "21", "22", "23", "24"]
            assert await read(10**9) == []
            assert await read(0, "no.such.topic") == []
            for site in ("berlin", "paris"):
                await publish(transport, message(f"{name}.{site}", None, site))
            assert sorted(await read(0, name + ".{site}")) == ["berlin", "paris"]
            inbox = await Inbox(transport, name).open()  # the group begins where it always did
            await inbox.has(25)
            await inbox.consumer.close()

    run(test)


def test_history_says_when_the_cluster_is_away() -> None:
    async def test() -> None:
        away = KafkaSettings(bootstrap_servers="127.0.0.1:1")
        transport = KafkaTransport(service("orders"), away)
        with pytest.raises(ConnectionError, match="Kafka does not answer"):
            await anext(transport.history(channel("orders"), 0))

    run(test)
