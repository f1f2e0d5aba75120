"""Reads the fields of a document's objects, and reports the ones of the wrong kind.

Every reader takes its fields through a `Reading`, so that a wrong kind is reported where it is
met, with its place, and reading goes on with the field left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from eventgen.diagnostics import Diagnostic, Label, Severity, Span
from eventgen.spec.nearest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection

    from eventgen.model.config import Config, Perspective
    from eventgen.spec.refs import Files, Target
    from eventgen.spec.tree import Node

_KINDS = {
    dict: "a mapping",
    list: "a list",
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "nothing",
}


def kind(value: Any) -> str:
    """What a plain value is, in a user's words."""
    return _KINDS.get(type(value), "something else")


@dataclass(slots=True)
class Reading:
    """One reading of one specification: its files, its settings, and what was found."""

    files: Files
    config: Config
    findings: list[Diagnostic] = field(default_factory=list)
    assumed: Perspective | None = None  # the view of 2.x that was taken, where nobody says it
    invalidating: frozenset[str] = frozenset()  # as in `Loaded`
    _seen: set[tuple[str, str, int, int, int]] = field(default_factory=set)

    def error(self, name: str, message: str, at: Span, **more: Any) -> None:
        """Report something that stops a generation. `more`: label, help, notes, secondary."""
        self._report(Severity.ERROR, name, message, at, **more)

    def warn(self, name: str, message: str, at: Span, **more: Any) -> None:
        """Report something that was read all the same."""
        self._report(Severity.WARNING, name, message, at, **more)

    def _report(
        self, severity: Severity, name: str, message: str, at: Span, *, label: str = "", **more: Any
    ) -> None:
        place = (name, message, id(at.source), at.line, at.column)
        if place not in self._seen:
            self._seen.add(place)
            self.findings.append(Diagnostic(name, severity, message, Label(at, label), **more))

    def text(self, node: Node, key: str, default: str = "") -> str:
        """A field that is text. A number or a truth value counts as its own words."""
        found = node.get(key)
        if found is None or found.value is None:
            return default
        if isinstance(found.value, str):
            return found.value
        if isinstance(found.value, (dict, list)):
            self._wrong(node, key, found, "text")
            return default
        self.warn(
            "text-without-quotes",
            f"`{key}` is text, and `{found.words}` without quotes is {kind(found.value)}",
            found.span,
            help=f'write "{found.words}"',
        )
        return found.words

    def mapping(self, node: Node, key: str) -> Node | None:
        """A field that is a mapping, or a reference to one."""
        found = node.get(key)
        if found is None or found.value is None:
            return None
        target = self.target(found)
        if target is None:
            return None
        if not isinstance(target.value, dict):
            self._wrong(node, key, found, "a mapping")
            return None
        return target

    def entries(self, node: Node | None) -> Iterator[tuple[str, Node]]:
        """Each key and value of a mapping, without `x-` extensions and `$ref`."""
        if node is not None and isinstance(node.value, dict):
            for key, value in node.value.items():
                if not key.startswith("x-") and key != "$ref":
                    yield key, value

    def items(self, node: Node, key: str) -> tuple[Node, ...]:
        """The items of a field that is a list."""
        found = node.get(key)
        if found is None or found.value is None:
            return ()
        if not isinstance(found.value, list):
            self._wrong(node, key, found, "a list")
            return ()
        return tuple(found.value)

    def target(self, node: Node) -> Node | None:
        """The node itself, or what it refers to."""
        found = self.follow(node)
        return None if found is None else found.node

    def follow(self, node: Node, within: Node | None = None) -> Target | None:
        """As `Files.follow`."""
        return self.files.follow(node, within)

    def schema(
        self, node: Node, within: Node | None = None, *, siblings: bool = False
    ) -> Target | None:
        """As `follow`, where only JSON Schema will do."""
        target = self.files.follow(node, within, siblings=siblings)
        if target is None or not target.document.language or node.reference is None:
            return target
        self.error(
            "unsupported-schema-format",
            f"`{node.reference}` is {target.document.language}, which cannot be read here",
            node.value["$ref"].span,
            help="describe it as JSON Schema; only a whole payload may be in Avro or Protobuf",
        )
        return None

    def object(self, node: Node, what: str) -> Node | None:
        """The mapping that `node` is or refers to; anything else is reported."""
        target = self.target(node)
        if target is None:
            return None
        if isinstance(target.value, dict):
            return target
        self.error(
            "wrong-kind",
            f"{what} is a mapping, and this is {kind(target.value)}",
            target.span,
        )
        return None

    def known(self, node: Node, keys: Collection[str], what: str) -> None:
        """Report the keys of a mapping that are not among `keys`."""
        for key, _ in self.entries(node):
            if key not in keys:
                self.error(
                    "unknown-key",
                    f"{what} has no `{key}`",
                    node.place(key),
                    help=did_you_mean(key, keys) or "it may have: " + ", ".join(sorted(keys)),
                )

    def _wrong(self, node: Node, key: str, found: Node, expected: str) -> None:
        self.error(
            "wrong-kind",
            f"`{key}` is {expected}, and this is {kind(found.value)}",
            node.place(key),
        )
