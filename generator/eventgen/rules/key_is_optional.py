"""The key of an event is a property that the event may leave out.

## What it checks

Each part of an event's `key` is required in the payload, and cannot be null.

## Why

An event whose key is absent has no order among the others, and goes to any partition. That it
happens rarely makes it harder to find.

## Example

```yaml
publishes:
  order.placed:
    key: customer_id
    data: {order_id: uuid, customer_id: uuid?}
```

## Instead

Make the property required, or take one that always is: `key: order_id`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from eventgen.diagnostics import Diagnostic, Label, Severity
from eventgen.model import Protobuf
from eventgen.model.properties import Found, definitions, find

if TYPE_CHECKING:
    from eventgen.model import Message, Service
    from eventgen.model.config import Config


def _is_sent(message: Message, found: Found) -> bool:
    """Whether the key may be left out by who writes the event, and never is by who reads it.

    In Protobuf a field without presence has a value, be it the empty one.
    """
    wire = None if message.foreign_payload is None else message.foreign_payload.wire
    is_last = found.optional == message.key[-1]
    return isinstance(wire, Protobuf) and is_last and any("default" in one for one in found.schemas)


def check(service: Service, _config: Config) -> Iterator[Diagnostic]:
    """One finding for each event whose key may be absent."""
    schemas = definitions(service)
    for message in service.messages:
        found = find(schemas[message.schema], message.key, schemas)
        if found.missing is None and found.optional is not None and not _is_sent(message, found):
            yield Diagnostic(
                "key-is-optional",
                Severity.WARNING,
                f"the key of `{message.type.value}` is `{'.'.join(message.key)}`, and"
                f" `{found.optional}` may be absent or null",
                Label(message.span),
                help=f"make `{found.optional}` required, or choose another key",
            )
