"""What a document allows that no message of the chosen broker has room for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from eventgen.diagnostics import Diagnostic, Label, Severity
from eventgen.plan.asserting import closure
from eventgen.spec.keywords import property_at, subschemas

if TYPE_CHECKING:
    from eventgen.model import Service
    from eventgen.plan.broker import Broker


def check(service: Service, broker: Broker) -> Iterator[Diagnostic]:
    """A finding for each text of an event the service sends that may be longer than a message."""
    room = broker.capabilities.max_message_bytes
    if room is None:
        return
    documents = {schema.name: schema.document for schema in service.schemas}
    sent = closure((message.schema for _, message in service.sent()), documents)
    for schema in service.schemas:
        for way, here in subschemas(schema.document) if schema.name in sent else ():
            longest = here.get("maxLength", 0)
            if longest > room:
                name = property_at(way)
                yield Diagnostic(
                    "longer-than-a-message",
                    Severity.WARNING,
                    f"{f'`{name}`' if name else 'this text'} may have {int(longest):,}"
                    f" characters, and {broker.title} takes messages of {room:,} bytes",
                    Label(schema.places.at(*way, "maxLength")),
                    help="allow what fits, or keep the content elsewhere and send where it is",
                )


EXPLANATIONS = {
    "longer-than-a-message": """\
A text may be longer than a message of the broker.

## What it checks

No `maxLength` in an event that the service publishes is above the size of a message that the
broker takes when nobody has configured it otherwise. `eventgen brokers` prints that.

## Why

The broker refuses the event. It stays in the outbox, and later events of its key wait behind it.

## Example

```yaml
channels:
  documents:
    address: documents
    messages:
      document.scanned:
        payload: {type: object, properties: {content: {type: string, maxLength: 2000000}}}
operations:
  publishDocuments: {action: send, channel: {$ref: '#/channels/documents'}}
```

## Instead

Allow what fits, or keep the content where large things are kept and send where that is:

```yaml
channels:
  documents:
    address: documents
    messages:
      document.scanned:
        payload: {type: object, properties: {content_url: {type: string, format: uri}}}
operations:
  publishDocuments: {action: send, channel: {$ref: '#/channels/documents'}}
```
""",
}
