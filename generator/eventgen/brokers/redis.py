"""Redis Streams: a stream for each partition, leased to one consumer in the service's database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from eventgen.diagnostics import Diagnostic, Label, Severity
from eventgen.plan.broker import Broker, Capabilities
from eventgen.plan.build import compose_view
from eventgen.plan.kinds import FileKind, Subject
from eventgen.plan.outputs import PARTITION_MODULES, broker_files, runtime_files

if TYPE_CHECKING:
    from eventgen.model import Channel

_PARAMETER = re.compile(r"\{[^{}]*\}")


def destination(address: str) -> str:
    """A key takes any name: the address as it is."""
    return address


def options(_bindings: Mapping[str, Any]) -> Mapping[str, Any]:
    """The bindings of Redis are empty."""
    return {}


def check(subject: Subject) -> Iterable[Diagnostic]:
    """Two channels must not share streams by accident: parameters are one for all their values."""
    return _collisions(subject.service.channels)


def _collisions(channels: Iterable[Channel]) -> Iterator[Diagnostic]:
    taken: dict[str, Channel] = {}
    for channel in channels:
        stream = _PARAMETER.sub("*", channel.address.value)
        other = taken.setdefault(stream, channel)
        if other.address != channel.address:
            yield Diagnostic(
                "redis-stream-collision",
                Severity.ERROR,
                f"two channels become the same stream, `{stream}`",
                Label(channel.places.at("address")),
                (Label(other.places.at("address"), "the other channel"),),
                help="call their parameters the same, or give one of them another address",
            )


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
        *runtime_files(*PARTITION_MODULES),
        FileKind("brokers/redis/compose.yaml.j2", "compose.yaml", compose_view),
    ),
    check=check,
    explanations=_EXPLANATIONS,
)
