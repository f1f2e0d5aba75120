"""A reply that has no address to go to.

## What it checks

The reply of an operation goes through a channel that has an address, or says with `address` which
part of the request holds it.

## Why

Whoever answers would not know where to. Both sides then agree on something that the document does
not say.

## Example

```yaml
channels:
  quotes: {address: quotes, messages: {quote.request: {payload: {type: object}}}}
  answers: {address: null, messages: {quote.response: {payload: {type: object}}}}
operations:
  askForQuote:
    action: send
    channel: {$ref: '#/channels/quotes'}
    reply: {channel: {$ref: '#/channels/answers'}}
```

## Instead

Name the property or the header of the request that holds the address:

```yaml
channels:
  quotes: {address: quotes, messages: {quote.request: {payload: {type: object}}}}
  answers: {address: null, messages: {quote.response: {payload: {type: object}}}}
operations:
  askForQuote:
    action: send
    channel: {$ref: '#/channels/quotes'}
    reply:
      address: {location: '$message.header#/reply_to'}
      channel: {$ref: '#/channels/answers'}
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from eventgen.diagnostics import Diagnostic, Label, Severity

if TYPE_CHECKING:
    from eventgen.model import Service
    from eventgen.model.config import Config


def check(service: Service, _config: Config) -> Iterator[Diagnostic]:
    """One finding for each operation."""
    addressed = {channel.name.snake for channel in service.channels if channel.addressed}
    for operation in service.operations:
        reply = operation.reply
        if reply is None or reply.address is not None:
            continue
        if reply.channel is None or reply.channel.snake not in addressed:
            yield Diagnostic(
                "reply-leads-nowhere",
                Severity.WARNING,
                f"the reply of `{operation.id.value}` has no address",
                Label(reply.places.span),
                help="say which part of the request holds it:"
                " `address: {location: '$message.header#/reply_to'}`",
            )
