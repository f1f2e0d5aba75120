"""Where plain data stands, all the way down, and what findings point at inside a schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventgen.model import Places
from eventgen.spec.keywords import DATA, MAPS

if TYPE_CHECKING:
    from eventgen.diagnostics import Span
    from eventgen.spec.tree import Node

_NAMED = MAPS | {"$defs", "definitions", "properties"}  # their keys are names, not keywords
_SAMPLES = ("default", "example", "examples")
_LIMIT = "maxLength"


def of_data(node: Node, span: Span) -> Places:
    """The places in a value, which is best pointed at by `span`; items are found by index."""
    return Places(span, _inside(node))


def of_schema(node: Node, span: Span) -> Places:
    """The places of a schema's defaults, examples and lengths, and those of the schemas in it.

    An `example` is found as such, and as the first of `examples` where there are none.
    """
    parts: dict[tuple[str, ...], Span] = {}
    waiting: list[tuple[tuple[str, ...], Node, bool]] = [((), node, False)]
    while waiting:
        way, holder, is_named = waiting.pop()
        for key, value, place in _children(holder):
            here = (*way, key)
            if key == _LIMIT and not is_named:
                parts[here] = place
            elif is_named or key not in DATA:
                waiting.append((here, value, not is_named and key in _NAMED))
            elif key in _SAMPLES:
                parts[here] = place
                inner = _inside(value)
                parts |= {(*here, *rest): at for rest, at in inner.items()}
                if key == "example" and "examples" not in holder.value:
                    first = (*way, "examples", "0")
                    parts |= {first: place, **{(*first, *rest): at for rest, at in inner.items()}}
    return Places(span, parts)


def at(holder: Node, key: str, value: Node) -> Span:
    """A scalar is best pointed at itself, anything larger at its key."""
    return holder.place(key) if isinstance(value.value, (dict, list)) else value.span


def _inside(node: Node) -> dict[tuple[str, ...], Span]:
    parts: dict[tuple[str, ...], Span] = {}
    waiting: list[tuple[tuple[str, ...], Node]] = [((), node)]
    while waiting:
        way, holder = waiting.pop()
        for key, value, place in _children(holder):
            parts[*way, key] = place
            waiting.append(((*way, key), value))
    return parts


def _children(holder: Node) -> list[tuple[str, Node, Span]]:
    if isinstance(holder.value, list):
        return [(str(index), item, item.span) for index, item in enumerate(holder.value)]
    if isinstance(holder.value, dict):
        return [(key, value, at(holder, key, value)) for key, value in holder.value.items()]
    return []
