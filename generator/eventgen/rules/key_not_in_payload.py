"""The key of an event names a property that the event does not have.

## What it checks

Each part of an event's `key` is a property of its payload. A payload that describes no properties
is not checked: it may hold anything.

## Why

The key is read from every event that is published. One that is never there would put all events
on one partition, or fail when the first is published.

## Example

```yaml
publishes:
  order.placed:
    key: orderId
    data: {order_id: uuid}
```

## Instead

Write the property as it stands in the payload, `key: order_id`; with a dot between the names for a
property inside another one, `key: order.id`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from eventgen.diagnostics import Diagnostic, Label, Severity
from eventgen.model.properties import definitions, find
from eventgen.spec.nearest import did_you_mean

if TYPE_CHECKING:
    from eventgen.model import Service
    from eventgen.model.config import Config


def check(service: Service, _config: Config) -> Iterator[Diagnostic]:
    """One finding for each event whose key leads nowhere."""
    schemas = definitions(service)
    for message in service.messages:
        found = find(schemas[message.schema], message.key, schemas)
        if found.missing is not None:
            yield Diagnostic(
                "key-not-in-payload",
                Severity.ERROR,
                f"the key of `{message.type.value}` is `{'.'.join(message.key)}`, and its payload"
                f" has no `{found.missing}`",
                Label(message.span),
                help=did_you_mean(found.missing, found.known)
                or f"it has: {', '.join(found.known)}",
            )
