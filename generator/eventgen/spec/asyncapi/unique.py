"""Reports what AsyncAPI 2.x wants to be unique: operation ids, message ids and tags."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from eventgen.diagnostics import Label

if TYPE_CHECKING:
    from eventgen.diagnostics import Span
    from eventgen.spec.shape import Reading
    from eventgen.spec.tree import Node


@dataclass(slots=True)
class Ids:
    """The ids of one kind in a document, and where each was first given."""

    key: str  # operationId or messageId
    _first: dict[str, tuple[Hashable, Span]] = field(default_factory=dict)

    def claim(self, reading: Reading, owner: Hashable, node: Node) -> None:
        """Report the id that `node` has when something else than `owner` has it already."""
        text, found = reading.text(node, self.key), node.get(self.key)
        if not text or found is None:
            return
        first, at = self._first.setdefault(text, (owner, found.span))
        if first != owner:
            _twice(reading, f"the {self.key} `{text}` is given twice", found.span, at)


def tags(reading: Reading, node: Node) -> None:
    """Report a tag that an object has twice."""
    first: dict[str, Span] = {}
    for tag in reading.items(node, "tags"):
        target = reading.target(tag)
        name = None if target is None else target.get("name")
        if name is not None and name.words in first:
            _twice(reading, f"the tag `{name.words}` is given twice", name.span, first[name.words])
        elif name is not None:
            first[name.words] = name.span


def _twice(reading: Reading, text: str, at: Span, first: Span) -> None:
    reading.error(
        "given-twice",
        text,
        at,
        label="second time",
        secondary=(Label(first, "first time"),),
        help="change or remove one of the two",
    )
