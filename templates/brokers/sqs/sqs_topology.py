"""Topics, queues and subscriptions: what a service needs, and creating what is missing."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .findings import Finding, PartitionLag
from .sqs_clients import Answered, Clients, is_not_there
from .sqs_names import Names, dead_letters, is_ordered, queue_name, topic_name
from .sqs_producer import MOST_BYTES
from .transport import Change

if TYPE_CHECKING:
    from .service import Channel, Service, Subscription

RETENTION_SECONDS = 14 * 24 * 3600  # the most there is: a service may be away for a while

# SQS gives a message up when it was received so often. The service parks what fails by itself; this
# is for what kills it every time.
MOST_RECEIVES = 1000


@dataclass(frozen=True, slots=True)
class _Topic:
    name: str
    fifo: bool
    most_bytes: int

    @property
    def title(self) -> str:
        return f"topic {self.name}"

    async def is_there(self, clients: Clients) -> bool:
        arn = await clients.arn("sns", self.name)
        client = await clients.sns()
        return await _exists(client.get_topic_attributes(TopicArn=arn))

    async def make(self, clients: Clients) -> None:
        attributes: dict[str, str] = {}
        if self.fifo:
            attributes |= {
                "FifoTopic": "true",
                "ContentBasedDeduplication": "false",
                "FifoThroughputScope": "MessageGroup",
            }
        if self.most_bytes > MOST_BYTES:
            attributes["MaximumMessageSize"] = f"{self.most_bytes}"
        await (await clients.sns()).create_topic(Name=self.name, Attributes=attributes)


@dataclass(frozen=True, slots=True)
class _Queue:
    """A queue that takes what the topic publishes; `dead` is where it leaves what it gives up."""

    name: str
    fifo: bool
    topic: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    dead: str = ""

    @property
    def title(self) -> str:
        return f"queue {self.name}"

    async def is_there(self, clients: Clients) -> bool:
        return await _exists((await clients.sqs()).get_queue_url(QueueName=self.name))

    async def make(self, clients: Clients) -> None:
        attributes = {
            "MessageRetentionPeriod": f"{RETENTION_SECONDS}",
            "Policy": await self._policy(clients),
            **self.attributes,
        }
        if self.fifo:
            attributes |= {
                "FifoQueue": "true",
                "ContentBasedDeduplication": "false",
                "DeduplicationScope": "messageGroup",
                "FifoThroughputLimit": "perMessageGroupId",
            }
        if self.dead:
            target = await clients.arn("sqs", self.dead)
            redrive = {"deadLetterTargetArn": target, "maxReceiveCount": MOST_RECEIVES}
            attributes["RedrivePolicy"] = json.dumps(redrive)
        await (await clients.sqs()).create_queue(QueueName=self.name, Attributes=attributes)

    async def _policy(self, clients: Clients) -> str:
        """Its topic may send to it, and no other."""
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": await clients.arn("sqs", self.name),
            "Condition": {"ArnEquals": {"aws:SourceArn": await clients.arn("sns", self.topic)}},
        }
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@dataclass(frozen=True, slots=True)
class _Link:
    """A queue's subscription to its topic, which gives it messages as they were published."""

    topic: str
    queue: str
    dead: str

    @property
    def title(self) -> str:
        return f"subscription of queue {self.queue} to topic {self.topic}"

    async def is_there(self, clients: Clients) -> bool:
        topic, queue = await clients.arn("sns", self.topic), await clients.arn("sqs", self.queue)
        pages = (await clients.sns()).get_paginator("list_subscriptions_by_topic")
        try:
            async for page in pages.paginate(TopicArn=topic):
                if any(one["Endpoint"] == queue for one in page["Subscriptions"]):
                    return True
        except Answered as error:
            if not is_not_there(error):
                raise
        return False

    async def make(self, clients: Clients) -> None:
        redrive = {"deadLetterTargetArn": await clients.arn("sqs", self.dead)}
        await (await clients.sns()).subscribe(
            TopicArn=await clients.arn("sns", self.topic),
            Protocol="sqs",
            Endpoint=await clients.arn("sqs", self.queue),
            Attributes={"RawMessageDelivery": "true", "RedrivePolicy": json.dumps(redrive)},
        )


@dataclass(frozen=True, slots=True)
class Topology:
    """What a service has on SNS and SQS. Messages held are invisible for `visibility` seconds."""

    names: Names
    group: str
    visibility: int
    most_bytes: int

    def parts(self, channels: Sequence[Channel]) -> Iterator[_Topic | _Queue | _Link]:
        """Everything these channels need, in the order to create it in."""
        for channel in channels:
            yield _Topic(topic_name(channel), is_ordered(channel), self.most_bytes)
        for subscription in self.names.service.subscriptions:
            if subscription.channel in channels:
                yield from self._queues(subscription)

    def _queues(self, subscription: Subscription) -> Iterator[_Queue | _Link]:
        name, dead = queue_name(subscription, self.group), dead_letters(subscription, self.group)
        topic, fifo = topic_name(subscription.channel), is_ordered(subscription.channel)
        yield _Queue(dead, fifo, topic)
        yield _Queue(name, fifo, topic, {"VisibilityTimeout": f"{self.visibility}"}, dead)
        yield _Link(topic, name, dead)

    async def provision(
        self, clients: Clients, channels: Sequence[Channel], *, dry_run: bool
    ) -> list[Change]:
        """Create what is missing; what exists stays as it is."""
        changes = []
        for part in self.parts(channels):
            if await part.is_there(clients):
                continue
            if not dry_run:
                await part.make(clients)
            changes.append(Change(f"create {part.title}", done=not dry_run))
        return changes

    async def lags(self, clients: Clients, subscription: Subscription) -> list[PartitionLag]:
        """What the queue has, with what is under way; it has no offsets."""
        name = queue_name(subscription, self.group)
        waiting = await clients.count(name)
        return [PartitionLag(name, 0, 0, waiting, waiting)]

    async def examine(self, clients: Clients, service: Service) -> list[Finding]:
        """What does not fit the promises."""
        findings = []
        for channel in {one.channel.name: one.channel for one in service.publications}.values():
            topic = topic_name(channel)
            client, arn = await clients.sns(), await clients.arn("sns", topic)
            answer = await client.list_subscriptions_by_topic(TopicArn=arn)
            if not answer["Subscriptions"]:
                findings.append(
                    Finding(
                        f"topic {topic} has no subscription: nobody keeps what is published to it",
                        "provision the services that subscribe to it before events are published",
                    )
                )
        for subscription in service.subscriptions:
            name = dead_letters(subscription, self.group)
            if waiting := await clients.count(name):
                findings.append(
                    Finding(
                        f"queue {name} holds {waiting} events that SQS or SNS gave up on",
                        "find out why, then have them redriven (sqs start-message-move-task)",
                    )
                )
        return findings


async def _exists(asking: Awaitable[object]) -> bool:
    try:
        await asking
    except Answered as error:
        if not is_not_there(error):
            raise
        return False
    return True
