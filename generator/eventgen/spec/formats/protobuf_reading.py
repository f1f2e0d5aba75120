"""Reads a payload in Protobuf: gathers the files it consists of, and has them compiled.

The compiler comes with grpcio-tools, an extra of eventgen. It sees nothing but what was read here.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from eventgen.diagnostics import Span
from eventgen.model import Protobuf
from eventgen.spec.formats.converted import Asked, Converted

if TYPE_CHECKING:
    from eventgen.spec.formats.protobuf import Compiled
    from eventgen.spec.refs import Document
    from eventgen.spec.shape import Reading
    from eventgen.spec.tree import Node

_TOKEN = re.compile(
    r'"(?:\\.|[^"\\\n])*"|' r"'(?:\\.|[^'\\\n])*'" r"|//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL
)
_IMPORT = re.compile(r"""\bimport\s+(?:(?:public|weak|option)\s+)?(["'])([^"'\n]+)\1\s*;""")
_ROOT = re.compile(r"@RootNode\b.*?\bmessage\s+(\w+)", re.DOTALL)
_FAULT = re.compile(r"(?P<file>[^:\n]+):(?:(?P<line>\d+):(?P<column>\d+): )?(?P<text>.+)")
_LIBRARY = "google/protobuf/"  # comes with the compiler
_FARTHEST = 12  # folders above a file in which what it imports is looked for
_INLINE = "payload.proto"


def convert(reading: Reading, asked: Asked) -> Converted | None:
    """A Protobuf payload; None, with what is wrong, when nothing can be made of it."""
    target = reading.follow(asked.schema)
    if target is None:
        return None
    if not isinstance(target.node.value, str):
        reading.error(
            "protobuf-not-valid",
            "a schema in Protobuf is a text",
            _first(target.node.span),
            help="write it as `schema: |` with the text below, or `$ref` a file `.proto`",
        )
        return None
    compiler = find_spec("grpc_tools")
    if compiler is None or not compiler.submodule_search_locations:
        reading.warn(
            "protobuf-compiler-missing",
            "payloads in Protobuf are read by a compiler, which is not installed",
            asked.schema.span,
            help="install it with `pip install 'eventgen[protobuf]'`",
        )
        return None
    sources = _Sources(reading)
    if not sources.gather(target.node, target.document):
        return None
    main = target.document.name.name if target.document.language else _INLINE
    library = Path(compiler.submodule_search_locations[0], "_proto")
    files = {main: target.node.words, **sources.texts}
    descriptors = _compile(tuple(files.items()), library)
    if isinstance(descriptors, str):
        sources.tell(descriptors, main, target.node)
        return None
    return _converted(reading, asked, descriptors, main, target.node)


@dataclass(slots=True)
class _Sources:
    """The text of each file that is imported, by the name it is imported by."""

    reading: Reading
    texts: dict[str, str] = field(default_factory=dict)
    _documents: dict[str, Document] = field(default_factory=dict)

    def gather(self, node: Node, document: Document) -> bool:
        """Find what a file imports, and what that imports; whether all of it was found.

        The folder that names begin at is not known: it is the file's own, or one above it.
        """
        whole = True
        for match in _IMPORT.finditer(_TOKEN.sub(_without_comment, node.words)):
            name = match[2]
            if name in self.texts or name.startswith(_LIBRARY):
                continue
            found = self._found(document, name)
            if found is None or not isinstance(found.root.value, str):
                before = node.words[: match.start(2)]
                column = match.start(2) - before.rfind("\n")
                # A warning: whoever builds with it may have the file elsewhere.
                self.reading.warn(
                    "protobuf-import-missing",
                    f"there is no file `{name}` to import",
                    _at(node, before.count("\n") + 1, column, len(name)),
                    help="put it beside this file or into a folder above it",
                )
                whole = False
                continue
            self.texts[name] = found.root.words
            self._documents[name] = found
            whole = self.gather(found.root, found) and whole
        return whole

    def _found(self, document: Document, name: str) -> Document | None:
        if not set(name.split("/")).isdisjoint(("", ".", "..")) or "\\" in name:
            return None  # it is to become a path below the folder of the compilation
        for above in range(_FARTHEST):
            found = self.reading.files.beside(document.root, "../" * above + name)
            if found is not None:
                return found
        return None

    def tell(self, output: str, main: str, node: Node) -> None:
        """Report what the compiler says, at its place."""
        faults = [match for match in _FAULT.finditer(output) if "warning:" not in match[0]]
        if not faults:
            self.reading.error(
                "protobuf-not-valid", "this is no Protobuf that its compiler reads", _at(node, 1, 1)
            )
        # Those of the first file, the first of each place: the others follow from them.
        own = [match for match in faults if match["file"] == faults[0]["file"]]
        for match in {(one["line"], one["column"]): one for one in reversed(own)}.values():
            document = self._documents.get(match["file"])
            root = node if match["file"] == main or document is None else document.root
            text = match["text"].strip().removesuffix(".").replace('"', "`")
            self.reading.error(
                "protobuf-not-valid",
                f"this is no Protobuf: {text[:1].lower()}{text[1:]}",
                _at(root, int(match["line"] or 1), int(match["column"] or 1)),
                label="" if root is not node or main != _INLINE else f"line {match['line']} of it",
            )


def _without_comment(token: re.Match[str]) -> str:
    """A text as it is, and a comment as blanks, so that what follows stays in its place."""
    return token[0] if token[0][0] in "\"'" else re.sub(r"[^\n]", " ", token[0])


@lru_cache(maxsize=64)  # a file may have the payloads of several events
def _compile(files: tuple[tuple[str, str], ...], library: Path) -> bytes | str:
    """A FileDescriptorSet of some files, the first of which is wanted; or what is wrong."""
    with tempfile.TemporaryDirectory(prefix="eventgen-") as folder:
        for name, text in files:
            place = Path(folder, name)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
        out = Path(folder, "descriptors")
        command = [
            *(sys.executable, "-m", "grpc_tools.protoc", "-I.", f"-I{library}"),
            *("--include_imports", "--include_source_info", f"--descriptor_set_out={out}"),
            files[0][0],
        ]
        run = subprocess.run(
            command, cwd=folder, capture_output=True, encoding="utf-8", check=False
        )
        return out.read_bytes() if run.returncode == 0 else run.stderr


def _converted(
    reading: Reading, asked: Asked, descriptors: bytes, main: str, node: Node
) -> Converted | None:
    # As slow to import as the rest of a reading takes, and needed by few.
    from eventgen.spec.formats import protobuf  # noqa: PLC0415

    compiled = protobuf.compiled(descriptors, main)
    message = _chosen(compiled, asked, node)
    if message is None:
        several = f"several messages: {', '.join(compiled.messages)}"
        reading.error(
            "protobuf-not-valid",
            f"this Protobuf has {several if compiled.messages else 'no message'}",
            asked.schema.span if asked.schema.reference else _first(node.span),
            help="say which is the payload: `$ref: order.proto#/Order`, or a comment `@RootNode`"
            " before it",
        )
        return None
    root, types = protobuf.converted(descriptors, message)
    return Converted(root, types, Protobuf(compiled.descriptors, message), asked.schema)


def _chosen(compiled: Compiled, asked: Asked, node: Node) -> str | None:
    """The payload among the messages of a file.

    It is the one that the reference names, or that a comment marks, or that is called like the
    event, or the only one that no other message refers to.
    """
    wanted = (asked.schema.reference or "").partition("#")[2].rpartition("/")[2]
    marked = _ROOT.search(node.words)
    names = [wanted] if wanted else [marked[1]] if marked else asked.names
    for name in names:
        for message in compiled.messages:
            if _letters(name) in (_letters(message), _letters(message.rpartition(".")[2])):
                return message
    return compiled.roots[0] if len(compiled.roots) == 1 and not wanted else None


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _first(span: Span) -> Span:
    return Span(span.source, span.line, span.column, span.line, span.column + 1)


def _at(root: Node, line: int, column: int, length: int = 1) -> Span:
    """A place in a file; in a text inside a document, where that begins."""
    if root.span.line != 1 or root.span.column != 1:
        return _first(root.span)
    return Span(root.span.source, line, column, line, column + length)
