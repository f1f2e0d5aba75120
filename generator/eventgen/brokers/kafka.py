"""Apache Kafka: topics, partitions by key, consumer groups."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from eventgen.diagnostics import Diagnostic, Label, Severity
from eventgen.plan.broker import Broker, Capabilities
from eventgen.plan.build import compose_view, package_view
from eventgen.plan.kinds import FileKind, Subject

# What org.apache.kafka.common.internals.Topic allows.
_ILLEGAL = re.compile(r"[^A-Za-z0-9._{}-]+")
_LONGEST_TOPIC = 249


def topic(address: str) -> str:
    """The topic of a channel address: `/user/{id}/signed up` becomes `user.{id}.signed-up`.

    `{parameters}` stay; the transport fills them in, and subscribes to them by pattern.
    """
    dotted = address.strip("/").replace("/", ".")
    return _ILLEGAL.sub("-", dotted).strip("-") or "events"


def options(bindings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Partitions, replicas and topic configuration of the channel binding, under Kafka's names."""
    binding = bindings.get("kafka")
    if not isinstance(binding, Mapping):
        return {}
    picked: dict[str, Any] = {
        name: binding[name]
        for name in ("partitions", "replicas")
        if isinstance(binding.get(name), int)
    }
    configuration = binding.get("topicConfiguration")
    if isinstance(configuration, Mapping):
        picked["config"] = {
            name: ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
            for name, value in sorted(configuration.items())
        }
    return picked


def check(subject: Subject) -> Iterable[Diagnostic]:
    """Two channels must not share a topic by accident, and a topic's name must not be too long."""
    taken: dict[str, Any] = {}
    for channel in subject.service.channels:
        name = topic(channel.address.value)
        label = Label(channel.span)
        if len(name) > _LONGEST_TOPIC:
            yield Diagnostic(
                "kafka-topic-too-long",
                Severity.ERROR,
                f"A topic of {len(name)} characters; Kafka takes {_LONGEST_TOPIC}",
                label,
                help="give the channel a shorter address",
            )
        other = taken.setdefault(name, channel)
        if other.address != channel.address:
            yield Diagnostic(
                "kafka-topic-collision",
                Severity.ERROR,
                f"Two channels become the same topic, `{name}`",
                label,
                (Label(other.span, "the other channel"),),
                help="give one of them another address",
            )


_EXPLANATIONS = {
    "kafka-topic-collision": """\
Two channels become the same Kafka topic.

## What it checks

The topics of two channels whose addresses differ also differ. A topic has fewer letters to choose
from than an address: `/` and other signs become dots.

## Why

Events of both channels would be mixed in one topic.

## Example

```yaml
channels:
  a: {address: shop/orders, messages: {order.placed: {payload: {type: object}}}}
  b: {address: shop.orders, messages: {order.paid: {payload: {type: object}}}}
```

## Instead

Give one of the two another address. When they are meant to be one topic, make them one channel.
""",
    "kafka-topic-too-long": """\
A Kafka topic's name would be too long.

## What it checks

The topic that a channel's address becomes has at most 249 characters.

## Why

Kafka refuses to create a topic with a longer name.

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

Give the channel a shorter address: `address: shop.orders`.
""",
}

BROKER = Broker(
    name="kafka",
    title="Apache Kafka",
    requires=("confluent-kafka>=2.16,<3",),
    capabilities=Capabilities(
        ordering="partitions by key",
        replay="offset or time",
        max_message_bytes=1_048_588,
    ),
    transport="kafka",
    address=topic,
    options=options,
    files=(
        *(
            FileKind(
                f"brokers/kafka/{module}.py", f"src/{{package}}/_runtime/{module}.py", package_view
            )
            for module in (
                "kafka",
                "kafka_consumer",
                "kafka_history",
                "kafka_producer",
                "kafka_state",
                "kafka_topics",
            )
        ),
        FileKind("brokers/kafka/compose.yaml.j2", "compose.yaml", compose_view),
    ),
    check=check,
    explanations=_EXPLANATIONS,
)
