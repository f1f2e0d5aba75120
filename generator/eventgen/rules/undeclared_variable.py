"""A `{variable}` of a server's address is not declared.

## What it checks

Each `{name}` in a server's host and pathname is one of its `variables`, when it has any. In
AsyncAPI 2 that is an error, elsewhere a warning.

## Why

Nobody can tell which values it may have, or what it is without one.

## Example

```yaml
servers:
  production:
    host: '{region}.kafka.example.com:{port}'
    protocol: kafka
    variables: {port: {default: '9092'}}
channels: {}
```

## Instead

Declare it:

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
        declared = {variable.name for variable in server.variables}
        for name, span in used(server).items():
            if declared and name not in declared:
                yield Diagnostic(
                    "undeclared-variable",
                    Severity.WARNING,
                    f"`{{{name}}}` in the address of the server `{server.name.raw.value}` is not"
                    " declared",
                    Label(span),
                    help=f"declare it: `variables: {{{name}: {{}}}}`",
                )
