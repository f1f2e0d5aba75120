"""Where the channels of a service stand in its graph: consumed to the left, published right."""

from __future__ import annotations

from collections.abc import Iterable

from eventgen.model import Channel, Message, Service
from eventgen.plan.page import Box, Graph, Line

_LINE, _GAP, _PADDING = 22, 18, 12  # pixels
_LEFT, _RIGHT = 0, 660
_LONGEST = 34  # characters that fit in a box
_MOST = 12  # events shown of one channel
_LEAST = 120

_Pairs = Iterable[tuple[Channel, Message]]


def draw(service: Service) -> Graph:
    """The graph of one service."""
    sides = (
        _boxes("in", _LEFT, service.received()),
        _boxes("out", _RIGHT, service.sent()),
    )
    height = max([_LEAST, *(box.y + box.height for side in sides for box in side)])
    consumed, published = (len(side) for side in sides)
    summary = (
        f"{service.name.kebab} consumes from {_count(consumed)} and publishes to"
        f" {_count(published)}; the sections below list the events"
    )
    return Graph(
        height, min(height // 2, 200), _cut(service.name.kebab, 18), summary, sides[0] + sides[1]
    )


def _count(number: int) -> str:
    return f"{number} channel{'' if number == 1 else 's'}"


def _boxes(side: str, x: int, pairs: _Pairs) -> tuple[Box, ...]:
    grouped: dict[str, tuple[Channel, list[Message]]] = {}
    for channel, message in pairs:
        grouped.setdefault(channel.name.kebab, (channel, []))[1].append(message)
    boxes: list[Box] = []
    y = 0
    for channel, messages in grouped.values():
        lines = _lines(x, y, channel, messages)
        height = len(lines) * _LINE + 2 * _PADDING
        middle = y + height // 2
        arrow = f"M300 {middle}H392" if side == "in" else f"M560 {middle}H652"
        boxes.append(Box(y, height, side, x, arrow, lines))
        y += height + _GAP
    return tuple(boxes)


def _lines(x: int, y: int, channel: Channel, messages: list[Message]) -> tuple[Line, ...]:
    texts = [("channel", f"channel-{channel.name.kebab}", channel.address.value)]
    texts += [("event", f"event-{one.name.kebab}", one.wire_type.value) for one in messages[:_MOST]]
    if len(messages) > _MOST:
        texts.append(("event", f"channel-{channel.name.kebab}", f"{len(messages) - _MOST} more"))
    return tuple(
        Line(x + 14, y + _PADDING + 15 + number * _LINE, kind, target, _cut(text, _LONGEST), text)
        for number, (kind, target, text) in enumerate(texts)
    )


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
