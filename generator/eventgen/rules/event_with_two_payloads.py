"""Two messages are the same event in the same version, and carry different data.

## What it checks

Messages that have the same name on the wire (`name`, or else the key) and the same version also
have the same payload.

## Why

A version of an event never changes: whoever reads it once can read it always. A consumer that sees
the name cannot tell which of the two payloads it has before it.

## Example

```yaml
channels:
  orders:
    address: orders
    messages:
      placed: {name: order.placed, payload: {type: object, properties: {order_id: {type: string}}}}
  archive:
    address: archive
    messages:
      placed: {name: order.placed, payload: {type: object, properties: {id: {type: integer}}}}
```

## Instead

Give one of them another name, or the next version:

```yaml
channels:
  orders:
    address: orders
    messages:
      placed: {name: order.placed, payload: {type: object, properties: {order_id: {type: string}}}}
  archive:
    address: archive
    messages:
      archived: {name: order.archived, payload: {type: object, properties: {id: {type: integer}}}}
```
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from eventgen.diagnostics import Diagnostic, Label, Severity
from eventgen.model.properties import definitions

if TYPE_CHECKING:
    from eventgen.model import Message, Service
    from eventgen.model.config import Config


def check(service: Service, _config: Config) -> Iterator[Diagnostic]:
    """One finding for each message that is not the first of its name."""
    groups: dict[tuple[str, str], list[Message]] = defaultdict(list)
    for message in service.messages:
        groups[message.type.value, message.version.value].append(message)
    schemas = definitions(service)
    for (type_, version), messages in groups.items():
        first, *others = sorted(messages, key=lambda one: (one.span.line, one.span.column))
        for other in others:
            if _payload(other, schemas) != _payload(first, schemas):
                yield Diagnostic(
                    "event-with-two-payloads",
                    Severity.WARNING,
                    f"`{type_}` in version {version} has two different payloads",
                    Label(other.span, "one of them"),
                    (Label(first.span, "the other"),),
                    help="give one of them another name, or another version",
                )


def _payload(message: Message, schemas: Mapping[str, Any]) -> Any:
    """The payload as plain data. A schema that is the payload of another message is that schema."""
    if message.foreign_payload is not None:
        return message.foreign_payload.document
    document = schemas[message.schema]
    while (target := _reference(document)) is not None:
        document = schemas[target]
    return document


def _reference(document: Any) -> str | None:
    """The schema that this one does nothing but refer to."""
    match document:
        case {"allOf": [{"$ref": str(target)}]} if len(document) == 1:
            return target.rpartition("/")[2]
    return None
