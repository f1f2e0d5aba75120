"""A default or an example that is not among the values allowed.

## What it checks

The `default` and `examples` of a server's variable or of a channel's parameter are in its `enum`.

## Why

Whoever takes the default connects to a place that the document itself says does not exist.

## Example

```yaml
servers:
  production:
    host: '{region}.kafka.example.com:9092'
    protocol: kafka
    variables: {region: {enum: [eu, us], default: europe}}
channels: {}
```

## Instead

Take one of the values, or add the value to `enum`:

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
from eventgen.spec.nearest import did_you_mean

if TYPE_CHECKING:
    from eventgen.model import Parameter, Service, Variable
    from eventgen.model.config import Config


def check(service: Service, _config: Config) -> Iterator[Diagnostic]:
    """One finding for each default or example."""
    for server in service.servers:
        for variable in server.variables:
            yield from _about(variable)
    for channel in service.channels:
        for parameter in channel.parameters:
            yield from _about(parameter)


def _about(found: Variable | Parameter) -> Iterator[Diagnostic]:
    allowed = [one.value for one in found.enum]
    if not allowed:
        return
    defaults = () if found.default is None else (("default", found.default),)
    for what, text in (*defaults, *(("examples", one) for one in found.examples)):
        if text.value not in allowed:
            word = "default" if what == "default" else "example"
            yield Diagnostic(
                "default-not-in-enum",
                Severity.WARNING,
                f"`{text.value}` is the {word} of `{found.name}`, and not one of its values",
                Label(found.places.at(what)),
                help=did_you_mean(text.value, allowed)
                or "its values are: " + ", ".join(f"`{one}`" for one in allowed),
            )
