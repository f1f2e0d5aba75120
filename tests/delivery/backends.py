"""The brokers that proofs run on: what the service needs to know, and what can be counted there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aio_pika
import nats as nats_client
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from tests.delivery import texts
from tests.delivery.matrix import Stack
from tests.servers.sns import ACCOUNT

if TYPE_CHECKING:
    from tests.delivery.proof import Proof
    from tests.servers.kafka import Kafka
    from tests.servers.nats import Nats
    from tests.servers.rabbitmq import RabbitMQ
    from tests.servers.redis import RedisServer
    from tests.servers.sqs import Sqs


@dataclass(frozen=True)
class Backend:
    """One broker of a proof.

    `generated` names the broker the service is generated for, `env` is made of the topic. `create`
    makes what the topic needs; `messages` counts what was published to it, repetitions included;
    `behind` what is not acknowledged.
    """

    generated: str
    env: Callable[[str], Mapping[str, str]]
    create: Callable[[Proof], object]
    messages: Callable[[Proof], int]
    behind: Callable[[Proof], int]


EMBEDDED = Backend(
    generated="kafka",
    env=lambda _: {"PROOF_BROKER": "embedded"},
    create=lambda _: None,
    messages=lambda proof: int(proof.sql(texts.EMBEDDED_MESSAGES)[0]["n"]),
    behind=lambda proof: int(proof.sql(texts.EMBEDDED_BEHIND)[0]["n"]),
)


def kafka(server: Kafka) -> Backend:
    """Topics of one Kafka."""
    bootstrap = server.bootstrap

    def env(topic: str) -> Mapping[str, str]:
        return {
            "PROOF_KAFKA_BOOTSTRAP_SERVERS": bootstrap,
            "PROOF_KAFKA_GROUP_ID": topic,
            # A member that was killed is missed after these milliseconds.
            "PROOF_KAFKA_SESSION_TIMEOUT_MS": "6000",
        }

    def create(proof: Proof) -> None:
        admin = AdminClient({"bootstrap.servers": bootstrap})
        new = NewTopic(proof.topic, num_partitions=8, replication_factor=1)
        admin.create_topics([new], operation_timeout=10)[proof.topic].result(30)

    def partitions(proof: Proof) -> list[tuple[int, int, int]]:
        """Of each partition the first offset, the next one, and what the group has committed."""
        config = {"bootstrap.servers": bootstrap, "group.id": proof.topic, "log_level": 0}
        with closing(Consumer(config)) as client:
            known = client.list_topics(proof.topic, timeout=30).topics[proof.topic].partitions
            places = [TopicPartition(proof.topic, partition) for partition in known]
            done = client.committed(places, timeout=30)
            ends = [client.get_watermark_offsets(place, timeout=30) for place in places]
        return [(*end, place.offset) for end, place in zip(ends, done, strict=True)]

    return Backend(
        generated="kafka",
        env=env,
        create=create,
        messages=lambda proof: sum(high - low for low, high, _ in partitions(proof)),
        behind=lambda proof: sum(high - max(low, done) for low, high, done in partitions(proof)),
    )


def rabbitmq(server: RabbitMQ) -> Backend:
    """Queues of one RabbitMQ. What is published to a topic is also copied to a queue nobody reads.

    What a consumer holds is seen at once in the management's numbers alone, which are a few seconds
    old; so `behind` also closes no gap that the counts of effects do not show.
    """

    def env(topic: str) -> Mapping[str, str]:
        return {
            "PROOF_RABBITMQ_URL": server.url,
            "PROOF_RABBITMQ_GROUP_ID": topic,
            # A peer that is silent is missed after about twice these seconds.
            "PROOF_RABBITMQ_HEARTBEAT_SECONDS": "3",
            "PROOF_RABBITMQ_PUBLISH_TIMEOUT_SECONDS": "3",
        }

    async def with_channel(use: Callable[[Any], Any]) -> Any:
        async with await aio_pika.connect(server.url) as connection:
            return await use(await connection.channel())

    def create(proof: Proof) -> None:
        proof.do("-m", "proof", "provision")

        async def copy(channel: Any) -> None:
            queue = await channel.declare_queue(f"{proof.topic}.copy", durable=True)
            await queue.bind("events", f"{proof.topic}.#")

        asyncio.run(with_channel(copy))

    def messages(proof: Proof) -> int:
        async def count(channel: Any) -> int:
            queue = await channel.declare_queue(f"{proof.topic}.copy", passive=True)
            return int(queue.declaration_result.message_count)

        return int(asyncio.run(with_channel(count)))

    def behind(proof: Proof) -> int:
        lines = server.control("list_queues", "name", "messages", "--no-table-headers")
        queues = [line.split("\t") for line in lines.splitlines()]
        mine = f"{proof.topic}.on"
        return sum(int(number) for name, number in queues if name.startswith(mine))

    return Backend("rabbitmq", env, create, messages, behind)


def redis(server: RedisServer) -> Backend:
    """Streams of one Redis."""

    def env(topic: str) -> Mapping[str, str]:
        return {
            "PROOF_REDIS_URL": server.url,
            "PROOF_REDIS_GROUP_ID": topic,
            # A server that is silent is given up after these seconds.
            "PROOF_REDIS_PUBLISH_TIMEOUT_SECONDS": "3",
        }

    def streams(client: Any, proof: Proof) -> list[str]:
        base = f"events:{proof.topic}"
        many = int(client.get(f"{base}:partitions") or 0)
        return [name for n in range(many) if client.exists(name := f"{base}:{n}")]

    def messages(proof: Proof) -> int:
        with server.client() as client:
            found = [client.xinfo_stream(name) for name in streams(client, proof)]
        return sum(stream["entries-added"] for stream in found)

    def behind(proof: Proof) -> int:
        """A place that Redis cannot count from counts as one that is behind."""
        with server.client() as client:
            groups = [g for name in streams(client, proof) for g in client.xinfo_groups(name)]
        return sum(1 if group["lag"] is None else group["lag"] for group in groups)

    return Backend(
        generated="redis",
        env=env,
        create=lambda proof: proof.do("-m", "proof", "provision"),
        messages=messages,
        behind=behind,
    )


def nats(server: Nats) -> Backend:
    """Streams of one NATS, which forgets at once what it was sent: the inbox has to know it."""

    def env(topic: str) -> Mapping[str, str]:
        return {
            "PROOF_NATS_URL": server.url,
            "PROOF_NATS_GROUP_ID": topic,
            "PROOF_NATS_PUBLISH_TIMEOUT_SECONDS": "3",
            "PROOF_NATS_DUPLICATE_WINDOW_SECONDS": "0.1",
        }

    async def with_streams(use: Callable[[Any], Any]) -> Any:
        async with await nats_client.connect(server.url) as connection:
            return await use(connection.jetstream())

    def stream(proof: Proof) -> str:
        return proof.topic.replace(".", "_")

    def messages(proof: Proof) -> int:
        async def count(streams: Any) -> int:
            return int((await streams.stream_info(stream(proof))).state.messages)

        return int(asyncio.run(with_streams(count)))

    def behind(proof: Proof) -> int:
        rows = proof.sql("SELECT part, position FROM consumer_checkpoint")
        if not rows:
            return messages(proof)

        async def waiting(streams: Any, part: int, sequence: int) -> int:
            config = ConsumerConfig(
                ack_policy=AckPolicy.NONE,
                deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                opt_start_seq=max(1, sequence),
                filter_subject=f"{proof.topic}.{part}",
                inactive_threshold=1,
                mem_storage=True,
            )
            return int((await streams.add_consumer(stream(proof), config)).num_pending)

        async def count(streams: Any) -> int:
            places = [(row["part"], int(row["position"]) % 2**48) for row in rows]
            return sum(await asyncio.gather(*(waiting(streams, *place) for place in places)))

        return int(asyncio.run(with_streams(count)))

    return Backend(
        "nats", env, lambda proof: proof.do("-m", "proof", "provision"), messages, behind
    )


def sqs(server: Sqs) -> Backend:
    """Topics and queues of one SQS with SNS."""

    def env(topic: str) -> Mapping[str, str]:
        return {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "PROOF_SQS_REGION": "us-east-1",
            "PROOF_SQS_ACCOUNT_ID": ACCOUNT,
            "PROOF_SQS_SNS_ENDPOINT_URL": server.url,
            "PROOF_SQS_SQS_ENDPOINT_URL": server.url,
            "PROOF_SQS_GROUP_ID": topic.replace(".", "-"),
            "PROOF_SQS_WAIT_SECONDS": "1",
            # What a process held that was killed is given to another after these seconds.
            "PROOF_SQS_VISIBILITY_SECONDS": "8",
            "PROOF_SQS_PUBLISH_TIMEOUT_SECONDS": "3",
        }

    def create(proof: Proof) -> None:
        """Topics that allow the most there is: how much a relay may send is its own limit."""
        proof.do("-m", "proof", "provision", PROOF_SQS_MESSAGE_MAX_BYTES="1048576")

    def behind(proof: Proof) -> int:
        lines = proof.do("-m", "proof", "lag", "--json").splitlines()
        return sum(int(json.loads(line)["lag"]) for line in lines)

    def messages(_: Proof) -> int:
        raise NotImplementedError("SQS drops what is repeated, so that it shows nothing")

    return Backend(
        generated="sqs",
        env=env,
        create=create,
        messages=messages,
        behind=behind,
    )


SERVERS: Mapping[Stack, tuple[str, Callable[[Any], Backend]]] = {
    Stack.KAFKA: ("kafka", kafka),
    Stack.RABBITMQ: ("rabbitmq", rabbitmq),
    Stack.REDIS: ("redis", redis),
    Stack.SQS: ("sqs", sqs),
    Stack.NATS: ("nats", nats),
}
