"""An example that its own schema does not allow.

## What it checks

Every example of a message is valid for the message's payload and headers, `format` included. In
AsyncAPI 2 that is an error, elsewhere a warning.

## Why

Examples are what people copy. One that does not match is wrong, or shows that the schema is.

## Example

```yaml
publishes:
  order.placed:
    data: {order_id: uuid, amount: decimal}
    examples: [{order_id: 6f1e2c1a-2b57-4d4e-9d5b-0b6f8a1c7e11, amount: 49.9}]
```

## Instead

Correct the example, or the schema:

```yaml
publishes:
  order.placed:
    data: {order_id: uuid, amount: decimal}
    examples: [{order_id: 6f1e2c1a-2b57-4d4e-9d5b-0b6f8a1c7e11, amount: '49.90'}]
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from eventgen.diagnostics import Diagnostic, Label, Severity
from eventgen.model import Part
from eventgen.spec.validate import Schemas

if TYPE_CHECKING:
    from eventgen.model import Message, Service, Spare
    from eventgen.model.config import Config


def check(service: Service, _config: Config) -> Iterator[Diagnostic]:
    """One finding for each fault of an example, also of messages that are not used."""
    for holder in (service, service.spare):
        yield from _in(holder)


def _in(holder: Service | Spare) -> Iterator[Diagnostic]:
    schemas = Schemas(holder)
    for message in holder.messages:
        for part, pointer in _parts(message):
            for example in message.examples:
                if part.value not in example.parts:
                    continue
                for fault in schemas.faults(pointer, example.parts[part.value]):
                    yield Diagnostic(
                        "example-does-not-match",
                        Severity.WARNING,
                        f"an example of `{message.type.value}` is not what its {part.value}"
                        f" may be: {fault.text}",
                        Label(example.places.at(part.value, *fault.way)),
                        help="correct the example or the schema",
                    )


def _parts(message: Message) -> Iterator[tuple[Part, str]]:
    if message.foreign_payload is None:
        yield Part.PAYLOAD, f"$defs/{message.schema}"
    if message.headers is not None:
        yield Part.HEADERS, f"headers/{message.name.snake}"
