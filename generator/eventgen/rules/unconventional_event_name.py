"""An event is not named as you want events to be named.

## What it checks

When eventgen.yaml has `event_names` under `check`, each event that the service publishes is named
so: `dotted` (`order.placed`, with a domain before it or a version behind it), `kebab`, `snake`,
`path` or `pascal`. Without it any name is right.

## Why

People find an event, and give rights to a whole family of them, by its name. That works when all
names are made the same way.

## Example

```yaml
spec: spec.yaml
broker: kafka
check: {event_names: kebab}
```

## Instead

Rename the event, or choose the convention that your events follow: `check: {event_names: dotted}`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from eventgen.diagnostics import Diagnostic, Label, Severity
from eventgen.model.config import Convention
from eventgen.rules._conventions import STYLES, rewritten

if TYPE_CHECKING:
    from eventgen.model import Service
    from eventgen.model.config import Config

# An event named by entity and action has both.
_IN_PARTS = {Convention.DOTTED: ".", Convention.PATH: "/"}


def check(service: Service, config: Config) -> Iterator[Diagnostic]:
    """One finding for each event that is sent."""
    convention = config.naming.events
    if convention is None:
        return
    style = STYLES[convention]
    for message in {message.name.snake: message for _, message in service.sent()}.values():
        name = message.type.value
        sign = _IN_PARTS.get(convention, "")
        if style.right.match(name) and sign in name:
            continue
        meant = rewritten(name, style)
        yield Diagnostic(
            "unconventional-event-name",
            Severity.WARNING,
            f"`{name}` is not a {convention.value} name, as `{style.shown}` is",
            Label(message.span),
            help=f"name it `{meant}`" if sign in meant else None,
        )
