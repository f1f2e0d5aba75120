"""Says in the user's words what a JSON Schema has against a document, each thing at its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from eventgen.diagnostics import Diagnostic, Label, Severity, Span
from eventgen.spec.asyncapi.common import beginning
from eventgen.spec.document.shapes import Shape, Shapes
from eventgen.spec.document.walk import Place, expected
from eventgen.spec.keywords import KINDS_OF_TYPES, MEANT, TYPES
from eventgen.spec.nearest import did_you_mean, nearest
from eventgen.spec.shape import kind
from eventgen.spec.tree import Node, scalar

_NUMBER = re.compile(r"\+?[0-9]{1,20}\Z")
_EMPTY = {"object": "{}", "array": "[]"}
_FORMATS = {
    "email": ("an e-mail address", "write it as `name@example.com`"),
    "uri": ("a URL", "write it as `https://example.com/...`"),
    "uri-reference": ("a URL", "write it as `https://example.com/...`"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What the schema has against one value: the keyword, and what it says about it."""

    keyword: str
    detail: Mapping[str, Any]
    path: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding. `also` are the spans that stand for the same value.

    `covers` are places where nothing has to be said any more: a key is not missing but misspelt.
    """

    diagnostic: Diagnostic
    also: tuple[Span, ...] = ()
    covers: tuple[Span, ...] = ()


def explain(shapes: Shapes, places: Iterable[Place], faults: Iterable[Fault]) -> Iterator[Finding]:
    """What to tell about the faults of one object. Its own place is the first of `places`."""
    found = list(places)
    known = {id(place.node): place for place in reversed(found)}
    renamed: set[tuple[int, str]] = set()  # required keys that are there, but misspelt
    for fault in sorted(faults, key=lambda fault: fault.keyword == "required"):
        trail = _trail(found[0].node, fault.path)
        at = _At(shapes, trail, fault.path, known)
        if fault.keyword == "additionalProperties":
            meant = (key for one in fault.detail["unexpected"] for key in at.meant(one))
            renamed |= {(id(at.node), key) for key in meant}
        elif (id(at.node), fault.detail.get("property", "")) in renamed:
            continue
        # The reference parser does not look into the bindings of AsyncAPI 2.
        lenient = shapes.version < "3" and any(_is_binding(shapes, known, node) for node in trail)
        yield from (_mild(one) if lenient else one for one in at.findings(fault))


def _is_binding(shapes: Shapes, places: Mapping[int, Place], node: Node) -> bool:
    place = places.get(id(node))
    name = expected(place).get("object") if place is not None else None
    return name is not None and shapes.objects[name].is_binding


def _mild(finding: Finding) -> Finding:
    return replace(finding, diagnostic=replace(finding.diagnostic, severity=Severity.WARNING))


def _trail(node: Node, path: tuple[str | int, ...]) -> tuple[Node, ...]:
    """The values on the way to a fault, the whole first.

    The checker's paths leave out empty keys, and have a key of digits as a number: where one
    leads nowhere, the last value that it led to has to do.
    """
    trail = [node]
    for part in path:
        while _inner(node, part) is None and node.get("") is not None:
            node = node.value[""]
            trail.append(node)
        inner = _inner(node, part)
        if inner is None:
            break
        node = inner
        trail.append(node)
    return tuple(trail)


def _inner(node: Node, part: str | int) -> Node | None:
    """The value under a key or an index as the checker names it."""
    if isinstance(node.value, list):
        found: Node = node.value[int(part)]
        return found
    if isinstance(part, str):
        return node.get(part)
    names = (key for key in node.value if _NUMBER.match(key) and int(key) == part)
    return next((node.get(name) for name in names), None)


class _At:
    """Where one fault is, and the findings that can be made of it."""

    def __init__(
        self,
        shapes: Shapes,
        trail: tuple[Node, ...],
        path: tuple[str | int, ...],
        places: Mapping[int, Place],
    ) -> None:
        self.node = trail[-1]
        self._holder = trail[-2] if len(trail) > 1 else None
        self._last = path[-1] if path else None
        self._place = places.get(id(self.node))
        self._shapes = shapes
        self._name = expected(self._place).get("object", "") if self._place else ""

    @property
    def shape(self) -> Shape:
        """The object that the value is, or should be."""
        if not self._name:
            return Shape("value")
        return self._shapes.objects[self._shapes.told(self._name, self.node)]

    @property
    def _what(self) -> str:
        return self._place.what if self._place else self._called

    @property
    def _called(self) -> str:
        return f"`{self._last}`" if isinstance(self._last, str) else "this"

    @property
    def _key(self) -> Span:
        """The key of the value, or the value if it has none."""
        if self._holder is not None and isinstance(self._last, str):
            return self._holder.place(self._last)
        return self.node.span

    @property
    def _start(self) -> Span:
        """Where to point at for what is missing: the key of the object, or else its beginning."""
        if self._place is not None and self._place.key is not None:
            return self._place.key
        return self._key if isinstance(self._last, str) else beginning(self.node.span)

    @property
    def _all_of_it(self) -> tuple[Span, ...]:
        """The places that may be pointed at for what is missing."""
        return self._start, beginning(self.node.span)

    def findings(self, fault: Fault) -> Iterator[Finding]:
        """What there is to say about it."""
        if fault.keyword == "additionalProperties":
            for key in self._apart(fault.detail["unexpected"]):
                yield replace(self._unknown(key), covers=self._all_of_it if self.meant(key) else ())
        elif fault.keyword == "required":
            yield replace(self._missing(fault.detail["property"]), covers=self._all_of_it)
        elif fault.keyword == "anyOf":
            yield self._missing(self.shape.either[0])
        else:
            yield from self._wrong(fault)

    def meant(self, key: str) -> tuple[str, ...]:
        """The required fields that an unknown key stands for, or is a misspelling of."""
        if key == "$ref":
            return self.shape.required
        elsewhere = self.shape.elsewhere.get(key, {})
        found = elsewhere.get("instead") or nearest(key, self.shape.required)
        return (found,) if found else ()

    def _apart(self, keys: list[str]) -> list[str]:
        """The keys to report one by one: the first of a schema that stands outside `payload`."""
        has_payload = "payload" not in self.shape.fields or self.node.get("payload") is not None
        ordered = [key for key in self.node.value if key in keys]
        return ordered if has_payload else ordered[:1]

    def _unknown(self, key: str) -> Finding:
        """A key that the object has not got."""
        at, shape = self.node.place(key), self.shape
        if shape.is_binding:
            text = f"{self._what} has no `{key}`, which is kept as it is"
            help_ = did_you_mean(key, shape.fields)
            return _finding("unknown-key", text, at, help_, Severity.WARNING)
        if key == "$ref":
            text = f"{self._what} stands for itself, and cannot be a reference"
            return _finding("reference-not-allowed", text, at, "write the value itself")
        if key in shape.elsewhere:
            return self._of_another_version(key, at)
        known = [name for name in shape.fields if name != "$ref"]
        help_ = did_you_mean(key, known) or f"it may have: {', '.join(sorted(known))}"
        return _finding("unknown-key", f"{self._what} has no `{key}`", at, help_)

    def _of_another_version(self, key: str, at: Span) -> Finding:
        spec = self.shape.elsewhere[key]
        first, version = spec.get("since", "2.0"), self._shapes.version
        text = f"`{key}` of {self._what} is AsyncAPI {first[0]}"
        help_ = spec.get("advice") or did_you_mean(key, self.shape.fields) or "remove it"
        if first[0] == version[0] and first > version:
            text = f"`{key}` of {self._what} came with AsyncAPI {first}"
            help_ = f"write `asyncapi: {first}.0`, or remove it"
        return _finding("syntax-of-another-version", text, at, help_)

    def _missing(self, key: str) -> Finding:
        """A key that the object must have."""
        spec = self.shape.fields.get(key, {})
        help_ = f"write `{spec.get('example', f'{key}: ...')}`"
        what = "" if self._what == "the document" else f" in {self._what}"
        return _finding("missing-key", f"`{key}` is missing{what}", self._start, help_)

    def _wrong(self, fault: Fault) -> Iterator[Finding]:
        """A value that is not as the field wants it."""
        also = (self._key, self.node.span)
        for made in _WRONG.get(fault.keyword, _At._out_of_range)(self, fault):
            yield Finding(made.diagnostic, (*made.also, *also))

    def _type(self, fault: Fault) -> Iterator[Finding]:
        node, types = self.node, fault.detail["types"]
        names = " or ".join(KINDS_OF_TYPES[name] for name in types if name != "null")
        if "string" in types and isinstance(node.value, (bool, int, float)):
            text = f"{self._what} is text, and `{node.words}` without quotes is {kind(node.value)}"
            yield _finding("text-without-quotes", text, node.span, f'write "{node.words}"')
            return
        text = f"{self._what} is {names}, and this is {kind(node.value)}"
        if self.shape.may_be_boolean:
            text = f"a schema is a mapping, and this is {kind(node.value)}"
            help_ = f"write `type: {node.words}`" if node.words in TYPES else None
            yield _finding("wrong-kind", text, node.span, help_)
            return
        at = node.span if self._name and self._what[:1] != "`" else self._key
        yield _finding("wrong-kind", text, at, _remedy(node, types))

    def _enum(self, fault: Fault) -> Iterator[Finding]:
        node, options = self.node, fault.detail["options"]
        if "object" in options and isinstance(node.value, str):
            meant = MEANT.get(node.words.lower()) or nearest(node.words, TYPES)
            help_ = f"did you mean `{meant}`?" if meant else f"types are: {', '.join(TYPES)}"
            text = f"`{node.words}` is not a type of JSON Schema"
            yield _finding("unknown-type", text, node.span, help_)
            return
        if self._last == "bindingVersion":
            text = f"`{node.words}` is not a version of this binding that is known"
            help_ = f"known are {', '.join(options)}"
            yield _finding("unknown-binding-version", text, node.span, help_, Severity.WARNING)
            return
        names = ", ".join(f"`{option}`" for option in options)
        words = f"`{node.words}`" if node.words else kind(node.value)
        text = f"{self._what} is one of {names}, not {words}"
        near = did_you_mean(node.words, [str(option) for option in options])
        yield _finding("unknown-choice", text, node.span, near)

    def _pattern(self, _fault: Fault) -> Iterator[Finding]:
        text = f"`{self.node.words}` does not say where in a message the value is"
        help_ = "write `$message.header#/...` or `$message.payload#/...`"
        yield _finding("location-not-valid", text, self.node.span, help_)

    def _format(self, fault: Fault) -> Iterator[Finding]:
        words, at = self.node.words, self.node.span
        if fault.detail["format"] == "regex":
            yield _finding("pattern-not-valid", f"`{words}` is not a regular expression", at)
        else:
            what, remedy = _FORMATS[fault.detail["format"]]
            yield _finding("format-not-valid", f"`{words}` is not {what}", at, remedy)

    def _unique(self, _fault: Fault) -> Iterator[Finding]:
        first: dict[str, Node] = {}
        for item in self.node.value:
            text = repr(_comparable(item))
            if text in first:
                yield self._twice(first[text], item)
                return
            first[text] = item

    def _twice(self, first: Node, second: Node) -> Finding:
        named = second.get("name") or second
        found = Diagnostic(
            "duplicate-item",
            Severity.ERROR,
            f"{self._what} holds the same item twice",
            Label(second.span, "second time"),
            (Label(first.span, "first time"),),
            help="remove one of the two",
        )
        return Finding(found, (second.span, named.span))

    def _out_of_range(self, fault: Fault) -> Iterator[Finding]:
        text = _LIMITS[fault.keyword].format(limit=fault.detail.get("limit"))
        at = self.node.span if self.node.words else self._key
        yield _finding("out-of-range", f"{self._what} {text}", at)


_WRONG: Mapping[str, Callable[[_At, Fault], Iterator[Finding]]] = {
    "type": _At._type,  # noqa: SLF001 - a table of its own methods
    "enum": _At._enum,  # noqa: SLF001
    "pattern": _At._pattern,  # noqa: SLF001
    "format": _At._format,  # noqa: SLF001
    "uniqueItems": _At._unique,  # noqa: SLF001
}
_LIMITS = {
    "exclusiveMinimum": "is above {limit}",
    "maxLength": "has at most {limit} characters",
    "maximum": "is at most {limit}",
    "minItems": "has at least {limit} item",
    "minLength": "has at least {limit} character",
    "minimum": "is at least {limit}",
}


def _comparable(node: Node) -> Any:
    """The value as JSON compares it: without places, order of keys, or ways to write 1."""
    if isinstance(node.value, dict):
        return sorted((key, _comparable(value)) for key, value in node.value.items())
    if isinstance(node.value, list):
        return [_comparable(item) for item in node.value]
    is_whole = isinstance(node.value, float) and node.value.is_integer()
    return int(node.value) if is_whole else node.value


def _remedy(node: Node, types: Collection[str]) -> str | None:
    """What to type for a value of one of these types, where the author's own words tell."""
    if node.value is None:
        empty = next((_EMPTY[name] for name in _EMPTY if name in types), "...")
        return f"write `{empty}`, or remove the key"
    if "array" in types:
        return f"write it as a list: `[{node.words or '{...}'}]`"
    meant = scalar(node.words)
    is_meant = (
        "boolean" in types
        if isinstance(meant, bool)
        else (isinstance(meant, int) and "integer" in types)
        or (isinstance(meant, int | float) and "number" in types)
    )
    is_quoted = isinstance(node.value, str)
    return f"remove the quotes: `{node.words}`" if is_quoted and is_meant else None


def _finding(
    name: str, message: str, at: Span, help_: str | None = None, how: Severity = Severity.ERROR
) -> Finding:
    return Finding(Diagnostic(name, how, message, Label(at), help=help_), (at,))
