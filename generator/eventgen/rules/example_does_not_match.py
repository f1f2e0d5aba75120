"""An example that its own payload schema does not allow.

## What it checks

Every example of a message is valid for the message's payload, `format` included.

## Why

Examples are what people copy. One that does not match is wrong, or shows that the schema is.

## Example

```yaml
publishes:
  order.placed:
    data: {order_id: uuid, amount: decimal}
    examples: [{order_id: 6f1e2c1a-2b57-4d4e-9d5b-0b6f8a1c7e11, amount: 49.9}]
```

## Instead

Correct the example, `amount: '49.90'`, or the schema.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from eventgen.diagnostics import Diagnostic, Label, Severity
from eventgen.spec.validate import mismatches

if TYPE_CHECKING:
    from eventgen.model import Service
    from eventgen.model.config import Config


def check(service: Service, _config: Config) -> Iterator[Diagnostic]:
    """One finding for each example, with its first fault."""
    for message, number, fault in mismatches(service):
        which = "the example" if len(message.payloads) == 1 else f"example {number}"
        yield Diagnostic(
            "example-does-not-match",
            Severity.WARNING,
            f"{which} of `{message.type.value}` is not what its payload allows:"
            f" {fault.text}" + (f" (at `{fault.path}`)" if fault.path else ""),
            Label(message.span),
            help="correct the example or the payload's schema",
        )
