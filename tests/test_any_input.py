"""Whatever a file holds, reading it gives findings or a service whose names are right."""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eventgen.diagnostics import Source
from eventgen.diagnostics.show import as_json, concise, full, github, sarif
from eventgen.model import Service
from eventgen.model.config import Config, Database
from eventgen.pipeline import examine
from eventgen.spec.load import load
from eventgen.spec.tree import parse, plain

SPECS = Path(__file__).parents[1] / "specs"
CONFIG = Config(spec="", broker="", database=Database.SQLITE)
ROUNDS = 40
VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, "", "x", "🎉", "{a}", [], {}, [None], {"a": None},
    {"$ref": "#"}, {"$ref": ""}, {"$ref": 5}, {"$ref": "a\0b"}, {"$ref": "x" * 5000},
    {"$ref": "#/%ff"}, {"$ref": "#/channels"}, {"$ref": "#/components/schemas"},
    {"oneOf": []}, {"type": []}, {"type": {}}, {"traits": [5]},
    {"x-eventgen": {"key": [{}], "retry": 5}},
    {"x-eventgen": {"ignore": {"unused-channel": "why", "no-such": "why", "no-why": 5}}},
    {"x-eventgen": {"ignore": ["unused-channel"]}},
)  # fmt: skip
KEYS = ("", "x", "$ref", "payload", "type", "properties", "required", "items", "enum", "messages")
TEXTS = (
    b"\t", b"{", b"}", b"[", b"&a ", b"*a", b"<<: ", b"? ", b"!!int ", b"!x ", b'"', b"|", b">",
    b"# eventgen: ignore[unused-channel] -- why\n", b" # eventgen: ignore[",
    b"---\n", b"...\n", b"%YAML 1.3\n", b"\x00", b"\xff", b"\xe2\x80\xa8", b"\r", b": ", b"\\ud800",
)  # fmt: skip


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    keys = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    for key in list(keys):
        yield value, key
        yield from places(value[key])


def changed(dice: random.Random, document: Any) -> Any:
    document = copy.deepcopy(document)
    for _ in range(dice.choice([1, 1, 2, 4])):
        found = list(places(document))
        if not found:
            break
        holder, key = dice.choice(found)
        chance = dice.random()
        if chance < 0.6:
            holder[key] = copy.deepcopy(dice.choice(VALUES))
        elif chance < 0.8:
            del holder[key]
        elif isinstance(holder, dict):
            holder[dice.choice(KEYS)] = copy.deepcopy(dice.choice(VALUES))
    return document


def look_at(path: Path) -> None:
    loaded = load(path, CONFIG, path.name)
    if loaded.service is not None:
        names_are_right(loaded.service)
    findings = examine(loaded, CONFIG, None, path.name).findings
    full.show(findings)
    concise.show(findings).encode()
    assert github.show(findings).count("\n") == max(0, len(findings) - 1)
    as_json.show(findings)
    sarif.show(findings, {}, "1.0.0")


def names_are_right(service: Service) -> None:
    schemas = [schema.name for schema in service.schemas]
    assert len({name.casefold() for name in schemas}) == len(schemas)
    assert all(name.isidentifier() for name in schemas)
    assert {message.schema for message in service.messages} <= set(schemas)
    for things in (service.channels, service.messages, service.operations):
        assert len({thing.name.snake for thing in things}) == len(things)
        assert [thing.name.snake for thing in things] == sorted(
            thing.name.snake for thing in things
        )


@pytest.mark.parametrize("path", sorted(SPECS.glob("good/*.yaml")), ids=lambda path: path.stem)
def test_a_document_with_anything_in_it_is_read(path: Path, tmp_path: Path) -> None:
    root, _ = parse(Source(path.name, path.read_text(encoding="utf-8")))
    document = plain(root)
    dice = random.Random(path.stem)
    for _ in range(ROUNDS):
        target = tmp_path / "spec.json"
        target.write_text(json.dumps(changed(dice, document)), encoding="utf-8")
        look_at(target)


@pytest.mark.parametrize("path", sorted(SPECS.glob("good/*.yaml")), ids=lambda path: path.stem)
def test_any_text_is_read(path: Path, tmp_path: Path) -> None:
    text = path.read_bytes()
    dice = random.Random(path.stem)
    for _ in range(ROUNDS):
        at = dice.randrange(len(text))
        target = tmp_path / "spec.yaml"
        target.write_bytes(text[:at] + dice.choice(TEXTS) + text[at:])
        look_at(target)


def test_no_finding_shows_a_whole_document(tmp_path: Path) -> None:
    target = tmp_path / "spec.json"
    target.write_text(json.dumps({"asyncapi": "3.0.0" + "x" * 10_000, "info": []}))
    (found,) = load(target, CONFIG, "spec.json").findings
    assert max(map(len, full.show([found]).splitlines())) < 600
    assert re.match(r"spec\.json:1:\d+: error\[unsupported-version\]", concise.show([found]))
