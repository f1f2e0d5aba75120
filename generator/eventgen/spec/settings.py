"""Reads the settings that `eventgen.yaml`, `x-eventgen` and the short form share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventgen.model import Handling, Ordering, Retry
from eventgen.model.config import ChannelConfig
from eventgen.spec.fields import Choice, Field, Number, Table

if TYPE_CHECKING:
    from collections.abc import Collection

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
