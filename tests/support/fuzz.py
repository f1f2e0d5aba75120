"""Specifications nobody would write: made from real ones, each by a few changes.

Run as a module it is a worker: it reads inputs one after the other, within the memory and the time
that each may take, and says what it saw. Equal arguments make equal inputs.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import resource
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from eventgen import pipeline
from eventgen.brokers import discover
from eventgen.diagnostics import Source
from eventgen.diagnostics.show import as_json, concise, full, github, sarif
from eventgen.model import Service
from eventgen.model.config import Config, Database, Perspective
from eventgen.spec.tree import parse, plain

CONFIG = Config(
    spec="", broker="", database=Database.SQLITE, v2_perspective=Perspective.APPLICATION
)
MEMORY = 500 * 2**20  # bytes a worker may hold
SECONDS = 2.0  # of computing that an input may take
SECONDS_TO_GENERATE = 30.0
LARGEST = 16_000  # bytes of a document to start from: many small inputs find more than few large
EVERY = 40  # of so many services one is generated

VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, "", "x", "🎉", "{a}", [], {}, [None], {"a": None}, 10**30, 1e300,
    "9" * 5000, "x" * 300, "a\nb", "\0", "\u202e", '"""', "{{ 1 }}", [[]], [{}], "a.b.c", "/",
    {"$ref": "#"}, {"$ref": ""}, {"$ref": 5}, {"$ref": "a\0b"}, {"$ref": "x" * 5000},
    {"$ref": "#/%ff"}, {"$ref": "#/channels"}, {"$ref": "#/components/schemas"},
    {"$ref": "https://example.com/x"}, {"$ref": "http://[/"}, {"$ref": "file:///etc/passwd"},
    {"$ref": "../x"}, {"$ref": "x.proto"}, {"$ref": "\\\\x\\y"}, {"$ref": "//x"}, {"$ref": ":"},
    {"oneOf": []}, {"type": []}, {"type": {}}, {"traits": [5]}, {"allOf": [True, False]},
    {"not": {}}, {"enum": []}, {"enum": [None, {}, []]}, {"const": {"a": [1]}}, {"pattern": "("},
    {"type": "array", "items": [{}, {}]}, {"additionalProperties": {"type": "string"}},
    {"x-eventgen": {"key": [{}], "retry": 5}},
    {"x-eventgen": {"ignore": {"unused-channel": "why", "no-such": "why", "no-why": 5}}},
    {"x-eventgen": {"ignore": ["unused-channel"]}},
)  # fmt: skip
KEYS = (
    "", "x", "$ref", "payload", "type", "properties", "required", "items", "enum", "messages",
    "parameters", "bindings", "headers", "traits", "reply", "security", "tags", "examples",
    "correlationId", "schemaFormat", "servers", "oneOf", "allOf", "format", "default", "x-eventgen",
)  # fmt: skip
TEXTS = (
    b"\t", b"{", b"}", b"[", b"&a ", b"*a", b"<<: ", b"? ", b"!!int ", b"!x ", b'"', b"|", b">",
    b"# eventgen: ignore[unused-channel] -- why\n", b" # eventgen: ignore[", b"\n  - ", b"''",
    b"---\n", b"...\n", b"%YAML 1.3\n", b"\x00", b"\xff", b"\xe2\x80\xa8", b"\r", b": ", b"\\ud800",
    b"\xef\xbb\xbf", b"\xc2\x85", b"&a [*a]", b"<<: *a\n", b"[" * 200, b"{a: " * 120, b"9" * 5000,
)  # fmt: skip


def mutants(dice: random.Random, texts: list[bytes]) -> Iterator[bytes]:
    """Changed documents without end: by value, by line and by byte."""
    documents = [document for text in texts if (document := value_of(text)) is not None]
    while True:
        for _ in range(6):
            yield json.dumps(changed_value(dice, dice.choice(documents))).encode()
        yield changed_lines(dice, dice.choice(texts), dice.choice(texts))
        yield changed_bytes(dice, dice.choice(texts))


def value_of(text: bytes) -> Any:
    """A document as plain data; None when it is none."""
    root, _ = parse(Source("", text.decode(errors="replace")))
    return plain(root)


def changed_value(dice: random.Random, document: Any) -> Any:
    """The document with some of its values replaced, removed, added, moved or renamed."""
    document = copy.deepcopy(document)
    for _ in range(dice.choice([1, 1, 2, 4])):
        found = list(_places(document))
        if not found:
            break
        holder, key = dice.choice(found)
        chance = dice.random()
        if chance < 0.5:
            holder[key] = copy.deepcopy(dice.choice(VALUES))
        elif chance < 0.65:
            del holder[key]
        elif chance < 0.8:
            other, name = dice.choice(found)
            holder[key] = copy.deepcopy(other.get(name) if isinstance(other, dict) else other)
        elif isinstance(holder, dict):
            name = dice.choice((*KEYS, key + "é", key.upper(), key * 60))
            holder[name] = copy.deepcopy(dice.choice((*VALUES, holder[key])))
    return document


def changed_lines(dice: random.Random, text: bytes, other: bytes) -> bytes:
    """The document with some lines removed, repeated, moved, indented or taken from another."""
    lines, others = text.split(b"\n"), other.split(b"\n")
    for _ in range(dice.choice([1, 2, 5])):
        at = dice.randrange(len(lines))
        lines[at : at + 1] = dice.choice(
            [
                [],
                [lines[at], lines[at]],
                [b"  " + lines[at]],
                [lines[at].strip()],
                [lines[at], dice.choice(others)],
                [dice.choice(lines)],
            ]
        )
        lines = lines or [b""]
    return b"\n".join(lines)


def changed_bytes(dice: random.Random, text: bytes) -> bytes:
    """The document with a few bytes more, fewer or others."""
    for _ in range(dice.choice([1, 1, 3])):
        at = dice.randrange(len(text) + 1)
        more = dice.choice((*TEXTS, bytes([dice.randrange(256)]), b""))
        text = text[:at] + more + text[at + dice.choice([0, 0, 1, 20]) :]
    return text if dice.random() < 0.95 else text[: dice.randrange(len(text) + 1)]


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    keys = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    for key in list(keys):
        yield value, key
        yield from _places(value[key])


def look_at(path: Path, broker: str, *, generate: bool = False) -> Service | None:
    """Check a specification, show what is found in every format, and perhaps generate from it."""
    chosen = discover()[broker]
    with _no_longer_than(SECONDS):
        checked = pipeline.check(path, CONFIG, chosen, path.name)
        found = checked.findings
        full.show(found)
        concise.show(found).encode()
        assert github.show(found).count("\n") == max(0, len(found) - 1)
        as_json.show(found)
        sarif.show(found, {}, "1.0.0")
    if checked.service is not None:
        _names_are_right(checked.service)
        if generate:
            with _no_longer_than(SECONDS_TO_GENERATE):
                assert pipeline.compile(checked, CONFIG, chosen, example=False, cache=None).files
    else:
        assert found
    return checked.service


def _names_are_right(service: Service) -> None:
    schemas = [schema.name for schema in service.schemas]
    assert len({name.casefold() for name in schemas}) == len(schemas)
    assert all(name.isidentifier() for name in schemas)
    assert {message.schema for message in service.messages} <= set(schemas)
    for things in (service.channels, service.messages, service.operations):
        assert len({thing.name.snake for thing in things}) == len(things)
        assert [thing.name.snake for thing in things] == sorted(
            thing.name.snake for thing in things
        )


@contextmanager
def _no_longer_than(seconds: float) -> Iterator[None]:
    """Computing time, not time on the clock: other work of the machine does not count."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _stop(*_: object) -> None:
    raise TimeoutError


def _work(folder: Path, seed: str, count: int, work: Path) -> dict[str, float]:
    texts = [path.read_bytes() for path in sorted(folder.rglob("*")) if _is_small_document(path)]
    dice = random.Random(seed)
    brokers = sorted(discover())
    spec = work / "spec.yaml"
    services = generated = 0
    slowest = 0.0
    for number, text in zip(range(count), mutants(dice, texts), strict=False):
        spec.write_bytes(text)
        begun = time.process_time()
        try:
            generate = services % EVERY == 0
            service = look_at(spec, brokers[number % len(brokers)], generate=generate)
        except BaseException:
            print(f"input {number} of seed {seed!r}:\n{text!r}")
            raise
        if not generate:
            slowest = max(slowest, time.process_time() - begun)
        services += service is not None
        generated += generate and service is not None
    # Not ru_maxrss: that counts the memory of the process this one was started from, too.
    status = Path("/proc/self/status").read_text()
    most = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    return {
        "inputs": count,
        "services": services,
        "generated": generated,
        "slowest": slowest,
        "megabytes": most,
    }


def _is_small_document(path: Path) -> bool:
    return (
        path.is_file()
        and path.suffix in (".yaml", ".yml", ".json")
        and 0 < path.stat().st_size <= LARGEST
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("seed")
    parser.add_argument("count", type=int)
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    signal.signal(signal.SIGPROF, _stop)
    with tempfile.TemporaryDirectory() as work:
        print(json.dumps(_work(options.folder, options.seed, options.count, Path(work))))
