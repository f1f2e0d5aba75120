"""Merges traits into what they belong to, as JSON Merge Patch does, keeping every place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventgen.spec.tree import Node

if TYPE_CHECKING:
    from eventgen.spec.shape import Reading


def apply(reading: Reading, node: Node, *, trait_wins: bool) -> Node:
    """The object with its `traits` merged in, the later over the earlier.

    In AsyncAPI 2.x a trait overrides the object's own field, in 3.x the object's own field stays.
    """
    traits = [reading.object(trait, "a trait") for trait in reading.items(node, "traits")]
    result = node
    merged: Node | None = None
    for trait in traits:
        if trait is not None:
            merged = trait if merged is None else overlay(merged, trait)
    if merged is not None:
        result = overlay(node, merged) if trait_wins else overlay(merged, node)
    return Node(result.value, node.span, result.keys)


def overlay(under: Node, over: Node) -> Node:
    """`over` on top of `under`: mappings are joined, anything else replaced."""
    if not isinstance(under.value, dict) or not isinstance(over.value, dict):
        return over
    if under.reference is not None or over.reference is not None:
        return over
    value = dict(under.value)
    for key, node in over.value.items():
        value[key] = overlay(value[key], node) if key in value else node
    return Node(value, over.span, {**under.keys, **over.keys})
