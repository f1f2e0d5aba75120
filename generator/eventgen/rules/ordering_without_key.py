"""Events that have no key go through a channel that keeps order for each key.

## What it checks

Every event that the service publishes on a channel with `ordering: key`, which is the usual, names
the property that is its key.

## Why

Order is kept among the events of one key. An event without a key is put anywhere: two events about
the same order may then be handled at the same time, or the second before the first.

## Example

```yaml
publishes:
  order.placed:
    data: {order_id: uuid, amount: decimal}
```

## Instead

Name the property that tells what the event is about, `key: order_id`; in AsyncAPI, write
`x-eventgen: {key: order_id}` in the message. When the order of the events does not matter, say so:
`ordering: none` in the channel's `x-eventgen`, or under `channels:` in eventgen.yaml.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from eventgen.diagnostics import Diagnostic, Label, Severity
from eventgen.model import Ordering

if TYPE_CHECKING:
    from eventgen.model import Service
    from eventgen.model.config import Config


def check(service: Service, _config: Config) -> Iterator[Diagnostic]:
    """One finding for all events without a key."""
    found = [
        (channel, message)
        for channel, message in service.sent()
        if channel.ordering is Ordering.KEY and not message.key
    ]
    if not found:
        return
    channel, message = found[0]
    others = {other.name.snake for _, other in found} - {message.name.snake}
    subject = f"`{message.type.value}` has"
    if others:
        many = "1 other event" if len(others) == 1 else f"{len(others)} other events"
        subject = f"`{message.type.value}` and {many} have"
    yield Diagnostic(
        "ordering-without-key",
        Severity.WARNING,
        f"{subject} no key, on channels that keep order for each key",
        Label(message.span, "it may be handled in any order"),
        (Label(channel.span, "its channel"),) if channel.span != message.span else (),
        help="name the property that is its key, `x-eventgen: {key: ...}`,"
        " or set `ordering: none` for the channel",
    )
