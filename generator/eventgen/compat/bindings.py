"""Two versions of the bindings of a channel, an operation or a message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from eventgen.compat.change import BOTH, Change, Party, breaking
from eventgen.compat.words import shown
from eventgen.model import Places

# Fields, of whatever protocol, by which the two sides find each other, or keep order.
_MEETING = frozenset(
    (
        "autoDelete", "channel", "destination", "durable", "exchange", "exclusive", "groupId",
        "is", "name", "queue", "queues", "routingKey", "stream", "subject", "topic", "type",
        "vhost",
    )
)  # fmt: skip
_ORDERING = frozenset(("key", "partitions", "fifoQueue", "fifoTopic", "ordering", "orderingKey"))
_IDLE = frozenset(("bindingVersion", "clientId", "description"))


class _Bound(Protocol):
    @property
    def bindings(self) -> Any: ...
    @property
    def places(self) -> Places: ...


def compare_bindings(old: _Bound, new: _Bound, subject: str) -> Iterator[Change]:
    """Every field of a binding that differs.

    What is neither about meeting nor about order is a warning: brokers keep what they were given
    first. A whole binding that is new says what held before as well.
    """
    before, after = _fields(old.bindings, ()), _fields(new.bindings, ())
    for way in dict.fromkeys((*before, *after)):
        was, now = before.get(way), after.get(way)
        if was == now or way[-1] in _IDLE or way[0] not in {one[0] for one in before}:
            continue
        name = ".".join(way)
        value = "is gone" if way not in after else f"is {shown(now)}"
        told = f"{value}, and was {shown(was)}" if way in before and way in after else value
        breaks = {}
        if _MEETING.intersection(way[1:]):
            breaks = breaking("what is set up at the broker is not where they look for it", *BOTH)
        elif _ORDERING.intersection(way[1:]):
            breaks = breaking("events of one key may overtake each other", Party.CONSUMERS)
        yield Change(
            "binding-changed",
            f"`{name}` of {subject} {told}",
            old.places.at("bindings", *way) if way in before else None,
            new.places.at("bindings", *way),
            breaks,
            warns=True,
            help="migrate the broker in a step of its own, or undo this",
            details={"path": name, "before": was, "after": now},
        )


def _fields(value: Any, way: tuple[str, ...]) -> dict[tuple[str, ...], Any]:
    if not isinstance(value, dict):
        return {way: value}
    return {
        inner: one
        for key, part in value.items()
        for inner, one in _fields(part, (*way, key)).items()
    }
