"""Reads the settings that `eventgen.yaml` and `x-eventgen` share: ordering and retries."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from eventgen.model import Ordering, Retry
from eventgen.model.config import ChannelConfig
from eventgen.spec.nearest import did_you_mean
from eventgen.spec.shape import kind

if TYPE_CHECKING:
    from collections.abc import Collection

    from eventgen.spec.shape import Reading
    from eventgen.spec.tree import Node

EXTENSION = "x-eventgen"
IGNORE = "ignore"  # beside the settings of any object: see `suppress`
_LONGEST = 366 * 24 * 3600.0  # seconds
_MOST_ATTEMPTS = 1000


def extension(reading: Reading, node: Node, keys: Collection[str], what: str) -> Node | None:
    """The `x-eventgen` of an object, with its keys checked."""
    found = reading.mapping(node, EXTENSION)
    if found is not None:
        reading.known(found, (*keys, IGNORE), f"`{EXTENSION}` of {what}")
    return found


def channel(reading: Reading, node: Node) -> ChannelConfig:
    """`ordering` and `retry` of one channel."""
    ordering = choice(reading, node, "ordering", [ordering.value for ordering in Ordering])
    found = reading.mapping(node, "retry")
    return ChannelConfig(
        ordering=None if ordering is None else Ordering(ordering),
        retry=None if found is None else _retry(reading, found),
    )


def choice(reading: Reading, node: Node, key: str, words: Collection[str]) -> str | None:
    """A field that is one of a few words."""
    word = reading.text(node, key)
    if not word or word in words:
        return word or None
    reading.error(
        "unknown-choice",
        f"`{key}` is one of {', '.join(f'`{known}`' for known in words)}, not `{word}`",
        node.value[key].span,
        help=did_you_mean(word, words),
    )
    return None


def _retry(reading: Reading, node: Node) -> Retry:
    usual = Retry()
    reading.known(node, ("attempts", "initial", "factor", "maximum"), "`retry`")
    attempts = number(reading, node, "attempts", usual.attempts, (1, _MOST_ATTEMPTS))
    if attempts != int(attempts):
        reading.error("out-of-range", "`attempts` is a whole number", node.value["attempts"].span)
    initial = number(reading, node, "initial", usual.initial, (0, _LONGEST))
    factor = number(reading, node, "factor", usual.factor, (1, 100))
    maximum = number(reading, node, "maximum", max(usual.maximum, initial), (0, _LONGEST))
    if maximum < initial:
        reading.error(
            "out-of-range",
            f"`maximum` is {maximum:g} seconds, less than `initial`, {initial:g}",
            node.value["maximum"].span,
            help="`maximum` is the longest delay between two attempts",
        )
    return Retry(int(attempts), initial, factor, maximum)


def number(
    reading: Reading, node: Node, key: str, usual: float, bounds: tuple[float, float]
) -> float:
    """A field that is a number within bounds; `usual` when it is absent or not one."""
    found = node.get(key)
    if found is None or found.value is None:
        return usual
    value = found.value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        remedy = "write the number of seconds" if key in ("initial", "maximum") else None
        text = f"`{key}` is a number, and this is {kind(value)}"
        reading.error("wrong-kind", text, found.span, help=remedy)
        return usual
    low, high = bounds
    if not low <= value <= high or not math.isfinite(value):
        text = f"`{key}` is between {low:g} and {high:g}"
        reading.error("out-of-range", text, found.span)
        return usual
    return float(value)
