"""A server's address has variables and declares none, or the other way round.

## What it checks

A server whose host or pathname has a `{name}` has `variables`, and one that has `variables` has a
`{name}` somewhere in its address.

## Why

Nobody can tell which values the names may have; or the values are of no use.

## Example

```yaml
servers:
  production: {host: '{region}.kafka.example.com:9092', protocol: kafka}
channels: {}
```

## Instead

Declare what the address has:

```yaml
servers:
  production:
    host: '{region}.kafka.example.com:9092'
    protocol: kafka
    variables: {region: {enum: [eu, us], default: eu}}
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
    """One finding for each server."""
    for server in service.servers:
        wanted = used(server)
        declared = [variable.name for variable in server.variables]
        if bool(wanted) == bool(declared):
            continue
        name = next(iter(wanted or declared))
        yield Diagnostic(
            "variables-on-one-side",
            Severity.WARNING,
            f"`{{{name}}}` in the address of the server `{server.name.raw.value}` is not declared"
            if wanted
            else f"the address of the server `{server.name.raw.value}` has no `{{{name}}}`",
            Label(next(iter(wanted.values())) if wanted else server.places.at("variables", name)),
            help=f"declare it: `variables: {{{name}: {{}}}}`"
            if wanted
            else f"write `{{{name}}}` into the address, or remove the variable",
        )
