"""Apache Kafka: topics, partitions by key, consumer groups."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from eventgen.diagnostics import Diagnostic, Label, Severity
from eventgen.plan.broker import Broker, Capabilities
from eventgen.plan.build import compose_view, env_prefix, subscribed
from eventgen.plan.deployment import TARGET, Deployment, Scaling, Trigger
from eventgen.plan.kinds import FileKind, Subject
from eventgen.plan.naming import Naming, collisions, too_long
from eventgen.plan.outputs import TLS_MODULES, broker_files, runtime_files

if TYPE_CHECKING:
    from eventgen.model import Channel, Service

# What org.apache.kafka.common.internals.Topic allows.
_ILLEGAL = re.compile(r"[^A-Za-z0-9._{}-]+")
_LONGEST_TOPIC = 249
_PARTITIONS = 8  # of topics that do not say
_POLICY = ("bindings", "kafka", "topicConfiguration", "cleanup.policy")


def topic(address: str) -> str:
    """The topic of a channel address: `/user/{id}/signed up` becomes `user.{id}.signed-up`.

    `{parameters}` stay; the transport fills them in, and subscribes to them by pattern.
    """
    dotted = address.strip("/").replace("/", ".")
    return _ILLEGAL.sub("-", dotted).strip("-") or "events"


def _topic(channel: Channel) -> str:
    return topic(channel.address.value)


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


def scaling(subject: Subject) -> Scaling:
    """The lag of the service's group: in each topic, or in all where one topic is a pattern."""
    channels = subscribed(subject)
    names = {topic(channel.address.value) for channel in channels}
    metadata = {
        "bootstrapServersFromEnv": env_prefix(subject) + "KAFKA_BOOTSTRAP_SERVERS",
        "consumerGroup": subject.service.name.kebab,
        "lagThreshold": str(TARGET),
        "offsetResetPolicy": "earliest",
        "version": "2.8.0",  # the default is too old for Kafka 4
    }
    fixed = sorted(name for name in names if "{" not in name)
    triggers = [Trigger("kafka", {**metadata, "topic": name}) for name in fixed]
    if len(fixed) < len(names):
        triggers.append(Trigger("kafka", metadata))
    partitions = (options(one.bindings).get("partitions") or _PARTITIONS for one in channels)
    return Scaling(tuple(triggers), max(partitions))


def check(subject: Subject) -> Iterable[Diagnostic]:
    """What Kafka would refuse: topics by their names, and events without a key in some of them."""
    channels = subject.service.channels
    # Kafka makes no topic beside one that differs in these signs only: their metrics would mix.
    topics = Naming("topic", _topic, identity=lambda name: name.replace(".", "_"))
    yield from collisions("kafka-topic-collision", channels, topics)
    yield from too_long("kafka-topic-too-long", channels, topics, _LONGEST_TOPIC)
    yield from _compacted(subject.service)
    yield from _keys(subject.service)


def _compacted(service: Service) -> Iterator[Diagnostic]:
    """A compacted topic takes no event without a key."""
    for channel, message in service.sent():
        policy = options(channel.bindings).get("config", {}).get("cleanup.policy", "")
        if "compact" in policy.split(",") and not message.key:
            yield Diagnostic(
                "kafka-compacted-without-key",
                Severity.WARNING,
                f"`{message.type.value}` has no key, and a compacted topic takes no event without",
                Label(message.span),
                (Label(channel.places.at(*_POLICY), "its topic is compacted"),),
                help="name the property that is its key, `x-eventgen: {key: ...}`",
            )


def _keys(service: Service) -> Iterator[Diagnostic]:
    """The key in the binding is the author's word that there is one; ours says which it is."""
    for _, message in service.sent():
        binding = message.bindings.get("kafka")
        if isinstance(binding, Mapping) and binding.get("key") is not None and not message.key:
            yield Diagnostic(
                "kafka-key-not-named",
                Severity.WARNING,
                f"`{message.type.value}` has a key in its binding, which does not say where it"
                " comes from",
                Label(message.places.at("bindings", "kafka", "key")),
                help="name the property that is the key, `x-eventgen: {key: ...}`",
            )


_EXPLANATIONS = {
    "kafka-compacted-without-key": """\
An event without a key goes to a compacted topic.

## What it checks

Every event that the service publishes to a topic with `cleanup.policy: compact` has a key.

## Why

Compaction keeps the last event of each key. Kafka refuses an event that has none.

## Example

```yaml
channels:
  customers:
    address: customers
    messages: {customer.changed: {payload: {type: object, properties: {id: {type: string}}}}}
    bindings: {kafka: {topicConfiguration: {cleanup.policy: [compact]}}}
operations:
  publishCustomers: {action: send, channel: {$ref: '#/channels/customers'}}
```

## Instead

Name the property that is the key, `x-eventgen: {key: id}` in the message.
""",
    "kafka-key-not-named": """\
A message's binding describes a key, and nothing says where it comes from.

## What it checks

A message that the service publishes and whose Kafka binding has a `key` also has a key in
`x-eventgen`.

## Why

The binding says what a key looks like. It does not say which property of the event it is, and the
event would be published without one.

## Example

```yaml
channels:
  customers:
    address: customers
    messages:
      customer.changed:
        payload: {type: object, properties: {id: {type: string}}}
        bindings: {kafka: {key: {type: string}}}
operations:
  publishCustomers: {action: send, channel: {$ref: '#/channels/customers'}}
```

## Instead

Name the property that is the key: `x-eventgen: {key: id}` in the message.
""",
    "kafka-topic-collision": """\
Two channels become the same Kafka topic.

## What it checks

The topics of two channels whose addresses differ also differ. A topic has fewer letters to choose
from than an address: `/` becomes a dot. Kafka takes a dot and `_` for the same.

## Why

Events of both channels would be mixed in one topic, or Kafka would refuse to create the second.

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

_DEPLOYMENT = Deployment(
    config={"KAFKA_BOOTSTRAP_SERVERS": "kafka:9092", "KAFKA_PARTITIONS": str(_PARTITIONS)},
    note=(
        "KEDA asks Kafka for the lag of the consumer group. A partition has one reader: more "
        "processes than partitions would have nothing to do. Who KEDA is to Kafka stands in "
        "the Secret below, by its own words: `sasl` (none, plaintext, scram_sha256, "
        "scram_sha512), `tls` (disable, enable), and for SASL `username` and `password`."
    ),
    access=("sasl", "tls", "username", "password"),
    scaling=scaling,
)

BROKER = Broker(
    name="kafka",
    title="Apache Kafka",
    requires=("confluent-kafka>=2.16,<3",),
    protocols=("kafka", "kafka-secure"),
    capabilities=Capabilities(
        ordering="partitions by key",
        replay="offset or time",
        max_message_bytes=1_048_588,
    ),
    transport="kafka",
    address=topic,
    options=options,
    files=(
        *runtime_files(*TLS_MODULES),
        *broker_files(
            "kafka",
            "kafka",
            "kafka_consumer",
            "kafka_export",
            "kafka_history",
            "kafka_producer",
            "kafka_state",
            "kafka_topics",
        ),
        FileKind("brokers/kafka/compose.yaml.j2", "compose.yaml", compose_view),
        *_DEPLOYMENT.files(),
    ),
    check=check,
    explanations=_EXPLANATIONS,
)
