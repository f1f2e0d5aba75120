"""An event is named after what to do, not after what has happened.

## What it checks

The name of an event that the service publishes does not end in a verb such as `create` or `cancel`.
What is sent to be answered, and answers, may be named as they like, and so may what begins with the
verb, as `CancelOrder` does: it is a command.

## Why

An event tells of something that cannot be undone, whoever listens. A name that asks for something
makes readers look for the one who does it.

## Example

```yaml
publishes:
  order.cancel:
    key: order_id
    data: {order_id: uuid}
```

## Instead

Say what happened:

```yaml
publishes:
  order.cancelled:
    key: order_id
    data: {order_id: uuid}
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from eventgen.diagnostics import Diagnostic, Label, Severity
from eventgen.model import Action
from eventgen.model.names import words
from eventgen.rules._verbs import NOUNS, PAST

if TYPE_CHECKING:
    from eventgen.model import Service
    from eventgen.model.config import Config

# Words behind the one that says what happened.
_IDLE = re.compile(r"event|message|msg|v?[0-9]+", re.IGNORECASE)
_TAIL = re.compile(rf"(?:{_IDLE.pattern}|[\W_])+\Z", re.IGNORECASE)
_VERBS = (*PAST, *NOUNS)


def check(service: Service, _config: Config) -> Iterator[Diagnostic]:
    """One finding for each event."""
    sent, talk = set(), set()
    for operation in service.operations:
        names = {name.snake for name in operation.messages}
        if operation.reply is not None:
            talk |= names | {name.snake for name in operation.reply.messages}
        elif operation.action is Action.SEND:
            sent |= names
    sent -= talk
    for message in service.messages:
        name = message.type.value
        if message.name.snake not in sent or not _may_end_in_verb(name):
            continue
        parts = [word for word in words(name) if not _IDLE.fullmatch(word)]
        verb = parts[-1] if len(parts) > 1 else ""
        past = PAST.get(verb.lower())
        if past is None and re.search(rf"[./:]{verb}\b", name):
            past = NOUNS.get(verb.lower())
        if past is not None and parts[0].lower() not in PAST:
            yield Diagnostic(
                "event-not-in-past-tense",
                Severity.WARNING,
                f"`{name}` says what to do, and an event says what has happened",
                Label(message.span),
                help=f"name it `{_replaced(name, verb, past)}`",
            )


def _may_end_in_verb(name: str) -> bool:
    """Quickly, for documents of a thousand events."""
    return _TAIL.sub("", name).lower().endswith(_VERBS)


def _replaced(name: str, verb: str, past: str) -> str:
    spelt = past.upper() if verb.isupper() else past
    before, found, after = name.rpartition(verb)
    return before + (spelt.capitalize() if found.istitle() else spelt) + after
