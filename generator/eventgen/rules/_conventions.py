"""What names look like in each convention, and how one is written in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eventgen.model.config import Convention
from eventgen.model.names import words

_WORD = r"[a-z][a-z0-9]*"
_PART = rf"(?:{_WORD}(?:[-_][a-z0-9]+)*|\{{[^{{}}]+\}})"  # a `{{parameter}}` may have any name


@dataclass(frozen=True, slots=True)
class Style:
    """One convention: what is right, an example, and how words are put together in it."""

    right: re.Pattern[str]
    shown: str
    write: Callable[[Sequence[str]], str]


def _with(sign: str, part: str) -> re.Pattern[str]:
    return re.compile(rf"{part}(?:{re.escape(sign)}{part})*\Z")


STYLES = {
    Convention.DOTTED: Style(
        _with(".", _PART), "order.placed", lambda parts: ".".join(_entity_and_action(parts))
    ),
    Convention.KEBAB: Style(_with("-", r"(?:[a-z0-9]+|\{[^{}]+\})"), "order-placed", "-".join),
    Convention.SNAKE: Style(_with("_", r"(?:[a-z0-9]+|\{[^{}]+\})"), "order_placed", "_".join),
    Convention.PATH: Style(
        re.compile(rf"/?{_PART}(?:/{_PART})*\Z"),
        "order/placed",
        lambda parts: "/".join(_entity_and_action(parts)),
    ),
    Convention.PASCAL: Style(
        re.compile(r"(?:[A-Z][a-z0-9]*)+\Z"),
        "OrderPlaced",
        lambda parts: "".join(part.capitalize() for part in parts),
    ),
}


def rewritten(name: str, style: Style) -> str:
    """A name as the convention has it: the last word is what happened, the others to what."""
    return style.write([word.lower() for word in words(name)])


def _entity_and_action(parts: Sequence[str]) -> list[str]:
    return ["_".join(parts[:-1]), parts[-1]] if len(parts) > 1 else list(parts)
