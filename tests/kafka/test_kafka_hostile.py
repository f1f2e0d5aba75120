"""Hostile messages on Kafka and PostgreSQL: each ends as it should, and none holds up another."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import KafkaError, Message, Producer
from runtime.databases import open_database
from runtime.kafka import KafkaSettings, KafkaTransport

from tests.runtime.hostile import CASES, GROUP, HUGE, Hostile, among_neighbours, victim
from tests.support.runtime import create_tables

if TYPE_CHECKING:
    from tests.servers.kafka import Kafka
    from tests.servers.postgres import Postgres

pytestmark = pytest.mark.servers

ROOM = 2 * HUGE


def produce(kafka: Kafka, topic: str, messages: tuple[Hostile, ...]) -> None:
    """Send them as they are, past the transport, which would send no such thing."""
    config = {"bootstrap.servers": kafka.bootstrap, "message.max.bytes": ROOM, "log_level": 0}
    errors: list[KafkaError] = []

    def report(error: KafkaError | None, _: Message) -> None:
        errors.extend([error] if error else [])

    producer = Producer(config)
    for message in messages:
        producer.produce(
            topic, message.body, message.key, headers=list(message.headers), on_delivery=report
        )
        producer.poll(0)
    assert producer.flush(60) == 0
    assert errors == []


def test_each_ends_as_it_should_and_none_is_lost_or_holds_up_another(
    kafka: Kafka, postgres: Postgres
) -> None:
    messages = among_neighbours(CASES)
    topic = f"orders.{uuid.uuid4().hex[:12]}"
    kafka.create_topic(topic, partitions=2, config={"max.message.bytes": str(ROOM)})
    produce(kafka, topic, messages)

    async def test() -> None:
        database = open_database(postgres.url)
        await create_tables(database)
        settings = KafkaSettings(bootstrap_servers=kafka.bootstrap, session_timeout_ms=6000)
        async with victim(database, topic) as subscription:
            transport = KafkaTransport(subscription.service, settings)
            await transport.start()
            async with subscription.consuming(transport):
                await subscription.settled(len(messages))
            assert await subscription.ends(messages) == {m.name: m.end for m in messages}
            lags = await transport.lags(subscription.subscription, GROUP)
            assert [partition.lag for partition in lags] == [0, 0], "all of it is committed"
            await transport.close()
        await database.close()

    asyncio.run(test())
