"""A `location` names a part of the message that the message has not got.

## What it checks

The `location` of a channel's parameter, of a correlation id and of a reply's address is written as
`$message.header#/...` or `$message.payload#/...`, and leads to a property that each of the messages
has. A payload or headers that describe no properties are not checked: they may hold anything.

## Why

The value is read from every message. One that is never there leaves the address incomplete, or the
answer without its question.

## Example

```yaml
channels:
  orders:
    address: shops/{shop_id}/orders
    parameters: {shop_id: {location: '$message.payload#/shop'}}
    messages:
      order.placed:
        payload: {type: object, properties: {order_id: {type: string}, shop_id: {type: string}}}
operations:
  publishOrders: {action: send, channel: {$ref: '#/channels/orders'}}
```

## Instead

Write the property as it stands in the message:

```yaml
channels:
  orders:
    address: shops/{shop_id}/orders
    parameters: {shop_id: {location: '$message.payload#/shop_id'}}
    messages:
      order.placed:
        payload: {type: object, properties: {order_id: {type: string}, shop_id: {type: string}}}
operations:
  publishOrders: {action: send, channel: {$ref: '#/channels/orders'}}
```
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from eventgen.diagnostics import Diagnostic, Label, Severity
from eventgen.model import Part
from eventgen.model.properties import definitions, find
from eventgen.spec.nearest import did_you_mean

if TYPE_CHECKING:
    from eventgen.model import Location, Message, Places, Service
    from eventgen.model.config import Config


def check(service: Service, _config: Config) -> Iterator[Diagnostic]:
    """One finding for each location, about the first message that has not got it."""
    schemas = definitions(service)
    messages = {message.name.snake: message for message in service.messages}
    for channel in service.channels:
        through = [messages[name.snake] for name in channel.messages]
        for parameter in channel.parameters:
            yield from _check(parameter.places, parameter.location, through, schemas)
    for message in service.messages:
        if message.correlation is not None:
            found = message.correlation
            yield from _check(found.places, found.location, (message,), schemas)
    for operation in service.operations:
        address = None if operation.reply is None else operation.reply.address
        if address is not None:
            requests = [messages[name.snake] for name in operation.messages]
            yield from _check(address.places, address.location, requests, schemas)


def _check(
    places: Places,
    location: Location | None,
    messages: Iterable[Message],
    schemas: Mapping[str, Any],
) -> Iterator[Diagnostic]:
    if ("location",) not in places.parts:
        return
    at = places.at("location")
    if location is None:
        yield Diagnostic(
            "location-leads-nowhere",
            Severity.WARNING,
            "this location names no part of a message",
            Label(at),
            help="write `$message.header#/...` or `$message.payload#/...`",
        )
        return
    for message in messages:
        half = location.part.value
        is_payload = location.part is Part.PAYLOAD
        root = schemas[message.schema] if is_payload else message.headers
        found = find(root, location.path, schemas)
        if found.missing is not None:
            verb = "has" if is_payload else "have"
            yield Diagnostic(
                "location-leads-nowhere",
                Severity.WARNING,
                f"the {half} of `{message.type.value}` {verb} no `{found.missing}`",
                Label(at),
                (Label(message.span, "the message"),),
                help=did_you_mean(found.missing, found.known)
                or f"there is: {', '.join(f'`{name}`' for name in found.known)}",
            )
            return
