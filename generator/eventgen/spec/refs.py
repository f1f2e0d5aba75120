"""Finds what a `$ref` names, in the same file or in another one beside it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote

from eventgen.diagnostics import Diagnostic, Label, Severity, Source, Span
from eventgen.spec import source as sources
from eventgen.spec import tree
from eventgen.spec.nearest import nearest

if TYPE_CHECKING:
    from eventgen.spec.tree import Node

_LONGEST_CHAIN = 40  # references that must be followed to follow one
_INDEX = re.compile(r"[0-9]{1,9}\Z")
_FOREIGN = {
    ".avsc": "Avro",
    ".avdl": "Avro",
    ".proto": "Protobuf",
    ".xsd": "XML",
    ".raml": "RAML",
    ".json5": "JSON5",
}


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """One file that was read."""

    path: Path
    source: Source
    root: Node


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """What a reference names: the value, the file it stands in, and the way to it in that file.

    `way` is the last reference's pointer, taken apart; empty for a whole file.
    """

    node: Node
    document: Document
    way: tuple[str, ...]


@dataclass(slots=True)
class Files:
    """Every file read for one specification, each once. Nothing outside `root` is read."""

    root: Path
    findings: list[Diagnostic] = field(default_factory=list)
    _by_path: dict[Path, Document | None] = field(default_factory=dict)
    _by_source: dict[int, Document] = field(default_factory=dict)
    _targets: dict[int, Target | None] = field(default_factory=dict)
    _open: set[int] = field(default_factory=set)

    def open(self, path: Path, display: str) -> Document | None:
        """Read and parse a file, or report why that cannot be done."""
        path = _real(path)
        if path in self._by_path:
            return self._by_path[path]
        self._by_path[path] = None
        loaded = sources.load(path, display)
        if isinstance(loaded, Diagnostic):
            self.findings.append(loaded)
            return None
        root, findings = tree.parse(loaded)
        self.findings += findings
        if root is None:
            return None
        return self.put(path, loaded, root)

    def put(self, path: Path, source: Source, root: Node) -> Document:
        """Make `root` the content of a file, in place of what stands in it."""
        document = Document(path, source, root)
        self._by_path[path] = document
        self._by_source[id(source)] = document
        return document

    def inputs(self) -> tuple[Path, ...]:
        """The files that were opened, readable or not, sorted."""
        return tuple(sorted(self._by_path))

    def documents(self) -> tuple[Document, ...]:
        """The files that could be read, in the order of opening."""
        return tuple(one for one in self._by_path.values() if one is not None)

    def of(self, node: Node) -> Document:
        """The file a node stands in."""
        return self._by_source[id(node.span.source)]

    def follow(self, node: Node, within: Node | None = None) -> Target | None:
        """What a reference finally names; None when it names nothing, which is then reported.

        A node that is no reference names itself. `within` is the schema that the node belongs
        to: `#/$defs/...` is looked for there when the document has none.
        """
        if node.reference is None:
            return Target(node, self.of(node), ())
        if id(node) in self._targets:
            return self._targets[id(node)]
        if id(node) in self._open or len(self._open) >= _LONGEST_CHAIN:
            self._report(node, "reference-to-itself", "this reference leads back to itself")
            return None
        self._open.add(id(node))
        target = self._last(node, within)
        self._open.discard(id(node))
        self._targets[id(node)] = target
        return target

    def _last(self, node: Node, within: Node | None) -> Target | None:
        target = self._hop(node, within)
        seen = [node]
        while target is not None and target.node.reference is not None:
            if target.node in seen:
                self._report(node, "reference-to-itself", "this reference leads back to itself")
                return None
            seen.append(target.node)
            target = self._hop(target.node, within)
        return target

    def hop(self, node: Node) -> Target | None:
        """What a reference names, without following that further."""
        return self._hop(node, None)

    def _hop(self, node: Node, within: Node | None) -> Target | None:
        reference = node.reference or ""
        address, _, fragment = reference.partition("#")
        document = self._document(node, address) if address else self.of(node)
        if document is None:
            return None
        way = _taken_apart(fragment)
        if way is None:
            text = f"`{reference}` does not point to a place in the document"
            self._report(node, "dangling-reference", text, help_="write it as `#/a/b`")
            return None
        found = self._walk(document.root, way)
        if isinstance(found, _Missing) and within is not None and not address:
            inner = self._walk(within, way)
            found = found if isinstance(inner, _Missing) else inner
        if isinstance(found, _Missing):
            self._dangling(node, document, way, found)
            return None
        return Target(found, self.of(found), way)

    def _walk(self, node: Node, way: tuple[str, ...]) -> Node | _Missing:
        for index, part in enumerate(way):
            if node.reference is not None and part != "$ref":
                target = self.follow(node)
                if target is None:
                    return _Missing(node, index, reported=True)
                node = target.node
            inner = _step(node, part)
            if inner is None:
                return _Missing(node, index)
            node = inner
        return node

    def _document(self, node: Node, address: str) -> Document | None:
        if "://" in address or address.startswith("//"):
            scheme = address.partition("//")[0].rstrip(":").lower()
            if scheme in ("http", "https", ""):
                text = f"`{address}` is on another machine, and remote references are not read yet"
                remedy = "save the file beside the specification and refer to it by its path"
                self._report(node, "remote-reference", text, help_=remedy)
                return None
            if scheme != "file":
                text = f"`{address}` is not a file"
                self._report(node, "dangling-reference", text)
                return None
            address = address.partition("://")[2]
        own = self.of(node)
        name = unquote(address)
        foreign = _FOREIGN.get(PurePosixPath(name).suffix.lower())
        if foreign is not None:
            text = f"`{address}` is {foreign}, which is not supported yet"
            remedy = "describe the payload as JSON Schema"
            self._report(node, "unsupported-schema-format", text, help_=remedy)
            return None
        path = _real(own.path.parent / name)
        if not path.is_relative_to(self.root):
            text = f"`{address}` is outside the project"
            self._report(
                node,
                "reference-outside-project",
                text,
                help_="copy the file into the project",
                notes=(
                    (
                        f"the project is `{self.root.name}`, the folder of the specification"
                        " or the git repository it belongs to"
                    ),
                ),
            )
            return None
        if path not in self._by_path and not os.path.exists(path):  # noqa: PTH110 - Path.exists raises for an overlong name
            self._no_file(node, address, path)
            return None
        return self.open(path, os.path.normpath(PurePosixPath(own.source.path).parent / name))

    def _no_file(self, node: Node, address: str, path: Path) -> None:
        remedy = "check the path; it is relative to the file it is written in"
        near = nearest(path.name, _names_in(path.parent))
        if near is not None:
            remedy = f"did you mean `{near}`?"
        text = f"there is no file `{address}`"
        self._report(node, "dangling-reference", text, help_=remedy)

    def _dangling(
        self, node: Node, document: Document, way: tuple[str, ...], missing: _Missing
    ) -> None:
        if missing.reported:
            return
        part = way[missing.index]
        label = f"there is no `{part}`"
        if missing.index:
            label += f" in `#/{'/'.join(way[: missing.index])}`"
        keys = list(missing.node.value) if isinstance(missing.node.value, dict) else []
        rest = "/".join(way[missing.index :])
        near = nearest(part, keys)
        remedy = f"did you mean `{near}`?" if near is not None else None
        if rest in keys and rest != part:
            remedy = "write each `/` of the key as `~1`: `" + rest.replace("/", "~1") + "`"
        text = f"`{node.reference}` names nothing"
        if document.source is not node.span.source:
            text += f" in `{document.source.path}`"
        secondary: tuple[Label, ...] = ()
        if near is not None and rest not in keys:
            secondary = (Label(missing.node.place(near), "the nearest key"),)
        self._report(
            node, "dangling-reference", text, help_=remedy, label=label, secondary=secondary
        )

    def _report(  # noqa: PLR0913 - the parts of a diagnostic, by keyword
        self,
        node: Node,
        name: str,
        message: str,
        *,
        label: str = "",
        help_: str | None = None,
        notes: tuple[str, ...] = (),
        secondary: tuple[Label, ...] = (),
    ) -> None:
        target = node.get("$ref")
        span: Span = target.span if target is not None else node.span
        self.findings.append(
            Diagnostic(name, Severity.ERROR, message, Label(span, label), secondary, notes, help_)
        )


@dataclass(frozen=True, slots=True)
class _Missing:
    """How far a pointer led: the last value there is, and which part it has not got."""

    node: Node
    index: int
    reported: bool = False


def project_root(spec: Path) -> Path:
    """The folder whose files may be read: the git repository, or else the file's own folder."""
    folder = _real(spec).parent
    for candidate in (folder, *folder.parents):
        if (candidate / ".git").exists():
            return candidate
    return folder


def _real(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links; a null character
        return path.absolute()


def _taken_apart(fragment: str) -> tuple[str, ...] | None:
    if fragment in ("", "/"):
        return ()
    if not fragment.startswith("/"):
        return None
    parts = unquote(fragment)[1:].split("/")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in parts)


def _step(node: Node, part: str) -> Node | None:
    if isinstance(node.value, dict):
        inner: Node | None = node.value.get(part)
        return inner
    if isinstance(node.value, list) and _INDEX.match(part):
        index = int(part)
        return node.value[index] if index < len(node.value) else None
    return None


def _names_in(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in folder.iterdir() if entry.is_file())
    except OSError:
        return []
