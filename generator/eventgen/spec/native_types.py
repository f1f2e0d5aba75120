"""The short form's way to write types, as JSON Schema.

A type is a word (`uuid`), words with `|` between them for a choice of types, a word with `[]` for
a list of it, a list of one type (`[uuid]`), a mapping of properties, or the name of one of the
document's `types`. Keys that begin with `$` say something about the type that they stand in
(`{$type: decimal, $minimum: 0}`); a property whose name begins with `$` is written with two.
`?` behind a property's name or its type says that it may be absent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from eventgen.diagnostics import Span, has_errors
from eventgen.spec.keywords import ANNOTATIONS, TYPES
from eventgen.spec.native_fields import FACETS, LIMITED, MEANT, WORDS
from eventgen.spec.native_nodes import make, pointer, reference
from eventgen.spec.nearest import did_you_mean
from eventgen.spec.shape import kind
from eventgen.spec.tree import Node

if TYPE_CHECKING:
    from eventgen.spec.shape import Reading

NAME = re.compile(r"[^\W\d][\w.-]*\Z")
_KINDS_OF_TYPE = ("$type", "$map", "$union")  # a type is one of these
_VALUES = {"$enum", "$const"}
_OF_MAPPINGS = {key for key, types in LIMITED.items() if "object" in types}
_KNOWN = "types: " + ", ".join(WORDS)


class Types:
    """The types of one document. Every schema keeps the places of what it was made from."""

    def __init__(self, reading: Reading, holder: Node | None) -> None:
        self._reading = reading
        self._named = dict(reading.entries(holder))
        self._places = {} if holder is None else holder.keys
        self._used: set[str] = set()
        for name in self._named:
            if name in WORDS or not NAME.match(name):
                text = "is a type already" if name in WORDS else "cannot be the name of a type"
                reading.error(
                    "unusable-type-name",
                    f"`{name}` {text}",
                    self._places[name],
                    help="a name begins with a letter, and has letters, digits, `_`, `-` and `.`",
                )

    def schemas(self, at: Span) -> Node:
        """Every shared type, for `components.schemas`. The last to be asked for."""
        schemas = {name: self.schema(node) for name, node in self._named.items()}
        for name in schemas:
            self._no_circle(name, schemas)
        is_sound = not has_errors(tuple(self._reading.findings))
        for name in self._named.keys() - self._used if is_sound else ():
            self._reading.warn(
                "unused-type",
                f"nothing is of the type `{name}`",
                self._places[name],
                help="remove it, or use its name where a type stands",
            )
        return make(schemas, at, self._places)

    def _no_circle(self, name: str, schemas: Mapping[str, Node]) -> None:
        """A type must be something, besides another name of another name of itself."""
        named = {pointer(("components", "schemas", one)): one for one in schemas}
        seen = {name}
        other = named.get(schemas[name].reference or "")
        while other is not None and other not in seen:
            seen.add(other)
            other = named.get(schemas[other].reference or "")
        if other == name:
            self._reading.error(
                "reference-to-itself",
                f"the type `{name}` is only itself",
                self._named[name].span,
                help="say what it is: a word like `string`, or its properties",
            )

    def schema(self, node: Node) -> Node:
        """The schema of a type that is no property's."""
        if _says_optional(node):
            self._reading.error(
                "optional-without-property",
                "`?` says that a property may be absent, and this is not a property",
                node.span,
                help="for a value that may be null, write `string | null`",
            )
        return self._schema(node)

    def _schema(self, node: Node, key: str = "") -> Node:
        """The schema of a type. `key` is the property it is the type of."""
        if isinstance(node.value, str):
            return self._words(node, key)
        if isinstance(node.value, list):
            return self._list(node, key)
        if isinstance(node.value, dict):
            return self._mapping(node)
        text = f"a type is a word, a list of one type or a mapping, and this is {kind(node.value)}"
        self._reading.error("wrong-kind", text, node.span, help=_facet_help(key) or _KNOWN)
        return make({}, node.span)

    def _words(self, node: Node, key: str) -> Node:
        """`Card | Transfer?`."""
        found = []
        start = 0
        for part in node.value.rstrip().removesuffix("?").split("|"):
            word = part.strip()
            at = _part(node, start + len(part) - len(part.lstrip()), len(word))
            found.append(self._word(word, at, key))
            start += len(part) + 1
        return self._choice(found, node.span)

    def _word(self, word: str, at: Span, key: str) -> Node:
        if word.endswith("[]"):
            items = self._word(word[:-2].rstrip(), at, "")
            return make({"type": make("array", at), "items": items}, at)
        if word in self._named:
            self._used.add(word)
            return reference(("components", "schemas", word), at)
        if word in WORDS:
            return make({name: make(value, at) for name, value in WORDS[word].items()}, at)
        self._unknown(word, at, key)
        return make({}, at)

    def _unknown(self, word: str, at: Span, key: str) -> None:
        meant = MEANT.get(word.lower())
        remedy = _facet_help(key) or (f"write `{meant}`" if meant else None)
        if word.endswith("?"):
            remedy = "write `?` last, or behind the property's name"
        self._reading.error(
            "unknown-type",
            f"`{word}` is neither a type nor one of the document's `types`"
            if word
            else "a type is missing here",
            at,
            help=remedy or did_you_mean(word, (*WORDS, *self._named)) or _KNOWN,
        )

    def _choice(self, found: list[Node], at: Span) -> Node:
        """One of several types; one that is null may be said in the type itself."""
        others = [one for one in found if not _is_null(one)]
        if len(others) == len(found) == 1 or not others:
            return found[0]
        if len(others) == 1 and len(found) == 2:
            base = others[0].value
            if "type" in base and not base.keys() & {"enum", "const"}:
                both = [base["type"], make("null", at)]
                return make({**base, "type": make(both, at)}, at)
        return make({"anyOf": make(found, at)}, at)

    def _list(self, node: Node, key: str) -> Node:
        if len(node.value) == 1:
            items = self.schema(node.value[0])
            return make({"type": make("array", node.span), "items": items}, node.span)
        self._reading.error(
            "wrong-kind",
            f"a list has one type, and this has {len(node.value)}",
            node.span,
            help=_facet_help(key)
            or "write `[string]` for a list, `{$enum: [...]}` for a choice of values"
            " or `{$union: [...]}` for a choice of types",
        )
        return make({"type": make("array", node.span)}, node.span)

    def _mapping(self, node: Node) -> Node:
        if node.reference is not None:
            return self._reference(node)
        facets = {key: value for key, value in node.value.items() if _is_facet(key)}
        own = {key: value for key, value in node.value.items() if not _is_facet(key)}
        found = FACETS.of(self._reading, Node(facets, node.span, node.keys))
        kinds = [key for key in _KINDS_OF_TYPE if key in found.value]
        for key in kinds[1:]:
            self._reading.error(
                "several-types",
                f"`{key}` stands beside `{kinds[0]}`",
                node.place(key),
                help="keep one of the two",
            )
        if not kinds and not found.value.keys() & _VALUES:
            if found.value and not own and not found.value.keys() & _OF_MAPPINGS:
                self._reading.error(
                    "unknown-type",
                    "this says something about a type, and not which",
                    node.span.start,
                    help="write `$type: string` too",
                )
            return self._with(self._object(node, own), found)
        self._no_properties(node, own)
        return self._with(self._base(found, kinds), found)

    def _reference(self, node: Node) -> Node:
        """`{$ref: order.schema.json}`: a JSON Schema in another file."""
        if not (node.reference or "").partition("#")[0]:
            self._reading.error(
                "reference-to-own-type",
                f"`{node.reference}` points into this document, whose types are written by name",
                node.value["$ref"].span,
                help="write the name alone: `total: Money`",
            )
            return make({}, node.span)
        return node

    def _base(self, found: Node, kinds: list[str]) -> Node:
        """What `$type`, `$map` or `$union` says, or else what the values of `$enum` are."""
        at = found.span
        if "$type" in kinds:
            return self._schema(found.value["$type"])
        if "$map" in kinds:
            inner = self.schema(found.value["$map"])
            return make({"type": make("object", at), "additionalProperties": inner}, at)
        if "$union" in kinds:
            alternatives = found.value["$union"].value
            return self._choice([self._alternative(one) for one in alternatives], at)
        given = found.get("$enum")
        values: list[Node] = [found.value["$const"]] if given is None else given.value
        words = {"string" if isinstance(one.value, str) else None for one in values if one.value}
        if words != {"string"}:
            return make({}, at)
        types = [make("string", at), *(make("null", at) for one in values if one.value is None)]
        return make({"type": types[0] if len(types) == 1 else make(types[:2], at)}, at)

    def _alternative(self, node: Node) -> Node:
        if node.value is None:  # `$union: [Card, null]`
            return make({"type": make("null", node.span)}, node.span)
        return self.schema(node)

    def _with(self, base: Node, found: Node) -> Node:
        """A schema with what is said about it."""
        more = {key[1:]: value for key, value in found.value.items() if key not in _KINDS_OF_TYPE}
        if not more:
            return base
        for key in found.value:
            self._check_limit(base, key, found.place(key))
        if "discriminator" in more and "anyOf" not in base.value:
            self._reading.error(
                "limit-of-another-type",
                "`$discriminator` tells the types of a `$union` apart, and this is none",
                found.place("$discriminator"),
            )
        places = {key: found.place("$" + key) for key in more}
        if "$ref" in base.value and not more.keys() <= ANNOTATIONS:
            alone = {key: more.pop(key) for key in [*more] if key not in ANNOTATIONS}
            both = make([base, make(alone, found.span, places)], found.span)
            base = make({"allOf": both}, found.span)
        first = {key: value for key, value in base.value.items() if key == "type"}
        words = {key: more[key] for key in ("title", "description") if key in more}
        whole = {**first, **words, **base.value, **more}
        return make(whole, found.span, {**base.keys, **places})

    def _check_limit(self, base: Node, key: str, at: Span) -> None:
        """Report a limit that means nothing for a type, as the most characters of a number."""
        types = base.get("type")
        if key not in LIMITED or types is None:
            return
        words = [one.value for one in (types.value if isinstance(types.value, list) else [types])]
        form = base.get("format")
        counts = [*words, "number"] if form is not None and form.value == "decimal" else words
        if LIMITED[key].isdisjoint(counts):
            fitting = sorted(other for other, of in LIMITED.items() if not of.isdisjoint(counts))
            self._reading.error(
                "limit-of-another-type",
                f"`{key}` says nothing about {_article(words[0])}",
                at,
                help=f"it may have: {', '.join(fitting)}" if fitting else "remove it",
            )

    def _object(self, node: Node, own: dict[str, Node]) -> Node:
        self._check_is_no_schema(node, own)
        at = node.span
        properties = {}
        required = []
        keys = {}
        for key, value in own.items():
            name = key.removesuffix("?").rstrip().removeprefix("$")
            if name in properties:
                self._reading.error(
                    "duplicate-key",
                    f"`{name}` is written twice, once with `?`",
                    node.place(key),
                    help="remove or rename one of the two",
                )
            properties[name] = self._schema(value, name)
            keys[name] = node.place(key)
            if not (key.endswith("?") or _says_optional(value) or _has_default(value)):
                required.append(make(name, node.place(key)))
        fields = {"type": make("object", at)}
        if required:
            fields["required"] = make(required, at)
        fields["properties"] = make(properties, at, keys)
        return make(fields, at)

    def _check_is_no_schema(self, node: Node, own: Mapping[str, Node]) -> None:
        """`{type: string, format: uuid}` is what people write who know JSON Schema."""
        word = own["type"].value if "type" in own else None
        if word in TYPES and own.keys() & {"format", "properties", "items"}:
            self._reading.warn(
                "schema-in-short-form",
                "`type` is read as a property, and this looks like a JSON Schema",
                node.place("type"),
                help="write `id: uuid`, or `order: {id: uuid}` for an object",
            )

    def _no_properties(self, node: Node, own: Iterable[str]) -> None:
        for key in own:
            self._reading.error(
                "unknown-key",
                f"`{key}` stands beside a type",
                node.place(key),
                help=_facet_help(key) or "write the properties as a mapping under `$type`",
            )


def _facet_help(key: str) -> str:
    """What to write instead of a property that is called as something about a type is."""
    return f"write `${key}` to say it about the type" if f"${key}" in FACETS.keys else ""


def _is_facet(key: str) -> bool:
    return key.startswith("$") and not key.startswith("$$")


def _is_null(schema: Node) -> bool:
    found = schema.get("type")
    return found is not None and found.value == "null"


def _says_optional(node: Node) -> bool:
    found = node.get("$type") or node
    return isinstance(found.value, str) and found.value.rstrip().endswith("?")


def _has_default(node: Node) -> bool:
    return node.get("$default") is not None


def _part(node: Node, start: int, length: int) -> Span:
    """A part of a text, where its place can be told: on one line, without quotes."""
    at = node.span
    if at.line != at.end_line or at.end_column - at.column != len(node.words):
        return at
    return Span(at.source, at.line, at.column + start, at.line, at.column + start + length)


def _article(word: str) -> str:
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"
