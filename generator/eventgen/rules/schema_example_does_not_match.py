"""A default or an example of a whole schema that the schema does not allow.

## What it checks

The `default` and the `examples` of a payload and of a schema that others refer to are valid for it.
In AsyncAPI 2 that is an error, elsewhere a warning.

## Why

Examples are what people copy, and a default is what they get without knowing. One that does not
match is wrong, or shows that the schema is.

## Example

```yaml
channels:
  orders:
    address: orders
    messages:
      order.placed:
        payload:
          type: object
          required: [order_id]
          properties: {order_id: {type: string}}
          examples: [{orderId: A-1}]
```

## Instead

Correct the example, or the schema:

```yaml
channels:
  orders:
    address: orders
    messages:
      order.placed:
        payload:
          type: object
          required: [order_id]
          properties: {order_id: {type: string}}
          examples: [{order_id: A-1}]
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from eventgen.diagnostics import Diagnostic, Label, Severity
from eventgen.rules._samples import mismatches

if TYPE_CHECKING:
    from eventgen.model import Service
    from eventgen.model.config import Config


def check(service: Service, _config: Config) -> Iterator[Diagnostic]:
    """One finding for each fault."""
    for one in mismatches(service, whole=True):
        yield Diagnostic(
            "schema-example-does-not-match",
            Severity.WARNING,
            one.text,
            Label(one.span),
            help="correct the value or the schema",
        )
