"""A channel that no operation uses.

## What it checks

The service sends or receives something on every channel of the document.

## Why

Nothing is generated for a channel without operations. More often than not an operation was
forgotten, or the channel was renamed and one of the two stayed behind.

## Example

```yaml
channels:
  orders: {address: orders, messages: {order.placed: {payload: {type: object}}}}
operations: {}
```

## Instead

Write what the application does there, under `operations:`, or remove the channel.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from eventgen.diagnostics import Diagnostic, Label, Severity

if TYPE_CHECKING:
    from eventgen.model import Service
    from eventgen.model.config import Config


def check(service: Service, _config: Config) -> Iterator[Diagnostic]:
    """One finding for each channel without an operation."""
    used = {operation.channel.snake for operation in service.operations}
    used |= {
        route.channel.snake
        for operation in service.operations
        for route in (operation.reply, operation.retry_route, operation.dead_letter)
        if route is not None and route.channel is not None
    }
    for channel in service.channels:
        if channel.name.snake not in used:
            yield Diagnostic(
                "unused-channel",
                Severity.WARNING,
                f"nothing is sent or received on the channel `{channel.name.raw.value}`",
                Label(channel.span),
                help="add an operation for it, or remove the channel",
            )
