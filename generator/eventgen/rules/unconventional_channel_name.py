"""The address of a channel is not written as you want addresses to be written.

## What it checks

When eventgen.yaml has `channel_names` under `check`, the address of each channel is written so:
`dotted` (`shop.orders`), `kebab`, `snake`, `path` (`shop/orders`) or `pascal`. A `{parameter}` may
stand for a part of it. Without it any address is right.

## Why

Rights and subscriptions for many channels are patterns over their addresses. One that is written
in another way falls out of them.

## Example

```yaml
spec: spec.yaml
broker: kafka
check: {channel_names: pascal}
```

## Instead

Change the address, or choose the convention that your addresses follow:
`check: {channel_names: dotted}`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from eventgen.diagnostics import Diagnostic, Label, Severity
from eventgen.rules._conventions import STYLES, rewritten

if TYPE_CHECKING:
    from eventgen.model import Service
    from eventgen.model.config import Config


def check(service: Service, config: Config) -> Iterator[Diagnostic]:
    """One finding for each channel."""
    convention = config.naming.channels
    if convention is None:
        return
    style = STYLES[convention]
    for channel in service.channels:
        address = channel.address.value
        if style.right.match(address):
            continue
        meant = "" if "{" in address else rewritten(address, style)
        yield Diagnostic(
            "unconventional-channel-name",
            Severity.WARNING,
            f"`{address}` is not a {convention.value} name, as `{style.shown}` is",
            Label(channel.places.at("address")),
            help=f"write it `{meant}`" if meant else None,
        )
