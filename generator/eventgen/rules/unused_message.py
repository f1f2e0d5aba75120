"""A message that no operation of its channel sends or receives.

## What it checks

Every message of a channel is one of an operation on that channel.

## Why

Nothing is generated for it. The list of an operation's messages was probably not extended when the
message was added to the channel.

## Example

```yaml
channels:
  orders:
    address: orders
    messages: {order.placed: {payload: {type: object}}, order.paid: {payload: {type: object}}}
operations:
  publishOrders:
    action: send
    channel: {$ref: '#/channels/orders'}
    messages: [{$ref: '#/channels/orders/messages/order.placed'}]
```

## Instead

Name the message in an operation, or leave `messages` out, which means all of the channel's:

```yaml
channels:
  orders:
    address: orders
    messages: {order.placed: {payload: {type: object}}, order.paid: {payload: {type: object}}}
operations:
  publishOrders:
    action: send
    channel: {$ref: '#/channels/orders'}
```
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from eventgen.diagnostics import Diagnostic, Label, Severity

if TYPE_CHECKING:
    from eventgen.model import Service
    from eventgen.model.config import Config


def check(service: Service, _config: Config) -> Iterator[Diagnostic]:
    """One finding for each message, on channels that have operations."""
    used: dict[str, set[str]] = defaultdict(set)
    for operation in service.operations:
        used[operation.channel.snake] |= {name.snake for name in operation.messages}
        for route in (operation.reply, operation.retry_route, operation.dead_letter):
            if route is not None and route.channel is not None:
                used[route.channel.snake] |= {name.snake for name in route.messages}
    messages = {message.name.snake: message for message in service.messages}
    for channel in service.channels:
        for name in channel.messages if channel.name.snake in used else ():
            if name.snake not in used[channel.name.snake]:
                yield Diagnostic(
                    "unused-message",
                    Severity.WARNING,
                    f"nothing sends or receives `{name.raw.value}` on the channel"
                    f" `{channel.id.value}`",
                    Label(messages[name.snake].span),
                    (Label(channel.span, "the channel"),),
                    help="add it to the `messages:` of an operation, or remove it from the channel",
                )
