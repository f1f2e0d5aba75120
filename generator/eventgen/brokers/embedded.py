"""No broker at all: a durable log in the service's own database, for `dev` and tests too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eventgen.plan.broker import Broker, Capabilities
from eventgen.plan.build import compose_view
from eventgen.plan.deployment import Deployment
from eventgen.plan.kinds import FileKind


def destination(address: str) -> str:
    """The embedded log takes any name: the address as it is."""
    return address


def options(_bindings: Mapping[str, Any]) -> Mapping[str, Any]:
    """There is nothing to configure."""
    return {}


BROKER = Broker(
    name="embedded",
    title="Embedded (no broker)",
    requires=(),
    protocols=(),
    capabilities=Capabilities(
        ordering="partitions by key",
        replay="offset",
        max_message_bytes=None,
    ),
    transport="embedded",
    address=destination,
    options=options,
    files=(
        FileKind("brokers/embedded/compose.yaml.j2", "compose.yaml", compose_view),
        *Deployment(
            alone="a subscription has one reader, however many processes there are"
        ).files(),
    ),
)
