"""Finds out which value of a document is which object of the specification."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from eventgen.spec.document.schema import CHECKED_FORMAT
from eventgen.spec.document.shapes import Shape, Shapes, Spec

if TYPE_CHECKING:
    from eventgen.diagnostics import Span
    from eventgen.spec.tree import Node

_CHECKED_FORMAT = re.compile(CHECKED_FORMAT)
_DEEP = frozenset(("list", "map", "object", "or", "refers"))


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A value, and what is expected of it.

    `what` is what the value is called in a sentence. `key` is where the key stands that names it,
    if its author chose that key, and `schema` the schema that it belongs to.
    """

    node: Node
    spec: Spec
    what: str
    key: Span | None = None
    schema: Node | None = None


def reads_as_reference(shapes: Shapes, place: Place) -> bool:
    """Whether the value is a reference, which stands for something else."""
    spec = expected(place)
    if place.node.reference is None:
        return False
    if "object" in spec:
        return shapes.objects[spec["object"]].referable
    return "map" in spec or "refers" in spec


def expected(place: Place) -> Spec:
    """What is expected of the value, whose kind chooses between two."""
    other = place.spec.get("or")
    if other is not None and isinstance(place.node.value, list if "list" in other else dict):
        found: Spec = other
        return found
    return place.spec


def walk(
    shapes: Shapes, start: Place, seen: set[tuple[int, str]], *, leaves: bool
) -> Iterator[Place]:
    """The places of everything that is checked, outermost first; none of an object in `seen`.

    `leaves`: also those of plain values, which hold no objects and no references.
    """
    waiting = [start]
    while waiting:
        place = waiting.pop()
        name = expected(place).get("object")
        if name is not None and (id(place.node), name) in seen:
            continue
        yield place
        if reads_as_reference(shapes, place):
            continue
        if name is not None:
            seen.add((id(place.node), name))
        waiting += _inside(shapes, place, leaves=leaves)


def _inside(shapes: Shapes, place: Place, *, leaves: bool) -> Iterator[Place]:
    node, spec = place.node, expected(place)
    if "object" in spec:
        yield from _fields(shapes, place, spec["object"], leaves=leaves)
    elif "list" in spec and isinstance(node.value, list):
        what = _item(shapes, spec["list"], place.what)
        for item in node.value:
            yield Place(item, spec["list"], what, None, place.schema)
    elif "map" in spec:
        yield from _entries(shapes, place, spec["map"])


def _fields(shapes: Shapes, place: Place, name: str, *, leaves: bool) -> Iterator[Place]:
    node = place.node
    if not isinstance(node.value, dict):
        return
    shape = shapes.objects[shapes.told(name, node)]
    is_schema = shape is shapes.objects["schema"]
    inner = (place.schema or node) if is_schema else None
    fields = shape.fields if leaves else _deep(shape)
    for key, child in node.value.items():
        spec = fields.get(key)
        if spec is not None and _is_checked(node, spec):
            yield Place(child, spec, f"`{key}`", None, inner)
    if shape.values is not None:
        yield from _entries(shapes, place, shape.values)


@cache
def _deep(shape: Shape) -> Mapping[str, Spec]:
    return {key: spec for key, spec in shape.fields.items() if not _DEEP.isdisjoint(spec)}


def _entries(shapes: Shapes, place: Place, spec: Spec) -> Iterator[Place]:
    node = place.node
    if isinstance(node.value, dict):
        title = _title(shapes, spec)
        for key, child in node.value.items():
            what = f"the {title} `{key}`" if title else f"`{key}`"
            yield Place(child, spec, what, node.place(key), place.schema)


def _item(shapes: Shapes, spec: Spec, holder: str) -> str:
    title = _title(shapes, spec)
    article = "an" if title[:1] in "aeio" else "a"
    return f"{article} {title}" if title else f"an item of {holder}"


def _title(shapes: Shapes, spec: Spec) -> str:
    name = spec.get("object") or spec.get("refers")
    return shapes.objects[name].title if name else ""


def _is_checked(node: Node, spec: Spec) -> bool:
    """Whether a field with `when` holds something that AsyncAPI says the shape of."""
    named = node.get(spec.get("when", ""))
    if named is None or not isinstance(named.value, str):
        return True
    return _CHECKED_FORMAT.match(named.value) is not None
