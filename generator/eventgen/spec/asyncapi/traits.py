"""Merges traits into what they belong to, as JSON Merge Patch (RFC 7396) does, keeping places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventgen.spec.tree import Node

if TYPE_CHECKING:
    from eventgen.spec.shape import Reading

_DEEPEST = 40  # levels that are merged; two recursive schemas have no end


def apply(reading: Reading, node: Node, *, trait_wins: bool) -> Node:
    """The object with its `traits` merged in, the later over the earlier.

    In AsyncAPI 2.x a trait overrides the object's own field, in 3.x the object's own field stays.
    """
    found = [reading.object(trait, "a trait") for trait in reading.items(node, "traits")]
    traits = [trait for trait in found if trait is not None]
    if not traits:
        return node
    first, *rest = (node, *traits) if trait_wins else (*traits, node)
    for layer in rest:
        first = overlay(reading, first, layer)
    return Node(first.value, node.span, first.keys)


def overlay(reading: Reading, under: Node, over: Node, deep: int = 0) -> Node:
    """`over` on top of `under`: mappings are joined, null removes, anything else replaces.

    A reference is followed only where both have something to say.
    """
    below, above = reading.target(under), reading.target(over)
    if below is None or above is None or deep > _DEEPEST:
        return over
    if not isinstance(below.value, dict) or not isinstance(above.value, dict):
        return over
    value = dict(below.value)
    for key, node in above.value.items():
        if node.value is None:
            value.pop(key, None)
        else:
            value[key] = overlay(reading, value[key], node, deep + 1) if key in value else node
    return Node(value, above.span, {**below.keys, **above.keys})
