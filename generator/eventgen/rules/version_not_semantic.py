"""The version of an event is not a semantic version.

## What it checks

The `version` of an event has three numbers, as https://semver.org has it: `1.0.0`, `2.1.0-beta.1`.

## Why

The first number says whether consumers have to change, and the second whether there is something
new for them. Tools that compare versions cannot read any other form.

## Example

```yaml
publishes:
  order.placed:
    version: '2'
    key: order_id
    data: {order_id: uuid}
```

## Instead

Write all three numbers:

```yaml
publishes:
  order.placed:
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
from eventgen.rules._versions import place

if TYPE_CHECKING:
    from eventgen.model import Service
    from eventgen.model.config import Config

_NUMBER = r"(?:0|[1-9][0-9]*)"
_WORD = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_SEMANTIC = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}"
    rf"(?:-{_WORD}(?:\.{_WORD})*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?\Z"
)
_SHORT = re.compile(r"v?([0-9]{1,9})(?:\.([0-9]{1,9}))?(?:\.([0-9]{1,9}))?\Z", re.ASCII)


def check(service: Service, _config: Config) -> Iterator[Diagnostic]:
    """One finding for each event."""
    for message in service.messages:
        version = message.version.value
        if _SEMANTIC.match(version):
            continue
        yield Diagnostic(
            "version-not-semantic",
            Severity.WARNING,
            f"the version of `{message.type.value}` is `{version}`, not a semantic version",
            Label(place(message)),
            help=f"write `version: {_meant(version)}`",
        )


def _meant(version: str) -> str:
    short = _SHORT.match(version)
    if short is None:
        return "1.0.0"
    return ".".join(str(int(part or 0)) for part in short.groups())
