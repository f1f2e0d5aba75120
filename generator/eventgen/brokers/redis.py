"""Redis Streams: a stream for each partition, leased to one consumer in the service's database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from eventgen.diagnostics import Diagnostic
from eventgen.plan.broker import Broker, Capabilities
from eventgen.plan.build import compose_view, subscribed
from eventgen.plan.deployment import TARGET, Deployment, Scaling, Trigger
from eventgen.plan.kinds import FileKind, Subject
from eventgen.plan.naming import Naming, collisions
from eventgen.plan.outputs import (
    PARTITION_MODULES,
    TLS_MODULES,
    broker_files,
    runtime_files,
)

if TYPE_CHECKING:
    from eventgen.model import Channel

_PARTITIONS = 8  # of a channel
_PARAMETER = re.compile(r"\{[^{}]*\}")


def destination(address: str) -> str:
    """A key takes any name: the address as it is."""
    return address


def options(_bindings: Mapping[str, Any]) -> Mapping[str, Any]:
    """The bindings of Redis are empty."""
    return {}


def scaling(subject: Subject) -> Scaling:
    """The lag of each subscription's group in each of its streams."""
    triggers = [
        Trigger(
            "redis-streams",
            {
                "stream": f"events:{_stream(channel)}:{part}",
                "consumerGroup": f"{subject.service.name.kebab}.{channel.name.kebab}",
                "lagCount": str(TARGET // _PARTITIONS),
            },
        )
        for channel in subscribed(subject)
        for part in range(_PARTITIONS)
    ]
    return Scaling(tuple(triggers), _PARTITIONS)


def check(subject: Subject) -> Iterable[Diagnostic]:
    """Two channels must not share streams by accident: parameters are one for all their values."""
    channels, streams = subject.service.channels, Naming("stream", _stream)
    remedy = "call their parameters the same, or give one of them another address"
    return collisions("redis-stream-collision", channels, streams, remedy)


def _stream(channel: Channel) -> str:
    """What its streams are called, but for their numbers."""
    return _PARAMETER.sub("*", destination(channel.address.value))


_EXPLANATIONS = {
    "redis-stream-collision": """\
Two channels become the same stream.

## What it checks

The streams of two channels whose addresses differ also differ. All values of a parameter are in one
stream, `users/*/orders`, whatever the parameter is called.

## Why

A subscription to one of them would take the events of the other as well.

## Example

```yaml
channels:
  a: {address: "users/{id}", messages: {user.added: {payload: {type: object}}}}
  b: {address: "users/{name}", messages: {user.renamed: {payload: {type: object}}}}
```

## Instead

Give one of the two another address. When they are meant to be one, make them one channel.
""",
}

_DEPLOYMENT = Deployment(
    config={"REDIS_PARTITIONS": str(_PARTITIONS)},
    secrets=("REDIS_URL",),
    note=(
        "KEDA asks Redis (7 or later) how far the service's bookmark is behind in each "
        "partition's stream; the one furthest behind decides. A partition has one reader: "
        "more processes than partitions would have nothing to do. KEDA reads no URL: the "
        "Secret below has `address` (redis:6379), `username`, `password` and `tls` (disable, "
        "enable)."
    ),
    access=("address", "username", "password", "tls"),
    scaling=scaling,
)

BROKER = Broker(
    name="redis",
    title="Redis Streams",
    requires=("redis[hiredis]>=8.1,<9",),
    protocols=("redis", "rediss"),
    capabilities=Capabilities(
        ordering="streams by key, each leased to one consumer",
        replay="time",
        max_message_bytes=536_870_912,
    ),
    transport="redis",
    address=destination,
    options=options,
    files=(
        *broker_files(
            "redis",
            "redis",
            "redis_consumer",
            "redis_export",
            "redis_names",
            "redis_producer",
            "redis_state",
            "redis_streams",
        ),
        *runtime_files(*PARTITION_MODULES, *TLS_MODULES),
        FileKind("brokers/redis/compose.yaml.j2", "compose.yaml", compose_view),
        *_DEPLOYMENT.files(),
    ),
    check=check,
    explanations=_EXPLANATIONS,
)
