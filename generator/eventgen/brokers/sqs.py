"""Amazon SNS and SQS: a topic for each channel, a queue for each subscription, FIFO by key."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from eventgen.diagnostics import Diagnostic, Label, Severity, Span
from eventgen.model import Ordering
from eventgen.plan.broker import Broker, Capabilities
from eventgen.plan.build import compose_view, subscribed
from eventgen.plan.deployment import MOST, TARGET, Deployment, Scaling, Trigger
from eventgen.plan.kinds import FileKind, Subject, View
from eventgen.plan.naming import Naming, collisions, too_long
from eventgen.plan.outputs import broker_files

if TYPE_CHECKING:
    from eventgen.model import Channel, Message, Service

_PARAMETER = re.compile(r"\{[^{}]*\}")
_ILLEGAL = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST_TOPIC = 256
_LONGEST_QUEUE = 80
_DIGEST = 16  # hexadecimal digits that tell names apart which were too long
_REGION = "us-east-1"  # to begin with
_FIFO = ".fifo"
_TOPIC = ("bindings", "sns", "name")
_LOOK = ("sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic")
_HANDLE = (
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
    "sqs:ReceiveMessage",
)


@dataclass(frozen=True, slots=True)
class PolicyView:
    """What the role of a service may do, as an IAM policy."""

    policy: Mapping[str, Any]


def destination(address: str) -> str:
    """The address as it is: the transport makes the names of topics and queues of it."""
    return address


def options(bindings: Mapping[str, Any]) -> Mapping[str, Any]:
    """The topic that the channel binding names."""
    binding = bindings.get("sns")
    name = binding.get("name") if isinstance(binding, Mapping) else None
    return {"topic": name} if isinstance(name, str) and name else {}


def topic_name(channel: Channel) -> str:
    """The topic of a channel, by the transport's rules: `order.placed` is `order-placed.fifo`."""
    given = options(channel.bindings).get("topic")
    name = str(given or _PARAMETER.sub("any", channel.address.value))
    end = _FIFO if channel.ordering is Ordering.KEY else ""
    return (_ILLEGAL.sub("-", name.removesuffix(_FIFO)).strip("-") or "events") + end


def _topic_place(channel: Channel) -> Span:
    return channel.places.at(*(_TOPIC if options(channel.bindings) else ("address",)))


def queue_name(service: Service, channel: Channel) -> str:
    """The queue of a subscription, by the transport's rules: `orders_payments.fifo`."""
    name = f"{service.name.kebab}_{channel.name.kebab}"
    end = _FIFO if channel.ordering is Ordering.KEY else ""
    room = _LONGEST_QUEUE - len(end)
    if len(name) > room:
        name = f"{name[: room - _DIGEST - 1]}-{sha256(name.encode()).hexdigest()[:_DIGEST]}"
    return name + end


def scaling(subject: Subject) -> Scaling:
    """What waits in the queue of each subscription, or is being handled."""
    triggers = [
        Trigger(
            "aws-sqs-queue",
            {
                "queueURL": queue_name(subject.service, channel),
                "queueLength": str(TARGET),
                "awsRegion": _REGION,
            },
        )
        for channel in subscribed(subject)
    ]
    return Scaling(tuple(triggers), MOST)


def policy_view(subject: Subject) -> Iterable[View]:
    """For `deploy/aws/policy.json`: its own topics, and the queues that begin with its name."""
    service = subject.service
    statements = []
    if service.sent():
        statements.append(_allow("Publish", ["sns:Publish"], _topics(service.sent())))
    if service.received():
        queues = [f"arn:aws:sqs:*:*:{service.name.kebab}_*"]
        statements.append(_allow("Handle", _HANDLE, queues))
    if used := (*service.sent(), *service.received()):
        statements.append(_allow("Look", _LOOK, _topics(used)))  # for `doctor` and the health check
    yield View(PolicyView({"Version": "2012-10-17", "Statement": statements}))


def _topics(used: Iterable[tuple[Channel, Message]]) -> list[str]:
    return sorted({f"arn:aws:sns:*:*:{topic_name(channel)}" for channel, _ in used})


def _allow(name: str, actions: Iterable[str], arns: list[str]) -> Mapping[str, Any]:
    return {"Sid": name, "Effect": "Allow", "Action": list(actions), "Resource": arns}


def check(subject: Subject) -> Iterable[Diagnostic]:
    """What SNS would refuse, and what a binding asks for that is done another way."""
    channels, topics = subject.service.channels, Naming("topic", topic_name, _topic_place)
    another = "give one of them another address, or name its topic in an SNS binding"
    yield from collisions("sqs-topic-collision", channels, topics, another)
    shorter = "give the channel a shorter address, or name a topic in its SNS binding"
    yield from too_long("sqs-topic-too-long", channels, topics, _LONGEST_TOPIC, shorter)
    yield from _kinds(subject.service)
    yield from _delays(subject.service)


def _kinds(service: Service) -> Iterator[Diagnostic]:
    """FIFO is what has an order: the binding says the same of it as the channel."""
    for channel in service.channels:
        is_fifo = channel.ordering is Ordering.KEY
        for way, value, fifo in (
            (("sns", "ordering", "type"), _at(channel, "sns", "ordering", "type"), "FIFO"),
            (("sqs", "queue", "fifoQueue"), _at(channel, "sqs", "queue", "fifoQueue"), True),
        ):
            if value is not None and (value == fifo) is not is_fifo:
                yield Diagnostic(
                    "sqs-kind-contradicts-order",
                    Severity.WARNING,
                    f"the channel has {'an' if is_fifo else 'no'} order, and is"
                    f" {'FIFO' if is_fifo else 'not FIFO'} whatever its binding says",
                    Label(channel.places.at("bindings", *way)),
                    help=f"say `x-eventgen: {{ordering: {'none' if is_fifo else 'key'}}}` in the"
                    " channel, or the other in its binding",
                )


def _delays(service: Service) -> Iterator[Diagnostic]:
    for channel in service.channels:
        if delay := _at(channel, "sqs", "queue", "deliveryDelay"):
            yield Diagnostic(
                "sqs-delay-ignored",
                Severity.WARNING,
                f"the binding delays events by {delay} seconds, and they are delivered at once",
                Label(channel.places.at("bindings", "sqs", "queue", "deliveryDelay")),
                help="remove it; a handler that comes too early raises `Retry(after=...)`",
            )


def _at(channel: Channel, *way: str) -> Any:
    """What a binding says at the end of a way; None when it does not."""
    here: Any = channel.bindings
    for part in way:
        here = here.get(part) if isinstance(here, Mapping) else None
    return here


_EXPLANATIONS = {
    "sqs-delay-ignored": """\
A binding asks for events that are delivered later.

## What it checks

The queue of a channel's SQS binding has no `deliveryDelay`.

## Why

A service makes its queues itself, and an event is delivered as soon as it is there. A delay would
hold for every event of the queue.

## Example

```yaml
channels:
  orders:
    address: orders
    messages: {order.placed: {payload: {type: object}}}
    bindings: {sqs: {queue: {name: orders, fifoQueue: true, deliveryDelay: 60}}}
```

## Instead

Remove it. A handler that an event reaches too early raises `Retry(after=...)`.
""",
    "sqs-kind-contradicts-order": """\
A binding says FIFO, and the channel has no order; or the other way round.

## What it checks

The `ordering.type` of a channel's SNS binding, and the `fifoQueue` of its SQS binding, say the same
as the channel's `ordering`.

## Why

Only FIFO topics and queues keep events of a key in their order, so the service makes FIFO what has
one, and standard what has none. Who goes by the binding looks for a topic of the other kind, and
none can be turned into the other later.

## Example

```yaml
channels:
  orders:
    address: orders
    messages: {order.placed: {payload: {type: object}}}
    bindings: {sns: {name: orders, ordering: {type: standard}}}
```

## Instead

Let both say the same: `type: FIFO` in the binding, or `x-eventgen: {ordering: none}` in the
channel.
""",
    "sqs-topic-collision": """\
Two channels become the same topic.

## What it checks

The topics of two channels whose addresses differ also differ. A name has fewer letters to choose
from than an address: what is neither a letter nor a digit nor `_` becomes a hyphen, and a parameter
`any`. A channel's SNS binding may name its topic.

## Why

A queue that is subscribed for events of one of them would take those of the other as well.

## Example

```yaml
channels:
  a: {address: shop/orders, messages: {order.placed: {payload: {type: object}}}}
  b: {address: shop.orders, messages: {order.paid: {payload: {type: object}}}}
```

## Instead

Give one of the two another address. When they are meant to be one, make them one channel.
""",
    "sqs-topic-too-long": """\
A topic's name would be too long.

## What it checks

The topic that a channel's address becomes has at most 256 characters, `.fifo` among them.

## Why

SNS takes no longer ones.

## Example

```yaml
channels:
  orders:
    address: "\\
        com.example.europe.france.paris.shops.department.furniture.customer.orders.\\
        com.example.europe.france.paris.shops.department.furniture.customer.orders.\\
        com.example.europe.france.paris.shops.department.furniture.customer.orders.\\
        com.example.europe.france.paris.shops.orders"
    messages: {order.placed: {payload: {type: object}}}
```

## Instead

Give the channel a shorter address, `address: shop.orders`, or its topic a name:
`bindings: {sns: {name: shop-orders}}`.
""",
}

_DEPLOYMENT = Deployment(
    config={"SQS_REGION": _REGION},
    note=(
        "KEDA asks SQS what is in each queue, also what is being handled. Its own role has to "
        "be allowed sqs:GetQueueAttributes; the service's role is for its ServiceAccount. The "
        "region is the one in kubernetes.yaml."
    ),
    identity="aws",
    scaling=scaling,
)

BROKER = Broker(
    name="sqs",
    title="Amazon SNS/SQS",
    requires=("aiobotocore>=3.10,<4",),
    protocols=("sns", "sqs"),
    capabilities=Capabilities(
        ordering="FIFO queues, a message group for each key",
        replay="none",
        max_message_bytes=262_144,
    ),
    transport="sqs",
    address=destination,
    options=options,
    files=(
        *broker_files(
            "sqs",
            "sqs",
            "sqs_clients",
            "sqs_consumer",
            "sqs_export",
            "sqs_messages",
            "sqs_names",
            "sqs_producer",
            "sqs_topology",
        ),
        FileKind("brokers/sqs/policy.json.j2", "deploy/aws/policy.json", policy_view),
        FileKind("brokers/sqs/compose.yaml.j2", "compose.yaml", compose_view),
        *_DEPLOYMENT.files(),
    ),
    check=check,
    explanations=_EXPLANATIONS,
)
