"""What a document says for other brokers than the one that was chosen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from eventgen.diagnostics import Diagnostic, Label, Severity

if TYPE_CHECKING:
    from eventgen.model import Channel, Message, Operation, Places, Server, Service
    from eventgen.plan.broker import Broker


def check(service: Service, broker: Broker) -> Iterator[Diagnostic]:
    """At most one finding about servers and one about bindings; none for a stand-in."""
    if broker.protocols:
        yield from _servers(service, broker)
        yield from _bindings(service, broker)


def _servers(service: Service, broker: Broker) -> Iterator[Diagnostic]:
    """When the document has servers and none of them is the broker's."""
    servers = [server for server in service.servers if server.protocol]
    if not servers or any(server.protocol.value in broker.protocols for server in servers):
        return
    first = min(servers, key=lambda server: server.places.span.line)
    yield Diagnostic(
        "server-of-another-broker",
        Severity.WARNING,
        f"the server `{first.name.raw.value}` is for `{first.protocol.value}`, and the service for"
        f" {broker.title}",
        Label(first.places.at("protocol")),
        help="choose the broker that the servers are for, or describe a server of"
        f" `protocol: {broker.protocols[0]}`",
    )


def _bindings(service: Service, broker: Broker) -> Iterator[Diagnostic]:
    """When something has bindings for others and none for the broker."""
    holders: Iterable[Server | Channel | Operation | Message]
    holders = (*service.servers, *service.channels, *service.operations, *service.messages)
    found = [
        (one.places, other) for one in holders for other in _others(one.bindings, broker.protocols)
    ]
    if not found:
        return
    places, first = min(found, key=lambda one: _line(one[0], one[1]))
    names = sorted({other for _, other in found})
    yield Diagnostic(
        "binding-of-another-broker",
        Severity.WARNING,
        f"bindings for {', '.join(f'`{name}`' for name in names)} count for nothing with"
        f" {broker.title}",
        Label(places.at("bindings", first)),
        help=f"say the same under `bindings: {{{broker.protocols[0]}: ...}}`, or remove them",
    )


def _others(bindings: Mapping[str, Any], protocols: tuple[str, ...]) -> tuple[str, ...]:
    """The protocols of bindings that have none for the broker, and are not empty."""
    if any(protocol in bindings for protocol in protocols):
        return ()
    return tuple(protocol for protocol, binding in bindings.items() if binding)


def _line(places: Places, protocol: str) -> tuple[int, int]:
    span = places.at("bindings", protocol)
    return span.line, span.column


EXPLANATIONS = {
    "binding-of-another-broker": """\
A binding is for another broker than the one you chose.

## What it checks

What has bindings has one for the broker that the service is generated for.

## Why

Each broker reads its own bindings only. A queue that is described for one is not made in another.

## Example

```yaml
channels:
  orders:
    address: orders
    messages: {order.placed: {payload: {type: object}}}
    bindings: {amqp: {is: queue, queue: {durable: true}}}
```

## Instead

Say the same in the binding of your broker, beside it or in its place.
""",
    "server-of-another-broker": """\
The servers are for another broker than the one you chose.

## What it checks

When a document has servers, one of them has the protocol of the broker that the service is
generated for.

## Why

The service would connect to a broker that the document does not know of, and meet nobody there.

## Example

```yaml
servers:
  production: {host: 'mq.example.com:5672', protocol: amqp}
channels:
  orders: {address: orders, messages: {order.placed: {payload: {type: object}}}}
```

## Instead

Choose the broker that the servers are for (`eventgen brokers` lists them all), or describe one of
your broker's servers beside them.
""",
}
