"""Reads the settings that `eventgen.yaml`, `x-eventgen` and the short form share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventgen.model import Envelope, Handling, Ordering, Retry, Wrapping
from eventgen.model.config import ChannelConfig
from eventgen.spec.fields import Choice, Either, Field, Number, Path, Table

if TYPE_CHECKING:
    from collections.abc import Collection

    from eventgen.diagnostics import Span
    from eventgen.spec.shape import Reading
    from eventgen.spec.tree import Node

EXTENSION = "x-eventgen"
IGNORE = "ignore"  # beside the settings of any object: see `suppress`
_LONGEST = 366 * 24 * 3600.0  # seconds
_USUAL = Retry()
_USUALLY = Handling()

RETRY = Table(
    "`retry`",
    (
        Field(
            "attempts",
            Number(1, 1000, whole=True),
            "How often an event is tried before it becomes a dead letter."
            f" {_USUAL.attempts} when this is not given.",
        ),
        Field(
            "initial",
            Number(0, _LONGEST, unit="seconds"),
            "Seconds between the first attempt and the second."
            f" {_USUAL.initial:g} when this is not given.",
        ),
        Field(
            "factor",
            Number(1, 100),
            "How many times longer each delay is than the one before it."
            f" {_USUAL.factor:g} when this is not given.",
        ),
        Field(
            "maximum",
            Number(0, _LONGEST, unit="seconds"),
            "The longest delay between two attempts, in seconds."
            f" {_USUAL.maximum:g} when this is not given.",
        ),
    ),
)
HANDLING = Table(
    "`handling`",
    (
        Field(
            "concurrency",
            Number(1, 1000, whole=True),
            "How many events of different keys are handled at the same time."
            f" {_USUALLY.concurrency} when this is not given.",
        ),
        Field(
            "batch",
            Number(1, 1000, whole=True),
            f"How many events may share a transaction. {_USUALLY.batch} when this is not given.",
        ),
        Field(
            "timeout",
            Number(0.001, _LONGEST, unit="seconds"),
            "Seconds a handler may take before it is cancelled, and has failed."
            f" {_USUALLY.timeout:g} when this is not given.",
        ),
        Field(
            "rate",
            Number(0.001, 1_000_000, unit="events a second"),
            "The most events a second that one process handles. Any number when this is not given.",
        ),
    ),
)
ORDERING = Field(
    "ordering",
    Choice(tuple(one.value for one in Ordering)),
    "`key`: events with one key are handled in the order they were published."
    " `none`: in any order. `key` when this is not given.",
)
_ATTRIBUTES = (
    ("id", "The property of the payload that is the event's id."),
    ("type", "The property that says which event it is."),
    ("time", "The property that says when it happened."),
    ("key", "The property that it is ordered by."),
    ("correlation_id", "The property that ties it to other events."),
    ("causation_id", "The property that names the event that caused it."),
    ("source", "The property that says who sent it."),
    ("version", "The property that says the version of the event."),
)
ENVELOPE = Field(
    "envelope",
    Either(
        Choice(tuple(one.value for one in Wrapping)),
        Table("`envelope`", tuple(Field(name, Path(), says) for name, says in _ATTRIBUTES)),
    ),
    "What id, type, time and the like of an event travel in. `cloudevents`: in headers, as"
    " CloudEvents has them. `plain`: in a JSON object around the data. `none`: the payload is an"
    " envelope already; a mapping says the same, and which property is what: `id: meta.id`."
    " `cloudevents` when this is not given, or `none` where the payload is seen to be one.",
)
CHANNEL = Table(
    "the channel `{}`",
    (
        ORDERING,
        Field("retry", RETRY, "How often, and how far apart, a failing event is tried."),
        Field("handling", HANDLING, "How many events are handled at once, how fast, how long."),
    ),
)


def extension(reading: Reading, node: Node, keys: Collection[str], what: str) -> Node | None:
    """The `x-eventgen` of an object, with its keys checked."""
    found = reading.mapping(node, EXTENSION)
    if found is not None:
        reading.known(found, (*keys, IGNORE), f"`{EXTENSION}` of {what}")
    return found


def channel(reading: Reading, node: Node) -> ChannelConfig:
    """The settings of one channel."""
    found = CHANNEL.picked(reading, node)
    ordering = found.get("ordering")
    retry, handling = found.get("retry"), found.get("handling")
    return ChannelConfig(
        ordering=None if ordering is None else Ordering(ordering.value),
        retry=None if retry is None else _retry(reading, retry),
        handling=None if handling is None else _handling(handling),
        places={key: found.place(key) for key in CHANNEL.keys if key in found.value},
    )


def envelope(node: Node, at: Span) -> Envelope:
    """The envelope that a checked field says; `at` is where it stands."""
    if not isinstance(node.value, dict):
        return Envelope(Wrapping(node.words), origin=at)
    paths = {key: path(value) for key, value in node.value.items() if not key.startswith("x-")}
    return Envelope(Wrapping.NONE, {key: way for key, way in paths.items() if way}, origin=at)


def path(node: Node) -> tuple[str, ...]:
    """`order_id`, `order.id`, a JSON Pointer `/order/id`, or a list when a name has a dot."""
    if isinstance(node.value, list):
        return tuple(part.words for part in node.value if part.words)
    if node.words.startswith("/"):
        parts = node.words[1:].split("/")
        return tuple(part.replace("~1", "/").replace("~0", "~") for part in parts)
    return tuple(part for part in node.words.split(".") if part)


def choice(reading: Reading, node: Node, key: str, words: Collection[str]) -> str | None:
    """A field that is one of a few words."""
    if node.get(key) is None or node.value[key].value is None:
        return None
    found = Choice(tuple(words)).checked(reading, node, key)
    return None if found is None else found.words


def number(
    reading: Reading, node: Node, key: str, usual: float, bounds: tuple[float, float]
) -> float:
    """A field that is a number within bounds; `usual` when it is absent or not one."""
    if node.get(key) is None or node.value[key].value is None:
        return usual
    found = Number(*bounds).checked(reading, node, key)
    return usual if found is None else float(found.value)


def _handling(node: Node) -> Handling:
    given = {key: value.value for key, value in node.value.items()}
    rate = given.get("rate", _USUALLY.rate)
    return Handling(
        concurrency=int(given.get("concurrency", _USUALLY.concurrency)),
        batch=int(given.get("batch", _USUALLY.batch)),
        timeout=float(given.get("timeout", _USUALLY.timeout)),
        rate=None if rate is None else float(rate),
    )


def _retry(reading: Reading, node: Node) -> Retry:
    given = {key: value.value for key, value in node.value.items()}
    initial = float(given.get("initial", _USUAL.initial))
    maximum = float(given.get("maximum", max(_USUAL.maximum, initial)))
    if maximum < initial:
        reading.error(
            "out-of-range",
            f"`maximum` is {maximum:g} seconds, less than `initial`, {initial:g}",
            node.value["maximum"].span,
            help="`maximum` is the longest delay between two attempts",
        )
    factor = float(given.get("factor", _USUAL.factor))
    return Retry(int(given.get("attempts", _USUAL.attempts)), initial, factor, maximum)
