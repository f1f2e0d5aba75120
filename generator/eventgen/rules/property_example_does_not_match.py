"""A default or an example of a property that the property's schema does not allow.

## What it checks

The `default`, `example` and `examples` of properties, of items and of texts are valid for the
schema they stand in, `format` included.

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
        payload: {type: object, properties: {count: {type: integer, examples: ['3']}}}
```

## Instead

Correct the example, or the schema:

```yaml
channels:
  orders:
    address: orders
    messages:
      order.placed:
        payload: {type: object, properties: {count: {type: integer, examples: [3]}}}
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
    for one in mismatches(service, whole=False):
        yield Diagnostic(
            "property-example-does-not-match",
            Severity.WARNING,
            one.text,
            Label(one.span),
            help="correct the value or the schema",
        )
