"""A security scheme that nothing asks for.

## What it checks

Every scheme under `components: {securitySchemes: ...}` is in the `security` of a server or of an
operation.

## Why

A scheme that is described but not asked for protects nothing, and readers believe that it does.

## Example

```yaml
asyncapi: 3.0.0
info: {title: Orders, version: 1.0.0}
servers:
  production: {host: 'kafka:9092', protocol: kafka}
channels: {}
components:
  securitySchemes:
    user: {type: scramSha256}
```

## Instead

Ask for it where it is needed:

```yaml
asyncapi: 3.0.0
info: {title: Orders, version: 1.0.0}
servers:
  production:
    host: 'kafka:9092'
    protocol: kafka
    security: [{$ref: '#/components/securitySchemes/user'}]
channels: {}
components:
  securitySchemes:
    user: {type: scramSha256}
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
    """One finding for each scheme."""
    used = {
        permit.scheme.name
        for security in (
            *(server.security for server in service.servers),
            *(operation.security for operation in service.operations),
        )
        for alternative in security
        for permit in alternative
    }
    for scheme in service.security:
        if scheme.name not in used:
            yield Diagnostic(
                "unused-security-scheme",
                Severity.WARNING,
                f"no server and no operation asks for `{scheme.name.value}`",
                Label(scheme.places.span),
                help="name it in the `security:` of a server, or remove it",
            )
