"""The short form's way to write types, as JSON Schema.

A type is a word (`uuid`), a word with `?` when it may be absent or `[]` for a list of it, a list
of one type (`[uuid]`), a mapping of properties, `{enum: [...]}`, or the name of one of the
document's `types`. Keys that begin with `$` say more about a type: `{$type: decimal, $minimum: 0}`
carries any keyword of JSON Schema, `{$map: integer}` is a mapping from any text, and
`$description` may stand among properties.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eventgen.spec.nearest import did_you_mean
from eventgen.spec.shape import kind
from eventgen.spec.tree import Node

if TYPE_CHECKING:
    from collections.abc import Mapping

    from eventgen.diagnostics import Span
    from eventgen.spec.shape import Reading

_WORDS: dict[str, dict[str, str]] = {
    "any": {},
    "boolean": {"type": "boolean"},
    "bytes": {"type": "string", "format": "byte"},
    "date": {"type": "string", "format": "date"},
    "date-time": {"type": "string", "format": "date-time"},
    "decimal": {"type": "string", "format": "decimal"},
    "duration": {"type": "string", "format": "duration"},
    "email": {"type": "string", "format": "email"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "object": {"type": "object"},
    "string": {"type": "string"},
    "time": {"type": "string", "format": "time"},
    "uri": {"type": "string", "format": "uri"},
    "uuid": {"type": "string", "format": "uuid"},
}


def make(value: Any, at: Span, places: Mapping[str, Span] | None = None) -> Node:
    """A node that stands for something at `at`."""
    words = value if isinstance(value, str) else ""
    if isinstance(value, dict):
        return Node(value, at, dict(places or {}))
    return Node(value, at, words=words)


class Types:
    """The types of one document."""

    def __init__(self, reading: Reading, holder: Node | None) -> None:
        self._reading = reading
        self._holder = holder
        self._named = dict(reading.entries(holder))

    def schemas(self, at: Span) -> Node:
        """Every shared type, for `components.schemas`."""
        schemas = {name: self._schema(node) for name, node in self._named.items()}
        return make(schemas, at, {} if self._holder is None else self._holder.keys)

    def payload(self, node: Node) -> Node:
        """The schema of an event's data."""
        return self._schema(node)

    def _schema(self, node: Node) -> Node:
        if isinstance(node.value, str):
            return self._word(node, node.value.strip())
        if isinstance(node.value, list):
            return self._list(node)
        if isinstance(node.value, dict):
            return self._mapping(node)
        text = f"a type is a word, a list of one type or a mapping, and this is {kind(node.value)}"
        self._reading.error("wrong-kind", text, node.span, help="types: " + ", ".join(_WORDS))
        return make({}, node.span)

    def _word(self, node: Node, word: str) -> Node:
        at = node.span
        word = word.removesuffix("?").rstrip()
        if word.endswith("[]"):
            items = self._word(node, word[:-2].rstrip())
            return make({"type": make("array", at), "items": items}, at)
        if word in self._named:
            escaped = word.replace("~", "~0").replace("/", "~1").replace("%", "%25")
            return make({"$ref": make(f"#/components/schemas/{escaped}", at)}, at)
        if word in _WORDS:
            return make({key: make(value, at) for key, value in _WORDS[word].items()}, at)
        self._reading.error(
            "unknown-type",
            f"`{word}` is neither a type nor one of the document's `types`",
            at,
            help=did_you_mean(word, (*_WORDS, *self._named)) or "types: " + ", ".join(_WORDS),
        )
        return make({}, at)

    def _list(self, node: Node) -> Node:
        if len(node.value) != 1:
            self._reading.error(
                "wrong-kind",
                f"a list has one type, and this has {len(node.value)}",
                node.span,
                help="write `[string]`; or `enum: [...]` for a choice of values",
            )
            return make({"type": make("array", node.span)}, node.span)
        items = self._schema(node.value[0])
        return make({"type": make("array", node.span), "items": items}, node.span)

    def _mapping(self, node: Node) -> Node:
        at = node.span
        more = {key[1:]: value for key, value in node.value.items() if key.startswith("$")}
        places = {key: node.place("$" + key) for key in more}
        own = {key: value for key, value in node.value.items() if not key.startswith("$")}
        if "type" in more and more["type"].value is not None:
            base = self._schema(more.pop("type"))
            self._no_properties(node, own)
            return make({**base.value, **more}, at, places)
        if "map" in more:
            values = self._schema(more.pop("map"))
            self._no_properties(node, own)
            fields = {"type": make("object", at), "additionalProperties": values}
            return make({**fields, **more}, at, places)
        if self._is_enum(own):
            return make({**self._enum(own["enum"]), **more}, at, places)
        if "enum" in more and not own:
            return make({**self._enum(more["enum"]), **more}, at, places)
        return self._object(node, own, more, places)

    def _object(
        self, node: Node, own: dict[str, Node], more: dict[str, Node], places: dict[str, Span]
    ) -> Node:
        at = node.span
        properties = {}
        required = []
        keys = {}
        for key, value in own.items():
            name = key.removesuffix("?").rstrip()
            properties[name] = self._schema(value)
            keys[name] = node.place(key)
            if not key.endswith("?") and not _is_optional(value):
                required.append(make(name, node.place(key)))
        fields = {"type": make("object", at)}
        if required:
            fields["required"] = make(required, at)
        fields["properties"] = make(properties, at, keys)
        return make({**fields, **more}, at, places)

    def _is_enum(self, own: dict[str, Node]) -> bool:
        """`{enum: [a, b]}`; but `{enum: [string]}` is a property named enum."""
        if list(own) != ["enum"] or not isinstance(own["enum"].value, list):
            return False
        items = own["enum"].value
        if any(isinstance(item.value, (dict, list)) for item in items):
            return False
        known = [item.words.rstrip("?[]") in (*_WORDS, *self._named) for item in items]
        return len(items) > 1 or known == [False]

    @staticmethod
    def _enum(node: Node) -> dict[str, Node]:
        fields = {"enum": node}
        values = node.value if isinstance(node.value, list) else []
        if values and all(isinstance(item.value, str) for item in values):
            return {"type": make("string", node.span), **fields}
        return fields

    def _no_properties(self, node: Node, own: dict[str, Node]) -> None:
        for key in own:
            self._reading.error(
                "unknown-key",
                f"`{key}` stands beside a type",
                node.place(key),
                help=f"write `${key}` for a keyword of JSON Schema",
            )


def _is_optional(node: Node) -> bool:
    found = node.get("$type") or node
    return isinstance(found.value, str) and found.value.rstrip().endswith("?")
