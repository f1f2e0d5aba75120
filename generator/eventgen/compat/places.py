"""Where a part of a schema stands, found again in the text that the schema was read from.

Only what is reported needs a place, so that readers do not carry one for every keyword.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from eventgen.spec import tree
from eventgen.spec.places import at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventgen.diagnostics import Source, Span
    from eventgen.spec.tree import Node

# Keywords that older drafts write in other words.
_OLDER = {
    "prefixItems": "items",
    "dependentRequired": "dependencies",
    "dependentSchemas": "dependencies",
    "exclusiveMinimum": "minimum",
    "exclusiveMaximum": "maximum",
}


def place(span: Span, way: Sequence[str]) -> Span:
    """Where a part stands of the schema that stands at `span`, or the nearest thing around it."""
    node = _nodes(span.source).get((span.line, span.column, span.end_line, span.end_column))
    found = span
    for part in way:
        if node is None:
            break
        step = _step(node, part)
        if step is not None:
            found, node = step
    return found


def _step(node: Node, part: str) -> tuple[Span, Node] | None:
    """None where the part is only in the schema as it was read: `anyOf` of a nullable one."""
    if isinstance(node.value, list):
        index = int(part) if part.isdecimal() else 0
        return (node.value[index].span, node.value[index]) if index < len(node.value) else None
    for key in (part, _OLDER.get(part, part), f"${part}"):  # the last one in the short form
        inner = node.get(key)
        if inner is not None:
            return at(node, key, inner), inner
    return None


@lru_cache(maxsize=8)
def _nodes(source: Source) -> dict[tuple[int, int, int, int], Node]:
    """Every value of a document by its place, and by that of its key."""
    root, _ = tree.parse(source)
    found: dict[tuple[int, int, int, int], Node] = {}
    waiting = [] if root is None else [(root.span, root)]
    while waiting:
        span, node = waiting.pop()
        known = (span.line, span.column, span.end_line, span.end_column)
        if known in found:
            continue
        found[known] = node
        if isinstance(node.value, dict):
            waiting += [
                (node.keys[key], one) for key, one in node.value.items() if key in node.keys
            ]
            waiting += [(one.span, one) for one in node.value.values()]
        elif isinstance(node.value, list):
            waiting += [(one.span, one) for one in node.value]
    return found
