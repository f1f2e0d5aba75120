"""RabbitMQ: a topic exchange, quorum queues in shards, publisher confirms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from eventgen.diagnostics import Diagnostic, Label, Severity
from eventgen.model import Action, Ordering
from eventgen.plan.broker import Broker, Capabilities
from eventgen.plan.build import compose_view, env_prefix, subscribed
from eventgen.plan.deployment import MOST, TARGET, Deployment, Scaling, Trigger
from eventgen.plan.kinds import FileKind, Subject
from eventgen.plan.naming import Naming, collisions, too_long
from eventgen.plan.outputs import TLS_MODULES, broker_files, runtime_files

if TYPE_CHECKING:
    from eventgen.model import Channel, Service

# `*` and `#` stand for words in what a queue is bound to.
_ILLEGAL = re.compile(r"[^A-Za-z0-9._{}-]+")
_LONGEST_KEY = 255
_SLOT = len(".15")  # the transport adds it
_QUEUES = 4  # of a subscription with an order
_KIND = ("bindings", "amqp", "is")
_EXCHANGE = ("bindings", "amqp", "exchange")


def routing_key(address: str) -> str:
    """The routing key of a channel address: `/user/{id}/signed up` becomes `user.{id}.signed-up`.

    `{parameters}` stay; the transport fills them in, and binds queues to any word in their place.
    """
    dotted = address.strip("/").replace("/", ".")
    return _ILLEGAL.sub("-", dotted).strip("-") or "events"


def _routing_key(channel: Channel) -> str:
    return routing_key(channel.address.value)


def options(bindings: Mapping[str, Any]) -> Mapping[str, Any]:
    """The exchange of the channel binding, when it has a name and can be a topic exchange."""
    exchange = _exchange(bindings)
    name = exchange.get("name")
    if isinstance(name, str) and name and exchange.get("type", "topic") == "topic":
        return {"exchange": name}
    return {}


def _exchange(bindings: Mapping[str, Any]) -> Mapping[str, Any]:
    exchange = _binding(bindings).get("exchange")
    return exchange if isinstance(exchange, Mapping) else {}


def _binding(bindings: Mapping[str, Any]) -> Mapping[str, Any]:
    binding = bindings.get("amqp")
    return binding if isinstance(binding, Mapping) else {}


def scaling(subject: Subject) -> Scaling:
    """What waits in each queue. One with an order has one reader at a time."""
    channels = subscribed(subject)
    many = [_QUEUES if channel.ordering is Ordering.KEY else 1 for channel in channels]
    triggers = [
        Trigger(
            "rabbitmq",
            {
                "hostFromEnv": env_prefix(subject) + "RABBITMQ_URL",
                "queueName": f"{subject.service.name.kebab}.{channel.name.kebab}.{number}",
                "mode": "QueueLength",
                "value": str(TARGET // queues),
            },
        )
        for channel, queues in zip(channels, many, strict=True)
        for number in range(queues)
    ]
    return Scaling(tuple(triggers), max(MOST if queues == 1 else queues for queues in many))


def check(subject: Subject) -> Iterable[Diagnostic]:
    """What RabbitMQ would refuse, and what a binding asks for that is done another way."""
    channels, keys = subject.service.channels, Naming("routing key", _routing_key)
    yield from collisions("rabbitmq-routing-key-collision", channels, keys)
    yield from too_long("rabbitmq-routing-key-too-long", channels, keys, _LONGEST_KEY - _SLOT)
    yield from _exchanges(subject.service)
    yield from _queues(subject.service)
    yield from _sending(subject.service)


def _exchanges(service: Service) -> Iterator[Diagnostic]:
    for channel in service.channels:
        kind = _exchange(channel.bindings).get("type", "topic")
        if kind not in ("topic", "default"):
            yield Diagnostic(
                "rabbitmq-exchange-not-topic",
                Severity.WARNING,
                f"the binding asks for a `{kind}` exchange, and a topic exchange is used",
                Label(channel.places.at(*_EXCHANGE, "type")),
                help="say `type: topic`, or leave the exchange to the service",
            )


def _queues(service: Service) -> Iterator[Diagnostic]:
    """A channel is a routing key here: a subscription's queues are its service's own."""
    for channel in service.channels:
        if _binding(channel.bindings).get("is") == "queue":
            yield Diagnostic(
                "rabbitmq-channel-is-queue",
                Severity.WARNING,
                "the binding makes the channel a queue, and its events go through a topic exchange",
                Label(channel.places.at(*_KIND)),
                help="say `is: routingKey`, and bind the queue of others to that key",
            )


def _sending(service: Service) -> Iterator[Diagnostic]:
    """What would lose events, or have them overtake each other, is not done."""
    for operation in service.operations:
        binding = _binding(operation.bindings) if operation.action is Action.SEND else {}
        for field, why in _REFUSED.items():
            if field in binding and binding[field] != _HARMLESS.get(field):
                yield Diagnostic(
                    "rabbitmq-field-ignored",
                    Severity.WARNING,
                    f"`{field}` counts for nothing: {why}",
                    Label(operation.places.at("bindings", "amqp", field)),
                    help="remove it",
                )


_REFUSED = {
    "expiration": "an event waits until it is handled",
    "priority": "events of a key keep their order",
    "deliveryMode": "every event is written to the disk",
    "cc": "an event has one routing key",
    "bcc": "an event has one routing key",
}
_HARMLESS: Mapping[str, Any] = {"priority": 0, "deliveryMode": 2}

_EXPLANATIONS = {
    "rabbitmq-channel-is-queue": """\
A channel's binding says that the channel is a queue.

## What it checks

A channel's AMQP binding does not say `is: queue`.

## Why

Events are published with a routing key, and every service that subscribes has queues of its own for
that key: so each of them gets every event, and more processes share a service's queues without
mixing up the order. A queue of another name is not sent to, and not read.

## Example

```yaml
channels:
  orders:
    address: orders
    messages: {order.placed: {payload: {type: object}}}
    bindings: {amqp: {is: queue, queue: {name: orders}}}
```

## Instead

Say `is: routingKey`. Where somebody else's queue is to get the events, bind it to the exchange with
that key, `orders.#`.
""",
    "rabbitmq-exchange-not-topic": """\
A channel's binding asks for an exchange that is not a topic exchange.

## What it checks

The `type` of the exchange in a channel's AMQP binding is `topic`.

## Why

Order per key rests on routing keys: all events of a key go to the same one of a subscription's
queues. A `fanout` or `headers` exchange does not look at them, and a `direct` exchange knows no
patterns. The service uses its own topic exchange for such a channel.

## Example

```yaml
channels:
  orders:
    address: orders
    messages: {order.placed: {payload: {type: object}}}
    bindings: {amqp: {is: routingKey, exchange: {name: shop, type: fanout}}}
```

## Instead

Say `type: topic`, or leave the exchange out. An exchange of another type can be bound to the
topic exchange on the broker.
""",
    "rabbitmq-field-ignored": """\
A binding asks for what a service does not do to its events.

## What it checks

The AMQP binding of an operation that sends has no `expiration`, no `priority`, no `cc` and `bcc`,
and no other `deliveryMode` than 2.

## Why

An event that expires, or that only the memory knows, may be lost; one with a priority overtakes
earlier ones of its key; and copies go where nobody subscribed. A service promises the opposite, and
sends its events without these.

## Example

```yaml
channels:
  orders: {address: orders, messages: {order.placed: {payload: {type: object}}}}
operations:
  publishOrders:
    action: send
    channel: {$ref: '#/channels/orders'}
    bindings: {amqp: {expiration: 60000}}
```

## Instead

Remove it. What is of no use after a while, say in the event, and let the handler `Skip` it.
""",
    "rabbitmq-routing-key-collision": """\
Two channels become the same routing key.

## What it checks

The routing keys of two channels whose addresses differ also differ. A key has fewer letters to
choose from than an address: `/` becomes a dot.

## Why

A queue that is bound for events of one of them would take those of the other as well.

## Example

```yaml
channels:
  a: {address: shop/orders, messages: {order.placed: {payload: {type: object}}}}
  b: {address: shop.orders, messages: {order.paid: {payload: {type: object}}}}
```

## Instead

Give one of the two another address. When they are meant to be one, make them one channel.
""",
    "rabbitmq-routing-key-too-long": """\
A routing key would be too long.

## What it checks

The routing key that a channel's address becomes has at most 252 characters. The service adds up
to three, which spread the keys of its events over queues.

## Why

AMQP has room for 255 characters.

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
    config={"RABBITMQ_QUEUES": str(_QUEUES)},
    secrets=("RABBITMQ_URL",),
    note=(
        "KEDA asks RabbitMQ, by the service's own URL, what waits in each queue; the longest "
        "one decides. A queue with an order has one reader: more processes than queues would "
        "have nothing to do. The Secret below has `tls`: disable, or enable for amqps."
    ),
    access=("tls",),
    scaling=scaling,
)

BROKER = Broker(
    name="rabbitmq",
    title="RabbitMQ",
    requires=("aio-pika>=10.2,<11",),
    protocols=("amqp", "amqps"),
    capabilities=Capabilities(
        ordering="queues by key, each with one active consumer",
        replay="none",
        max_message_bytes=16_777_216,
    ),
    transport="rabbitmq",
    address=routing_key,
    options=options,
    files=(
        *runtime_files(*TLS_MODULES),
        *broker_files(
            "rabbitmq",
            "rabbitmq",
            "rabbitmq_acks",
            "rabbitmq_consumer",
            "rabbitmq_names",
            "rabbitmq_producer",
            "rabbitmq_topology",
        ),
        FileKind("brokers/rabbitmq/compose.yaml.j2", "compose.yaml", compose_view),
        *_DEPLOYMENT.files(),
    ),
    check=check,
    explanations=_EXPLANATIONS,
)
