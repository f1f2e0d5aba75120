"""Makes the nodes of the AsyncAPI document that a document in the short form stands for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from eventgen.spec import settings
from eventgen.spec.settings import EXTENSION, IGNORE
from eventgen.spec.tree import Node

if TYPE_CHECKING:
    from eventgen.diagnostics import Span
    from eventgen.spec.shape import Reading

# What may not stand in a fragment as it is. A half of a surrogate pair has no other way to stand.
_FOREIGN = re.compile(r"[^A-Za-z0-9\-._~!$&'()*+,;=:@/?\ud800-\udfff]")


def make(value: Any, at: Span, places: Mapping[str, Span] | None = None) -> Node:
    """A node that stands for something at `at`."""
    words = value if isinstance(value, str) else ""
    if isinstance(value, dict):
        return Node(value, at, dict(places or {}))
    return Node(value, at, words=words)


def ours(reading: Reading, node: Node, keys: Iterable[str]) -> dict[str, Node]:
    """What is said in AsyncAPI by an extension: our own, for what it has no word for, and others.

    The short form has `x-eventgen` for suppressions alone.
    """
    others = {key: value for key, value in node.value.items() if key.startswith("x-")}
    own = settings.extension(reading, node, (), "the short form")
    others.pop(EXTENSION, None)
    said = {key: node.value[key] for key in keys if key in node.value}
    places = {key: node.place(key) for key in said}
    if own is not None and IGNORE in own.value:
        said[IGNORE] = own.value[IGNORE]
        places[IGNORE] = own.place(IGNORE)
    return {**({EXTENSION: make(said, node.span, places)} if said else {}), **others}


def parameter(node: Node) -> Node:
    """A path to a property, or a mapping with more to say, as AsyncAPI's Parameter Object."""
    if node.value is None:
        return make({}, node.span)
    mapping = node.value if isinstance(node.value, dict) else {"from": node}
    fields = {key: value for key, value in mapping.items() if key != "from"}
    path = mapping.get("from")
    if path is not None:
        parts = path.value if isinstance(path.value, list) else path.words.split(".")
        names = [part if isinstance(part, str) else part.words for part in parts]
        location = "/".join(escaped(name) for name in names)
        fields["location"] = make(f"$message.payload#/{location}", path.span)
    return make(fields, node.span, node.keys)


def escaped(part: str) -> str:
    """A name as a part of a JSON Pointer (RFC 6901)."""
    return part.replace("~", "~0").replace("/", "~1")


def pointer(way: tuple[str, ...]) -> str:
    """A reference into the document itself, as a URI fragment (RFC 6901, section 6)."""
    return "#/" + "/".join(
        _FOREIGN.sub(lambda found: quote(found[0]), escaped(part)) for part in way
    )


def reference(way: tuple[str, ...], at: Span) -> Node:
    """A Reference Object."""
    return make({"$ref": make(pointer(way), at)}, at)
