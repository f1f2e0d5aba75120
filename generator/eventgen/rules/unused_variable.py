"""A variable does not occur in the server's address.

## What it checks

Each of a server's `variables` stands as `{name}` in its host or pathname, when these have any. In
AsyncAPI 2 that is an error, elsewhere a warning.

## Why

It has no effect. The address was probably changed.

## Example

```yaml
servers:
  production:
    host: kafka.example.com:{port}
    protocol: kafka
    variables: {port: {default: '9092'}, region: {enum: [eu, us], default: eu}}
channels: {}
```

## Instead

Write it into the address, or remove the variable:

```yaml
servers:
  production:
    host: '{region}.kafka.example.com:{port}'
    protocol: kafka
    variables: {port: {default: '9092'}, region: {enum: [eu, us], default: eu}}
channels: {}
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from eventgen.diagnostics import Diagnostic, Label, Severity
from eventgen.rules._variables import used

if TYPE_CHECKING:
    from eventgen.model import Service
    from eventgen.model.config import Config


def check(service: Service, _config: Config) -> Iterator[Diagnostic]:
    """One finding for each variable."""
    for server in service.servers:
        wanted = used(server)
        for variable in server.variables:
            if wanted and variable.name not in wanted:
                yield Diagnostic(
                    "unused-variable",
                    Severity.WARNING,
                    f"the address of the server `{server.name.raw.value}` has no"
                    f" `{{{variable.name}}}`",
                    Label(variable.places.span),
                    help=f"write `{{{variable.name}}}` into the address, or remove the variable",
                )
