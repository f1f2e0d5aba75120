"""A YAML or JSON document as a tree in which every key and every value knows its span.

Scalars follow the YAML 1.2 core schema (null, true and false, integers, floats), so that `on:`,
`no` and `2026-01-01` stay the text their author wrote. The tree is built from the parser's events
in one pass without recursion: nesting is limited before it can exhaust a stack, and an alias
shares the node it names instead of copying it.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from eventgen.diagnostics import Diagnostic, Label, Severity, Source, Span
from eventgen.spec import syntax

MOST_VALUES = 250_000  # values written in a document; the largest real one known to us has 9,000
MOST_ALIASED = 250_000  # values that aliases may add to a document


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One value of a document. Two nodes are equal only when they are the same node.

    `value` is None, a bool, an int, a finite float, a str, a `dict[str, Node]` or a `list[Node]`.
    `keys` says where each key of a mapping stands; `words` is a scalar as it was written.
    """

    value: Any
    span: Span
    keys: dict[str, Span] = field(default_factory=dict)
    words: str = ""

    def get(self, key: str) -> Node | None:
        """The value of a key; None when it is absent or this is no mapping."""
        return self.value.get(key) if isinstance(self.value, dict) else None

    def place(self, key: str) -> Span:
        """Where a key stands, or this value when it has no such key."""
        return self.keys.get(key, self.span)

    @property
    def reference(self) -> str | None:
        """The text of `$ref` when this is a reference."""
        target = self.get("$ref")
        return target.value if target is not None and isinstance(target.value, str) else None


def plain(node: Node | None) -> Any:
    """The value without spans: dicts, lists and scalars."""
    if node is None:
        return None
    if isinstance(node.value, dict):
        return {key: plain(value) for key, value in node.value.items()}
    if isinstance(node.value, list):
        return [plain(item) for item in node.value]
    return node.value


def parse(source: Source) -> tuple[Node | None, tuple[Diagnostic, ...]]:
    """The tree of a document, or None and what is wrong with its text."""
    text, shifts = syntax.join_surrogates(source.text)
    builder = _Builder(source, shifts)
    try:
        for event in yaml.parse(text, Loader=LOADER):
            if not builder.take(event):
                return None, tuple(builder.findings)
    except yaml.YAMLError as error:
        return None, (*builder.findings, syntax.explain(source, error))
    if builder.root is None and not builder.findings:
        builder.findings.append(
            Diagnostic(
                "file-empty",
                Severity.ERROR,
                f"`{source.path}` holds no value",
                help="write the document, or name another",
            )
        )
    return builder.root, tuple(builder.findings)


LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+\Z|0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_LONGEST_INT = 4000  # digits; Python refuses to read more than 4300
_YAML = "tag:yaml.org,2002:"
# Tags that ask for a scalar that plain text may stand for, as `!!int "3"` does.
_PLAIN_TAGS = tuple(f"{_YAML}{name}" for name in ("int", "float", "bool", "null"))
_TAGS = frozenset(("!", *_PLAIN_TAGS, *(f"{_YAML}{name}" for name in ("str", "map", "seq"))))


def scalar(words: str) -> Any:
    """A plain scalar's value.

    What JSON cannot hold (infinities, numbers of thousands of digits) stays text.
    """
    if words in _NULL:
        return None
    if words in _BOOL:
        return _BOOL[words]
    if len(words) > _LONGEST_INT:
        return words
    if _INT.match(words):
        return int(words, 0 if words[1:2] in ("o", "x") else 10)
    if _FLOAT.match(words):
        number = float(words)
        return number if math.isfinite(number) else words
    return words


@dataclass(slots=True)
class _Frame:
    """A collection whose end has not been read yet."""

    start: Any
    anchor: str | None
    value: dict[str, Node] | list[Node]
    keys: dict[str, Span] = field(default_factory=dict)
    key: tuple[str, Span] | None = None
    merging: bool = False
    merged: list[Node] = field(default_factory=list)
    size: int = 1
    height: int = 1


@dataclass(frozen=True, slots=True)
class _Anchored:
    """What an alias may name: a value, how many values that is, and how deep they are nested."""

    node: Node
    size: int
    height: int


class _Builder:
    """Takes the parser's events one by one."""

    def __init__(self, source: Source, shifts: syntax.Shifts) -> None:
        self.root: Node | None = None
        self.findings: list[Diagnostic] = []
        self._source = source
        self._shifts = shifts
        self._frames: list[_Frame] = []
        self._anchors: dict[str, _Anchored] = {}
        self._values = 0
        self._aliased = 0
        self._documents = 0

    def take(self, event: Any) -> bool:
        """Add one event to the tree. False ends the reading, with a finding."""
        if isinstance(event, yaml.NodeEvent):
            self._values += 1
            if self._values > MOST_VALUES:
                self._report(
                    "too-many-values",
                    f"this document holds more than {MOST_VALUES:,} values",
                    self._span(event),
                    "split it into several files and join them with `$ref`",
                )
                return False
            self._look_at_tag(event)
        if isinstance(event, yaml.ScalarEvent):
            self._take_scalar(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            return self._open(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close(event)
        elif isinstance(event, yaml.AliasEvent):
            return self._take_alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            return self._start_document(event)
        return True

    def _start_document(self, event: Any) -> bool:
        self._documents += 1
        if self._documents == 1:
            return True
        self._report(
            "several-documents",
            "a second YAML document begins here",
            self._span(event),
            "keep one document in a file, and remove the `---`",
        )
        return False

    def _look_at_tag(self, event: Any) -> None:
        """A tag never makes anything: it is read past, and told of when it is not YAML's own."""
        tag = getattr(event, "tag", None)
        if tag is None or tag in _TAGS:
            return
        known = tag.removeprefix(_YAML)
        name = f"!!{known}" if known != tag else tag if tag.startswith("!") else f"!<{tag}>"
        self.findings.append(
            Diagnostic(
                "unknown-tag",
                Severity.WARNING,
                f"the tag `{name}` counts for nothing, and the value is read as it is written",
                Label(self._span(event)),
                help="remove the tag",
            )
        )

    def _take_scalar(self, event: Any) -> None:
        is_plain = event.implicit[0]
        words: str = event.value
        value = scalar(words) if is_plain or event.tag in _PLAIN_TAGS else words
        node = Node(value, self._span(event), words=words)
        frame = self._frames[-1] if self._frames else None
        if words == "<<" and is_plain and frame is not None and self._wants_key(frame):
            frame.merging = True
            frame.key = (words, node.span)
            return
        self._add(_Anchored(node, 1, 0), event.anchor)

    def _open(self, event: Any) -> bool:
        if len(self._frames) >= syntax.DEEPEST:
            self.findings.append(syntax.too_deep(self._span(event)))
            return False
        value: dict[str, Node] | list[Node] = (
            {} if isinstance(event, yaml.MappingStartEvent) else []
        )
        self._frames.append(_Frame(event.start_mark, event.anchor, value))
        return True

    def _close(self, event: Any) -> None:
        frame = self._frames.pop()
        span = self._between(frame.start, event.end_mark)
        if isinstance(frame.value, dict):
            for other in frame.merged:
                for key, value in other.value.items():
                    if key not in frame.value:
                        frame.value[key] = value
                        frame.keys[key] = other.place(key)
        node = Node(frame.value, span, frame.keys)
        self._add(_Anchored(node, frame.size, frame.height), frame.anchor)

    def _take_alias(self, event: Any) -> bool:
        span = self._span(event)
        known = self._anchors.get(event.anchor)
        if known is None:
            is_open = any(frame.anchor == event.anchor for frame in self._frames)
            text = f"`*{event.anchor}` names a value that contains it"
            if not is_open:
                text = f"no value before this one is anchored as `&{event.anchor}`"
            self._report("alias-without-value", text, span, None)
            return False
        self._aliased += known.size
        if self._aliased > MOST_ALIASED:
            self._report(
                "too-many-aliases",
                f"aliases make this document more than {MOST_ALIASED:,} values larger",
                span,
                "use `$ref` for what is shared",
            )
            return False
        if len(self._frames) + known.height > syntax.DEEPEST:
            self.findings.append(syntax.too_deep(span))
            return False
        self._add(known, None)
        return True

    def _add(self, made: _Anchored, anchor: str | None) -> None:
        node = made.node
        if anchor is not None:
            self._anchors[anchor] = made
        if not self._frames:
            self.root = node
            return
        frame = self._frames[-1]
        frame.size += made.size
        frame.height = max(frame.height, made.height + 1)
        if isinstance(frame.value, list):
            frame.value.append(node)
        elif frame.key is None:
            frame.key = (self._key(node), node.span)
        else:
            key, span = frame.key
            frame.key = None
            if frame.merging:
                frame.merging = False
                self._merge(frame, node)
            elif key in frame.value:
                self._duplicate(frame, key, span)
            else:
                frame.value[key] = node
                frame.keys[key] = span

    @staticmethod
    def _wants_key(frame: _Frame) -> bool:
        return isinstance(frame.value, dict) and frame.key is None

    def _key(self, node: Node) -> str:
        if isinstance(node.value, (dict, list)):
            self._report(
                "key-is-not-text",
                "this key is not text",
                node.span,
                "put quotes around it if it is meant as text",
            )
        return node.words

    def _merge(self, frame: _Frame, node: Node) -> None:
        parts = node.value if isinstance(node.value, list) else [node]
        frame.merged += [part for part in parts if isinstance(part.value, dict)]
        for part in parts:
            if not isinstance(part.value, dict):
                text = "`<<` merges mappings, and this is not a mapping"
                self._report("merge-of-no-mapping", text, part.span, None)

    def _duplicate(self, frame: _Frame, key: str, span: Span) -> None:
        self.findings.append(
            Diagnostic(
                "duplicate-key",
                Severity.ERROR,
                f"`{key}` is written twice in one mapping",
                Label(span, "second time"),
                (Label(frame.keys[key], "first time"),),
                help="remove or rename one of the two",
            )
        )

    def _report(self, name: str, message: str, span: Span, remedy: str | None) -> None:
        self.findings.append(Diagnostic(name, Severity.ERROR, message, Label(span), help=remedy))

    def _span(self, event: Any) -> Span:
        return self._between(event.start_mark, event.end_mark)

    def _between(self, start: Any, end: Any) -> Span:
        return Span(
            self._source,
            start.line + 1,
            syntax.column(self._shifts, start.line, start.column),
            end.line + 1,
            syntax.column(self._shifts, end.line, end.column),
        )
