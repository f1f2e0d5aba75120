"""The producer for Kafka, where its client holds messages back or has no room for them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from runtime.kafka_producer import KafkaProducer
from runtime.transport import Outcome, Outgoing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime.transport import Sent

    from tests.servers.kafka import Kafka

pytestmark = pytest.mark.servers

SECONDS = 20.0  # for everything that must happen at all
LONGER = 30_000  # milliseconds that nobody here waits


def publish(bootstrap: str, messages: Sequence[Outgoing], **config: Any) -> list[Sent]:
    async def test() -> list[Sent]:
        producer = KafkaProducer(
            {"bootstrap.servers": bootstrap, "delivery.timeout.ms": 2 * LONGER, **config}
        )
        producer.start()
        try:
            return await asyncio.wait_for(producer.publish(messages), SECONDS)
        finally:
            await producer.close()

    return asyncio.run(test())


def numbered(topic: str, many: int) -> list[Outgoing]:
    return [Outgoing(topic, "key", {}, b"%d" % number) for number in range(many)]


def test_a_wave_leaves_at_once_however_long_the_client_would_wait_for_more(
    kafka: Kafka, topic: str
) -> None:
    sent = publish(kafka.bootstrap, numbered(topic, 3), **{"linger.ms": LONGER})

    assert [one.outcome for one in sent] == [Outcome.SENT] * 3


def test_more_than_the_client_has_room_for_waits_its_turn(kafka: Kafka, topic: str) -> None:
    sent = publish(kafka.bootstrap, numbered(topic, 50), **{"queue.buffering.max.messages": 7})

    assert [one.outcome for one in sent] == [Outcome.SENT] * 50
    assert read(kafka, topic, 50) == [b"%d" % number for number in range(50)]


def test_what_finds_no_room_does_not_wait_for_ever() -> None:
    nowhere = "127.0.0.1:9"
    room = {"queue.buffering.max.messages": 2, "delivery.timeout.ms": 1500}
    sent = publish(nowhere, numbered("orders", 3), **room)

    assert [one.outcome for one in sent] == [Outcome.TRANSIENT] * 3


def read(kafka: Kafka, topic: str, many: int) -> list[bytes | None]:
    client = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": "reads"})
    try:
        client.assign([TopicPartition(topic, 0, 0)])
        return [message.value() for message in client.consume(many, SECONDS)]
    finally:
        client.close()
