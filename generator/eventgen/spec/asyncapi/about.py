"""Reads what every object may say of itself, and where it and its parts stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from eventgen.model import About, Docs, Location, Part, Places, Tag, Text
from eventgen.spec.places import at
from eventgen.spec.settings import EXTENSION
from eventgen.spec.tree import plain

if TYPE_CHECKING:
    from eventgen.diagnostics import Span
    from eventgen.spec.shape import Reading
    from eventgen.spec.tree import Node

_LOCATION = re.compile(r"\$message\.(header|payload)#?((?:/[^/]*)*)\Z", re.DOTALL)
_PARTS = {"header": Part.HEADERS, "payload": Part.PAYLOAD}
# Parts that have places of their own, or are data whose places nobody asks for.
_APART = frozenset(
    (
        "channels", "components", "examples", "headers", "message", "messages", "operations",
        "payload", "publish", "schema", "servers", "subscribe", "traits",
    )
)  # fmt: skip
_OPEN = object()
_DEEPEST_VALUE = 150  # levels, references followed
_DEEPEST = 4  # keys on the way to a part: bindings, protocol, field, field


def about(reading: Reading, node: Node) -> About:
    """Title, summary, description, tags, documentation and extensions of an object."""
    return About(
        title=Text(reading.text(node, "title")),
        summary=Text(reading.text(node, "summary")),
        description=Text(reading.text(node, "description")),
        tags=_tags(reading, node),
        docs=_docs(reading, node),
        extensions=extensions(node),
    )


def extensions(node: Node) -> dict[str, Any]:
    """The `x-` fields of an object, but our own."""
    return {
        key: plain(value)
        for key, value in node.value.items()
        if key.startswith("x-") and key != EXTENSION
    }


def whole(reading: Reading, node: Node) -> Any:
    """A value as plain data, with what its references name in their place."""
    return _whole(reading, node, {})


def places(node: Node, span: Span) -> Places:
    """Where an object, which is best pointed at by `span`, has its parts."""
    return Places(span, dict(_parts(node, ())))


def texts(reading: Reading, node: Node, key: str) -> tuple[Text, ...]:
    """A field that is a list of texts."""
    return tuple(
        Text(item.words)
        for item in reading.items(node, key)
        if not isinstance(item.value, (dict, list))
    )


def optional(reading: Reading, node: Node, key: str) -> Text | None:
    """A field that is text, or None when the object has not got it."""
    found = node.get(key)
    return None if found is None or found.value is None else Text(reading.text(node, key))


def location(reading: Reading, node: Node) -> Location | None:
    """The `location` of an object: a runtime expression, as the specification names it."""
    found = _LOCATION.match(reading.text(node, "location"))
    if found is None:
        return None
    way = tuple(part.replace("~1", "/").replace("~0", "~") for part in found[2].split("/")[1:])
    return Location(_PARTS[found[1]], way)


def _tags(reading: Reading, node: Node) -> tuple[Tag, ...]:
    found = [reading.object(tag, "a tag") for tag in reading.items(node, "tags")]
    return tuple(
        Tag(
            Text(reading.text(tag, "name")),
            Text(reading.text(tag, "description")),
            _docs(reading, tag),
        )
        for tag in found
        if tag is not None
    )


def _docs(reading: Reading, node: Node) -> Docs | None:
    found = reading.mapping(node, "externalDocs")
    if found is None:
        return None
    return Docs(Text(reading.text(found, "url")), Text(reading.text(found, "description")))


def _parts(node: Node, way: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Span]]:
    for key, value in node.value.items():
        here = (*way, key)
        yield here, at(node, key, value)
        inside = isinstance(value.value, dict) and key not in _APART
        if inside and len(here) < _DEEPEST:
            yield from _parts(value, here)


def _whole(reading: Reading, node: Node, known: dict[int, Any], deep: int = 0) -> Any:
    """`known` are the values so far: the same one is made once, however often it is named."""
    target = reading.target(node) or node
    if deep > _DEEPEST_VALUE:
        return plain(node)
    if id(target) not in known:
        known[id(target)] = _OPEN
        known[id(target)] = _inside(reading, target, known, deep + 1)
    found = known[id(target)]
    return plain(node) if found is _OPEN else found  # what contains itself stays a reference


def _inside(reading: Reading, node: Node, known: dict[int, Any], deep: int) -> Any:
    if isinstance(node.value, dict):
        return {key: _whole(reading, value, known, deep) for key, value in node.value.items()}
    if isinstance(node.value, list):
        return [_whole(reading, item, known, deep) for item in node.value]
    return node.value
