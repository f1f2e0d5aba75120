"""The steps an event takes, printed for people as the log tells of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from .retry import describe

if TYPE_CHECKING:
    from .service import Service

Fields = Mapping[str, Any]


class Trace:
    """Prints one line a step; an observer of the log."""

    def __init__(self, service: Service) -> None:
        """`service` knows which handler takes which event."""
        self.steps = 0  # seen so far
        self._handlers = {
            route.event.type: route.handler.__name__
            for subscription in service.subscriptions
            for route in subscription.routes
        }
        self._received: dict[str, float] = {}
        self._published: list[Fields] = []  # by a handler whose end the log has not told of yet
        self._tell: dict[str, Callable[[Fields], None]] = {
            "outbox.stored": self._stored,
            "relay.sent": lambda f: self._line(f, "2 relay → broker", ""),
            "relay.refused": lambda f: self._line(f, "2 relay", f"refused: {f.get('reason')}"),
            "relay.poison": lambda f: self._line(f, "2 relay", f"refused: {f.get('reason')}"),
            "consumer.received": self._arrived,
            "consumer.duplicate": lambda f: self._line(f, "3 inbox", "known already"),
            "consumer.ignored": lambda f: self._line(f, "3 inbox", "nothing handles it"),
            "consumer.handled": self._handled,
            "consumer.skipped": lambda f: self._line(f, self._handler(f), "skipped it"),
            "consumer.retry": self._retry,
            "consumer.parked": lambda f: self._line(f, "4 parked", "see the table parked"),
            "consumer.dead": self._dead,
        }

    def __call__(self, name: str, fields: Fields) -> None:
        """One log entry; those that are no step of an event are passed over."""
        tell = self._tell.get(name)
        if tell is not None:
            self.steps += 1
            tell(fields)

    def _line(self, fields: Fields, stage: str, outcome: str) -> None:
        key = f" key={fields['key']}" if fields.get("key") else ""
        event = f"{fields.get('event_type')} …{str(fields.get('event_id'))[-8:]}{key}"
        click.echo(f"{stage} {event}{': ' if outcome else ''}{outcome}")

    def _handler(self, fields: Fields) -> str:
        return f"4 handler {self._handlers.get(str(fields.get('event_type')), '')}"

    def _stored(self, fields: Fields) -> None:
        if fields.get("logger") == "eventgen.consumer":
            self._published.append(fields)  # first the handler, then what it published
        else:
            self._line(fields, "1 outbox ←", "")

    def _arrived(self, fields: Fields) -> None:
        self._received[str(fields.get("event_id"))] = time.monotonic()
        self._line(fields, "3 broker → inbox", "")

    def _handled(self, fields: Fields) -> None:
        since = self._received.pop(str(fields.get("event_id")), None)
        took = "" if since is None else f" in {(time.monotonic() - since) * 1000:.0f} ms"
        published, self._published = self._published, []
        types = ", ".join(str(each.get("event_type")) for each in published)
        also = f", published {types}" if types else ""
        self._line(fields, self._handler(fields), f"done{took}{also}")
        for each in published:
            self._line(each, "1 outbox ←", "")

    def _retry(self, fields: Fields) -> None:
        delay = fields.get("delay")
        again = "tried again" if delay is None else f"tried again in {delay:.1f} s"
        self._line(fields, self._handler(fields), f"failed, {again}: {_error(fields)}")

    def _dead(self, fields: Fields) -> None:
        if "reason" in fields:  # the log tells twice; once without
            outcome = f"dead letter ({fields['reason']}): {_error(fields)}"
            self._line(fields, self._handler(fields), outcome)


def _error(fields: Fields) -> str:
    found = fields.get("error") or fields.get("exc_info")
    return describe(found) if isinstance(found, BaseException) else str(found)
