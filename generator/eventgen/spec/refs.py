"""Finds what a `$ref` names, in the same file or in another one."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from eventgen.diagnostics import Diagnostic, Label, Severity, Source, Span
from eventgen.spec import addresses, tree
from eventgen.spec import source as sources
from eventgen.spec.addresses import Fetch, Place, Refusal, offline
from eventgen.spec.keywords import ANNOTATIONS, DROPPED
from eventgen.spec.nearest import nearest
from eventgen.spec.tree import Node

_LONGEST_CHAIN = 40  # references that must be followed to follow one
_INDEX = re.compile(r"(?:0|[1-9][0-9]{0,8})\Z")
# Files in these languages are no JSON Schema, whatever they hold.
_LANGUAGES = {
    ".avsc": "Avro",
    ".avdl": "Avro IDL",
    ".proto": "Protobuf",
    ".xsd": "XML",
    ".raml": "RAML",
    ".json5": "JSON5",
}
_TREES = (".avsc", ".raml")  # ... and these are written in JSON or YAML all the same


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """One file that was read, from disk or from its URL.

    `language` is empty for YAML and JSON. The root of an Avro schema is its JSON; a file that is
    neither JSON nor YAML, such as Protobuf, is one text: its root's value is a `str`.
    """

    place: Place
    source: Source
    root: Node
    language: str = ""

    @property
    def name(self) -> PurePosixPath:
        """The path of the file or of its URL."""
        return _path_of(self.place)


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """What a reference names: the value, the file it stands in, and the way to it in that file.

    `way` is the last reference's pointer, taken apart; empty for a whole file. In a file that is
    one text it is what stands behind the `#`.
    """

    node: Node
    document: Document
    way: tuple[str, ...]


@dataclass(slots=True)
class Files:
    """Every file read for one specification, each once.

    Nothing on disk outside `root` is read, and from other machines only what `fetch` gives.
    """

    root: Path
    findings: list[Diagnostic] = field(default_factory=list)
    fetch: Fetch = offline
    _by_place: dict[Place, Document | None] = field(default_factory=dict)
    _by_source: dict[int, Document] = field(default_factory=dict)
    _targets: dict[tuple[Node, bool], Target | None] = field(default_factory=dict)
    _open: set[Node] = field(default_factory=set)

    def open(self, path: Path, display: str) -> Document | None:
        """Read and parse a file, or report why that cannot be done."""
        path = addresses.real(path)
        if path in self._by_place:
            return self._by_place[path]
        return self._parsed(path, sources.load(path, display))

    def _parsed(self, place: Place, loaded: Source | Diagnostic) -> Document | None:
        self._by_place[place] = None
        if isinstance(loaded, Diagnostic):
            self.findings.append(loaded)
            return None
        suffix = _path_of(place).suffix.lower()
        language = _LANGUAGES.get(suffix, "")
        if language and suffix not in _TREES:
            text = Node(loaded.text, Span(loaded, 1, 1, 1, 2), words=loaded.text)
            return self._put(Document(place, loaded, text, language))
        root, findings = tree.parse(loaded)
        self.findings += findings
        return None if root is None else self._put(Document(place, loaded, root, language))

    def replace(self, document: Document, root: Node) -> None:
        """Make `root` the content of a file, in place of what stands in it."""
        self._put(Document(document.place, document.source, root, document.language))

    def _put(self, document: Document) -> Document:
        self._by_place[document.place] = document
        self._by_source[id(document.source)] = document
        return document

    def inputs(self) -> tuple[Path, ...]:
        """The files on disk that were opened, readable or not, sorted."""
        return tuple(sorted(place for place in self._by_place if isinstance(place, Path)))

    def documents(self) -> tuple[Document, ...]:
        """The files of YAML and JSON that could be read, in the order of opening."""
        return tuple(one for one in self._by_place.values() if one and not one.language)

    def of(self, node: Node) -> Document:
        """The file a node stands in."""
        return self._by_source[id(node.span.source)]

    def follow(
        self, node: Node, within: Node | None = None, *, siblings: bool = False
    ) -> Target | None:
        """What a reference finally names; None when it names nothing, which is then reported.

        A node that is no reference names itself. `within` is the schema that the node belongs
        to: `#/$defs/...` is looked for there when the document has none. With `siblings` a
        reference that says more beside it, as it may after draft 07, is not followed further.
        """
        if node.reference is None:
            return Target(node, self.of(node), ())
        if (node, siblings) in self._targets:
            return self._targets[node, siblings]
        if node in self._open or len(self._open) >= _LONGEST_CHAIN:
            self._report(node, "reference-to-itself", "this reference leads back to itself")
            return None
        self._open.add(node)
        target = self._last(node, within, siblings=siblings)
        self._open.discard(node)
        self._targets[node, siblings] = target
        return target

    def _last(self, node: Node, within: Node | None, *, siblings: bool) -> Target | None:
        target = self._hop(node, within)
        seen = [node]
        while target is not None and target.node.reference is not None:
            if siblings and says_more(target.node):
                return target
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
        if isinstance(document.root.value, str) and document.language:
            return Target(document.root, document, (fragment,) if fragment else ())
        way = _taken_apart(fragment)
        if way is None:
            text = f"`{reference}` does not point to a place in the document"
            self._refuse(node, Refusal("dangling-reference", text, "write it as `#/a/b`"))
            return None
        found = self._walk(document.root, way)
        if isinstance(found, _Missing) and document.language == "Avro":
            found = _of_name(document.root, way) or found
        if isinstance(found, _Missing) and within is not None and not address:
            inner = self._walk(within, way)
            found = found if isinstance(inner, _Missing) else inner
        if isinstance(found, _Missing):
            self._dangling(node, document, way, found)
            return None
        return Target(found, self.of(found), way)

    def _walk(self, node: Node, way: tuple[str, ...]) -> Node | _Missing:
        for index, part in enumerate(way):
            if node.reference is not None and part not in node.value:
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
        own = self.of(node)
        place = addresses.resolve(address, own.place, self.root)
        if isinstance(place, Refusal):
            self._refuse(node, place)
            return None
        if isinstance(place, str):
            return self._remote(node, place)
        if place not in self._by_place and not os.path.exists(place):  # noqa: PTH110 - Path.exists raises for an overlong name
            self._refuse(node, addresses.missing(address, Path(own.name).parent))
            return None
        name = PurePosixPath(own.source.path).parent / unquote(address)
        return self.open(place, os.path.normpath(name))

    def beside(self, node: Node, address: str) -> Document | None:
        """The file at an address that is relative to the file of a node; None if there is none."""
        own = self.of(node)
        place = addresses.resolve(address, own.place, self.root)
        if not isinstance(place, Path) or not os.path.isfile(place):  # noqa: PTH113 - as above
            return None
        return self.open(place, os.path.normpath(PurePosixPath(own.source.path).parent / address))

    def _remote(self, node: Node, url: str) -> Document | None:
        if url in self._by_place:
            return self._by_place[url]
        content = self.fetch(url)
        if isinstance(content, Refusal):
            self._by_place[url] = None
            self._refuse(node, content)
            return None
        return self._parsed(url, sources.decode(content, url))

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

    def _refuse(self, node: Node, why: Refusal) -> None:
        self._report(node, why.name, why.message, help_=why.help, notes=why.notes)

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
    folder = addresses.real(spec).parent
    for candidate in (folder, *folder.parents):
        if (candidate / ".git").exists():
            return candidate
    return folder


def says_more(reference: Node) -> bool:
    """Whether there is more than words beside the `$ref` of a schema."""
    return bool(reference.value.keys() - {"$ref"} - ANNOTATIONS - DROPPED)


def _path_of(place: Place) -> PurePosixPath:
    return PurePosixPath(place if isinstance(place, Path) else unquote(urlsplit(place).path))


def _taken_apart(fragment: str) -> tuple[str, ...] | None:
    """The parts of a JSON Pointer (RFC 6901); None when it is none.

    A part is unquoted by itself, so that `%2F` is no separator: so do the tools that people use.
    """
    if fragment in ("", "/"):
        return ()
    if not fragment.startswith("/"):
        return None
    parts = (unquote(part) for part in fragment[1:].split("/"))
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in parts)


def _of_name(root: Node, way: tuple[str, ...]) -> Node | None:
    """The type that `order.avsc#/Order` names: the schema itself, or one of a list of them."""
    types = root.value if isinstance(root.value, list) else [root]
    names = {name.words: one for one in types if (name := one.get("name")) is not None}
    return names.get(way[0]) if len(way) == 1 else None


def _step(node: Node, part: str) -> Node | None:
    if isinstance(node.value, dict):
        inner: Node | None = node.value.get(part)
        return inner
    if isinstance(node.value, list) and _INDEX.match(part):
        index = int(part)
        return node.value[index] if index < len(node.value) else None
    return None
