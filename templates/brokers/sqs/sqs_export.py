"""What a service needs on AWS, as a template of CloudFormation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .sqs_names import dead_letters, is_ordered, queue_name, topic_name
from .sqs_topology import MOST_RECEIVES, RETENTION_SECONDS

if TYPE_CHECKING:
    from .service import Channel, Service, Subscription

Resource = dict[str, Any]

_HANDLE = (
    *("sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
    *("sqs:GetQueueUrl", "sqs:ReceiveMessage"),
)
_LOOK = ("sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic")


def template(service: Service, group: str, role: str, visibility: int) -> Resource:
    """Topics that are published to, queues with their subscriptions, and a policy for the role.

    The topics of others are theirs to create. Messages held are invisible for `visibility` seconds.
    """
    published = {p.channel.name: p.channel for p in service.publications}
    resources: dict[str, Resource] = {}
    for channel in published.values():
        resources[_id("Topic", topic_name(channel))] = _topic(channel)
    for subscription in service.subscriptions:
        topic = _topic_arn(subscription.channel, owned=subscription.channel.name in published)
        resources |= _queues(subscription, group, topic, visibility)
    resources["Policy"] = _policy(service, group, role, set(published))
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}


def _topic(channel: Channel) -> Resource:
    fifo = {
        "FifoTopic": True,
        "ContentBasedDeduplication": False,
        "FifoThroughputScope": "MessageGroup",
    }
    return _resource(
        "SNS::Topic", TopicName=topic_name(channel), **(fifo if is_ordered(channel) else {})
    )


def _queues(
    subscription: Subscription, group: str, topic: object, visibility: int
) -> dict[str, Resource]:
    name, dead = queue_name(subscription, group), dead_letters(subscription, group)
    fifo: Resource = {}
    if is_ordered(subscription.channel):
        fifo = {
            "FifoQueue": True,
            "DeduplicationScope": "messageGroup",
            "FifoThroughputLimit": "perMessageGroupId",
        }
    target = {"deadLetterTargetArn": _arn(_id("Queue", dead))}
    made: dict[str, Resource] = {}
    for one, more in (
        (dead, {}),
        (
            name,
            {
                "VisibilityTimeout": visibility,
                "RedrivePolicy": {**target, "maxReceiveCount": MOST_RECEIVES},
            },
        ),
    ):
        queue = _id("Queue", one)
        kept = {"MessageRetentionPeriod": RETENTION_SECONDS}
        made[queue] = _resource("SQS::Queue", QueueName=one, **fifo, **kept, **more)
        made[f"{queue}Policy"] = _resource(
            "SQS::QueuePolicy",
            Queues=[{"Ref": queue}],
            PolicyDocument=_document(
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "sns.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": _arn(queue),
                    "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
                }
            ),
        )
    made[_id("Subscription", name)] = _resource(
        "SNS::Subscription",
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=_arn(_id("Queue", name)),
        RawMessageDelivery=True,
        RedrivePolicy=target,
    )
    return made


def _policy(service: Service, group: str, role: str, published: set[str]) -> Resource:
    """To publish to its topics and to handle what is in its queues, and no more."""
    topics = {c.name: _topic_arn(c, owned=c.name in published) for c in service.channels}
    queues = [
        _arn(_id("Queue", name(subscription, group)))
        for subscription in service.subscriptions
        for name in (queue_name, dead_letters)
    ]
    statements = [
        *_allow(["sns:Publish"], [topics[name] for name in sorted(published)]),
        *_allow(_HANDLE, queues),
        *_allow(_LOOK, list(topics.values())),
    ]
    return _resource("IAM::ManagedPolicy", Roles=[role], PolicyDocument=_document(*statements))


def _allow(actions: Iterable[str], resources: Sequence[object]) -> list[Resource]:
    if not resources:
        return []
    return [{"Effect": "Allow", "Action": list(actions), "Resource": list(resources)}]


def _document(*statements: Resource) -> Resource:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _topic_arn(channel: Channel, *, owned: bool) -> object:
    name = topic_name(channel)
    if owned:
        return {"Ref": _id("Topic", name)}
    region = "arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}"
    return {"Fn::Sub": f"{region}:{name}"}


def _arn(resource: str) -> object:
    return {"Fn::GetAtt": [resource, "Arn"]}


def _id(kind: str, name: str) -> str:
    """A resource's name within the template, which has letters and digits alone."""
    return kind + "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", name))


def _resource(kind: str, **properties: Any) -> Resource:
    return {"Type": f"AWS::{kind}", "Properties": properties}
