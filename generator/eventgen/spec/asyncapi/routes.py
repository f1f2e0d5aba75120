"""Reads what follows an operation: its answer, further attempts, and what it gives up.

`retry` and `deadLetter` beside `reply` are a proposal for AsyncAPI (asyncapi/spec#1234): each names
a channel and its messages, and `retry` how many attempts there are and how far apart.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eventgen.model import ReplyAddress, Retry, Route, Text
from eventgen.spec import settings
from eventgen.spec.asyncapi.about import location, places
from eventgen.spec.drafts import DraftMessage, DraftRoute

if TYPE_CHECKING:
    from eventgen.spec.asyncapi.lookup import Lookup
    from eventgen.spec.shape import Reading
    from eventgen.spec.tree import Node

_FIELDS = {"reply": "reply", "retry": "retry_route", "deadLetter": "dead_letter"}
_DURATION = re.compile(
    r"PT(?=[0-9])(?:([0-9]{1,6})H)?(?:([0-9]{1,6})M)?(?:([0-9]{1,9}(?:[.,][0-9]{1,9})?)S)?\Z"
)
_SECONDS = (3600, 60, 1)
_STRATEGIES = ("fixed", "linear", "exponential")


def routes(lookup: Lookup, name: str, node: Node) -> dict[str, DraftRoute]:
    """The routes of an operation, by the field of `Operation` that holds them."""
    found = {key: lookup.reading.mapping(node, key) for key in _FIELDS}
    return {
        _FIELDS[key]: _route(lookup, name, node, key, route)
        for key, route in found.items()
        if route is not None
    }


def _route(lookup: Lookup, name: str, node: Node, key: str, route: Node) -> DraftRoute:
    reading = lookup.reading
    channel = lookup.channel(name, route, strict=False)
    address = reading.mapping(route, "address")
    return DraftRoute(
        channel=channel,
        messages=_free(lookup, name, route)
        if channel is None
        else lookup.messages_of(name, route, channel, strict=False),
        body=Route(
            channel=None,
            messages=(),
            address=None
            if address is None
            else ReplyAddress(
                description=Text(reading.text(address, "description")),
                location=location(reading, address),
                places=places(address, route.place("address")),
            ),
            places=places(route, node.place(key)),
        ),
    )


def _free(lookup: Lookup, name: str, route: Node) -> tuple[DraftMessage, ...]:
    """The messages of an answer whose channel is not known before its request."""
    found = [
        lookup.messages.read(item, item.span, "", (name,))
        for item in lookup.reading.items(route, "messages")
    ]
    return tuple(dict.fromkeys(one for one in found if one is not None))


def retry(reading: Reading, node: Node) -> Retry | None:
    """How often, and how far apart, an operation tries; None when it does not say.

    A delay that grows by equal steps is read as one that grows by equal factors: the first two
    delays and the longest are those of the document.
    """
    found = reading.mapping(node, "retry")
    if found is None:
        return None
    usual = Retry()
    attempts = 1 + int(settings.number(reading, found, "maxAttempts", usual.attempts - 1, (1, 999)))
    strategy = reading.mapping(found, "strategy")
    kind = None if strategy is None else settings.choice(reading, strategy, "type", _STRATEGIES)
    if strategy is None or kind is None:
        return Retry(attempts=attempts)
    if kind == "fixed":
        delay = _seconds(reading, strategy, "delay", usual.initial)
        return Retry(attempts, delay, 1, delay)
    first = _seconds(reading, strategy, "initialDelay", usual.initial)
    if kind == "linear":
        step = _seconds(reading, strategy, "delayIncrement", 0)
        longest = first + step * (attempts - 2)
        factor = (first + step) / first if first else 1
    else:
        longest = max(first, usual.maximum)
        factor = settings.number(reading, strategy, "multiplier", usual.factor, (1, 100))
    return Retry(attempts, first, factor, _seconds(reading, strategy, "maxDelay", longest))


def _seconds(reading: Reading, node: Node, key: str, usual: float) -> float:
    """A field that is a duration of ISO 8601, in hours, minutes and seconds."""
    found = node.get(key)
    if found is None or found.value is None:
        return usual
    parts = _DURATION.match(found.words)
    if parts is None:
        reading.error(
            "out-of-range",
            f"`{key}` is a duration, and `{found.words}` is not one",
            found.span,
            help="write `PT30S` for 30 seconds, `PT5M` for 5 minutes",
        )
        return usual
    amounts = zip(parts.groups(default="0"), _SECONDS, strict=True)
    return sum(float(amount.replace(",", ".")) * seconds for amount, seconds in amounts)
