"""The name of an event says another version than its `version`.

## What it checks

Where an event's name, or the address of a channel that only this event goes through, ends in a
major version, as in `order.placed.v2`, it is the first number of the event's `version`.

## Why

A new major version is a new event: consumers of the old one go on as before. When the two numbers
differ, some consumers follow one and some the other.

## Example

```yaml
publishes:
  order.placed.v2:
    version: 1.4.0
    key: order_id
    data: {order_id: uuid}
```

## Instead

Make them say the same:

```yaml
publishes:
  order.placed.v2:
    version: 2.0.0
    key: order_id
    data: {order_id: uuid}
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from eventgen.diagnostics import Diagnostic, Label, Severity
from eventgen.rules._versions import is_given, place

if TYPE_CHECKING:
    from eventgen.model import Message, Service
    from eventgen.model.config import Config

_AT_END = re.compile(r"(?:[./_-]v|(?<=[a-z])V)([0-9]{1,9})\Z")


def check(service: Service, _config: Config) -> Iterator[Diagnostic]:
    """One finding for each event whose version the document gives."""
    addresses = {
        channel.messages[0].snake: channel.address.value
        for channel in service.channels
        if len(channel.messages) == 1
    }
    for message in service.messages:
        if not is_given(message):
            continue
        for text in (message.type.value, addresses.get(message.name.snake, "")):
            said = _AT_END.search(text)
            if said is not None and _major(message) not in ("", str(int(said[1]))):
                yield Diagnostic(
                    "version-differs-from-name",
                    Severity.WARNING,
                    f"`{text}` says version {int(said[1])}, and its version is"
                    f" `{message.version.value}`",
                    Label(place(message)),
                    help=f"write `version: {int(said[1])}.0.0`, or change the name",
                )
                break


def _major(message: Message) -> str:
    """The first number of a version; empty when it has none."""
    found = re.match(r"[0-9]{1,9}(?![0-9])", message.version.value)
    return "" if found is None else str(int(found[0]))
