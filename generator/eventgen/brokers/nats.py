"""NATS JetStream: a stream for each channel, partitions in subjects, positions in the database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from eventgen.diagnostics import Diagnostic, Label, Severity
from eventgen.plan.broker import Broker, Capabilities
from eventgen.plan.build import compose_view, subscribed
from eventgen.plan.deployment import TARGET, Deployment, Scaling, Trigger
from eventgen.plan.kinds import FileKind, Subject
from eventgen.plan.naming import Naming, collisions, too_long
from eventgen.plan.outputs import (
    PARTITION_MODULES,
    TLS_MODULES,
    broker_files,
    runtime_files,
)

if TYPE_CHECKING:
    from eventgen.model import Channel, Service

# `*` and `>` stand for words in what a stream takes.
_ILLEGAL = re.compile(r"[^A-Za-z0-9._{}-]+")
_LONGEST_STREAM = 255
_PARTITIONS = 16  # the transport adds `.0` to `.15`


def subject(address: str) -> str:
    """The subject of a channel address: `/user/{id}/signed up` becomes `user.{id}.signed-up`.

    `{parameters}` stay; the transport fills them in, and reads any word in their place. Unlike
    elsewhere no word may be empty.
    """
    dotted = _ILLEGAL.sub("-", address.replace("/", "."))
    words = (word.strip("-") for word in dotted.split("."))
    return ".".join(word for word in words if word) or "events"


def scaling(subject_: Subject) -> Scaling:
    """What the processes say they are behind, together."""
    service = subject_.service.name.kebab
    triggers = [
        Trigger(
            "prometheus",
            {
                "serverAddress": "http://prometheus.monitoring.svc:9090",
                "query": (
                    f'sum(eventgen_consumer_lag{{job="{service}",'
                    f'subscription="{channel.name.kebab}"}})'
                ),
                "threshold": str(TARGET),
            },
        )
        for channel in subscribed(subject_)
    ]
    return Scaling(tuple(triggers), _PARTITIONS)


def check(subject_: Subject) -> Iterable[Diagnostic]:
    """What JetStream would refuse: streams by their names and by what they take."""
    channels, streams = subject_.service.channels, Naming("stream", _stream)
    yield from collisions("nats-stream-collision", channels, streams)
    yield from too_long("nats-stream-too-long", channels, streams, _LONGEST_STREAM)
    yield from _overlaps(subject_.service)


def _overlaps(service: Service) -> Iterator[Diagnostic]:
    """No subject may be one of two streams."""
    channels = sorted(service.channels, key=lambda channel: channel.places.at("address").line)
    words = [_words(channel) for channel in channels]
    for number, channel in enumerate(channels):
        if not _is_open(words[number]):
            continue
        for place, other in enumerate(channels):
            # Of two open ones the later is reported; of one, that one.
            if place == number or (place > number and _is_open(words[place])):
                continue
            same = _stream(channel) == _stream(other)
            if not same and _overlap(words[number], words[place]):
                yield Diagnostic(
                    "nats-subjects-overlap",
                    Severity.ERROR,
                    f"the streams of `{channel.address.value}` and `{other.address.value}` would"
                    " both take the same subjects",
                    Label(channel.places.at("address")),
                    (Label(other.places.at("address"), "the other channel"),),
                    help="let their addresses begin with different words",
                )


def _stream(channel: Channel) -> str:
    return subject(channel.address.value).translate(str.maketrans(".", "_", "{}"))


def _words(channel: Channel) -> Sequence[str]:
    found = subject(channel.address.value).split(".")
    return ["*" if "{" in word else word for word in found]


def _is_open(words: Sequence[str]) -> bool:
    """Whether it can take what is another's: by a word that stands for any, or a partition."""
    return "*" in words or words[-1] in _NUMBERS


def _overlap(one: Sequence[str], other: Sequence[str]) -> bool:
    if abs(len(one) - len(other)) == 1:
        short, long = sorted((one, other), key=len)
        return (long[-1] == "*" or long[-1] in _NUMBERS) and _overlap(short, long[:-1])
    return len(one) == len(other) and all(
        a == b or "*" in (a, b) for a, b in zip(one, other, strict=True)
    )


_NUMBERS = frozenset(map(str, range(_PARTITIONS)))

_EXPLANATIONS = {
    "nats-stream-collision": """\
Two channels become the same JetStream stream.

## What it checks

The streams of two channels whose addresses differ also differ. A stream's name has fewer letters to
choose from than an address: `/` and `.` become `_`.

## Why

The events of one of them would have no stream that takes them.

## Example

```yaml
channels:
  a: {address: shop/orders, messages: {order.placed: {payload: {type: object}}}}
  b: {address: shop_orders, messages: {order.paid: {payload: {type: object}}}}
```

## Instead

Give one of the two another address. When they are meant to be one, make them one channel.
""",
    "nats-stream-too-long": """\
A JetStream stream's name would be too long.

## What it checks

The name of the stream that a channel's address becomes has at most 255 characters.

## Why

NATS refuses to create a stream with a longer name.

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
    "nats-subjects-overlap": """\
Two channels would have streams that take the same subjects.

## What it checks

No subject fits the addresses of two channels. A parameter stands for any word, and after the
address there may be the number of a partition, `0` to `15`.

## Why

JetStream keeps every message in one stream, and refuses to create a second one that would take it.

## Example

```yaml
channels:
  regional:
    address: orders.{region}
    parameters: {region: {}}
    messages: {order.placed: {payload: {type: object}}}
  cancelled: {address: orders.cancelled, messages: {order.cancelled: {payload: {type: object}}}}
```

## Instead

Let the addresses begin with different words, `regions.{region}.orders`, or make them one channel.
""",
}

_DEPLOYMENT = Deployment(
    secrets=("NATS_URL",),
    note=(
        "JetStream does not know how far the service has come: its positions are in the "
        "database. KEDA asks Prometheus for what the processes say, and you say where that is. "
        "A partition has one reader: more processes than partitions would have nothing to do."
    ),
    scaling=scaling,
)

BROKER = Broker(
    name="nats",
    title="NATS JetStream",
    requires=("nats-py>=2.16,<3",),
    protocols=("nats",),
    capabilities=Capabilities(
        ordering="partitions by key, leased through the service's database",
        replay="sequence number or time",
        max_message_bytes=1_048_576,
    ),
    transport="nats",
    address=subject,
    options=lambda _bindings: {},
    files=(
        *runtime_files(*PARTITION_MODULES, *TLS_MODULES),
        *broker_files(
            "nats",
            "nats",
            "nats_export",
            "nats_link",
            "nats_log",
            "nats_login",
            "nats_names",
            "nats_producer",
            "nats_reading",
            "nats_streams",
        ),
        FileKind("brokers/nats/compose.yaml.j2", "compose.yaml", compose_view),
        *_DEPLOYMENT.files(),
    ),
    check=check,
    explanations=_EXPLANATIONS,
)
