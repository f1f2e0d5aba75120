"""Valid documents, each broken in one place: the break is reported, at its line.

The edits are made on the text, so that lines stay what they are. Whether an edit broke anything is
what the official schemas say; a reference that was turned to nothing is broken in any case.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from eventgen.diagnostics import Severity, Source, Span
from eventgen.model.config import Config, Database
from eventgen.spec import source, tree
from eventgen.spec.load import load
from eventgen.spec.tree import Node, plain

from tests.support import corpus, official

GOOD = Path(__file__).parents[1] / "specs" / "good"
CONFIG = Config(spec="", broker="", database=Database.SQLITE)
TRIES = 20  # edits of each document
LEAST = 0.95  # of the breaks are reported at their line
_OF_BINDINGS = ("unknown-key", "unknown-binding-version")  # warnings: bindings are read leniently
_VALUES = ("7", "true", "null", "words", "[words]", "{words: 1}")


@dataclass(frozen=True, slots=True)
class Document:
    """A valid document: where its files are, and what may be read with it."""

    path: Path
    root: Path
    text: str
    tree: Node


@dataclass(frozen=True, slots=True)
class Place:
    """A key and its value, and the lines on which the objects around it begin."""

    name: str
    key: Span
    value: Node
    around: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A broken document, and the lines of which one must be named."""

    what: str
    key: str
    text: str
    lines: tuple[int, ...]


def test_a_document_that_is_broken_in_one_place_is_reported_at_that_place() -> None:
    counted, missed = 0, []
    for document in _documents():
        for mutant in _mutants(document):
            found = _reported(document, mutant.text)
            counted += 1
            if not found.keys() & {*mutant.lines}:
                missed.append((document.path, mutant.what, mutant.key, mutant.lines, found))
    share = 1 - len(missed) / counted
    print(f"{share:.1%} of {counted} breaks are reported at their line; missed:")
    for one in missed:
        print(" ", *one)
    assert counted > 300
    assert share >= LEAST


def _documents() -> Iterator[Document]:
    """The valid documents of AsyncAPI, in which eventgen finds no error."""
    folder = corpus.folder()
    for line in (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        if entry["valid_per_parser"]:
            path = folder / entry["local"]
            yield from _document(path, folder.joinpath(*Path(entry["local"]).parts[:2]))
    for path in sorted(GOOD.glob("*.yaml")):
        yield from _document(path, GOOD)


def _document(path: Path, root: Path) -> Iterator[Document]:
    if load(path, CONFIG, path.name, root=root).service is None:
        return
    loaded = source.load(path, path.name)
    assert isinstance(loaded, Source)
    node, _ = tree.parse(loaded)
    assert node is not None
    if node.get("asyncapi") is not None and "&" not in loaded.text:
        yield Document(path, root, loaded.text, node)


def _reported(document: Document, text: str) -> dict[int, str]:
    """Line -> finding, of a document with another text: errors, and what is said of bindings."""
    other = Source(document.path.name, text)
    own = document.path.resolve()
    real = source.load
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "load", lambda at, name: other if at == own else real(at, name))
        findings = load(document.path, CONFIG, document.path.name, root=document.root).findings
    return {
        one.primary.span.line: one.name
        for one in findings
        if one.primary is not None
        and one.primary.span.source is other
        and (one.severity is Severity.ERROR or one.name in _OF_BINDINGS)
    }


def _mutants(document: Document) -> Iterator[Mutant]:
    version = f"{document.tree.value['asyncapi'].words[:3]}.0"
    oracle = official.official(version)
    if not oracle.is_valid({**plain(document.tree), "asyncapi": version}):
        return
    chance = random.Random(document.path.name)
    places = list(_places(document.tree, ()))
    for place in chance.sample(places, min(TRIES, len(places))):
        edit = chance.choice((_rename, _drop, _kind, _dangle))
        text = edit(document.text.split("\n"), place, chance)
        if text is not None and _is_broken(oracle, version, edit, text):
            own = (place.key.line, place.value.span.line)
            lines = place.around if edit is _drop else own
            yield Mutant(edit.__name__, place.name, text, lines)


def _is_broken(oracle: Any, version: str, edit: Any, text: str) -> bool:
    node, findings = tree.parse(Source("mutant", text))
    if node is None or findings:
        return False
    broken = plain(node)
    if not str(broken.get("asyncapi", "")).startswith(version[:3]):
        return False  # a version that is not read is told by itself
    return edit is _dangle or not oracle.is_valid({**broken, "asyncapi": version})


def _places(node: Node, around: tuple[int, ...]) -> Iterator[Place]:
    if isinstance(node.value, dict):
        for name, value in node.value.items():
            key = node.keys[name]
            yield Place(name, key, value, around)
            yield from _places(value, (key.line, value.span.line))
    elif isinstance(node.value, list):
        for item in node.value:
            yield from _places(item, (*around[:1], item.span.line))


def _rename(lines: list[str], place: Place, _chance: random.Random) -> str | None:
    at = place.key.end_column - 1
    line = lines[place.key.line - 1]
    if line[at - 1] in "'\"":
        at -= 1
    lines[place.key.line - 1] = f"{line[:at]}s{line[at:]}"
    return "\n".join(lines)


def _drop(lines: list[str], place: Place, _chance: random.Random) -> str | None:
    """Only an entry that has a line of its own; a comment takes its place."""
    number, line = place.key.line - 1, lines[place.key.line - 1]
    alone = line[: place.key.column - 1].strip() == "" and place.value.span.end_line == number + 1
    if not alone or place.value.span.line != number + 1:
        return None
    lines[number] = "#"
    return "\n".join(lines)


def _kind(lines: list[str], place: Place, chance: random.Random) -> str | None:
    span = place.value.span
    if span.line != span.end_line or span.column == span.end_column:
        return None
    line = lines[span.line - 1]
    other = chance.choice(_VALUES)
    lines[span.line - 1] = f"{line[: span.column - 1]}{other}{line[span.end_column - 1 :]}"
    return "\n".join(lines)


def _dangle(lines: list[str], place: Place, _chance: random.Random) -> str | None:
    value = place.value.value
    if place.name != "$ref" or not isinstance(value, str) or not value.startswith("#/"):
        return None
    span = place.value.span
    line = lines[span.line - 1]
    lines[span.line - 1] = line[: span.column - 1] + line[span.column - 1 :].replace(
        "#/", "#/no", 1
    )
    return "\n".join(lines)
