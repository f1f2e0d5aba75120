"""An address with `{}`, a parameter that has no name.

## What it checks

No address of a channel and no host or pathname of a server has an empty pair of braces.

## Why

A parameter without a name can be given no value, and the braces become a part of the address.

## Example

```yaml
channels:
  orders:
    address: shops/{}/orders
    messages: {order.placed: {payload: {type: object}}}
```

## Instead

Name it, and say what it is:

```yaml
channels:
  orders:
    address: shops/{shop_id}/orders
    parameters: {shop_id: {description: The shop that was ordered from.}}
    messages: {order.placed: {payload: {type: object}}}
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from eventgen.diagnostics import Diagnostic, Label, Severity
from eventgen.rules._variables import part

if TYPE_CHECKING:
    from eventgen.diagnostics import Span
    from eventgen.model import Service
    from eventgen.model.config import Config


def check(service: Service, _config: Config) -> Iterator[Diagnostic]:
    """One finding for each address."""
    for text, span in _addresses(service):
        if "{}" in text:
            yield Diagnostic(
                "unnamed-parameter",
                Severity.WARNING,
                f"`{text}` has a parameter without a name",
                Label(span),
                help="write a name between the braces, and describe it",
            )


def _addresses(service: Service) -> Iterator[tuple[str, Span]]:
    for channel in service.channels:
        yield channel.address.value, channel.places.at("address")
    for server in service.servers:
        for text, key in ((server.host, "host"), (server.pathname, "pathname")):
            yield text.value, part(server, key)
