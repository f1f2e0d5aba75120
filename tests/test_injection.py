"""What an author writes stays words: it changes no generated file's shape, whatever it holds."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

import pytest
import yaml
from eventgen import pipeline
from eventgen.brokers import discover
from eventgen.model.config import Config, Database
from eventgen.plan.kinds import RenderedFile

HARMLESS = "harmless (words)"
HOSTILE = (
    'a"""b', "a'''b", 'ends with "', "ends with \\", 'ends with \\"', "ends with '", "\\N{DASH}",
    "{{ 7 * 7 }}{% raw %}{# z #}", "{%- endraw -%}", "a\nimport os\nb", 'a"""\nimport os  # \\',
    "a\rb\tc\x00d\x0be\x85f\u2028g\x7f", "\u202eevil\u2066 \u200b\ufeff", "${HOME} `id` $(id) %s",
    "# comment", "*/ // --> <!-- ]]>", "a: &b [*c, !!d {e: f}] | >", "- a\n- b\n---\n...",
    "a = 1\n[b]", "```\n# a\n|b|", "'); raise SystemExit('", "__import__('os').system('id')",
    "class", "日本 🎉", "{0!r:>{width}} \\x \\u12",
)  # fmt: skip
EVERYTHING = " ".join(HOSTILE)


def document(text: str) -> dict[str, Any]:
    """A specification with this text wherever an author can write."""
    # Where a character means something it is refused, not quoted: `#` and `?` in a channel's key,
    # braces in its address.
    key = re.sub(r"[#?]", "", text)
    in_address = re.sub(r"[{}]", "", key)
    parameter = "parameter " + "".join(in_address.splitlines())
    described = {"title": text, "description": text}

    def channel(name: str) -> dict[str, Any]:
        return {
            "address": f"{name}.{in_address}.{{{parameter}}}",
            **described,
            "summary": text,
            "parameters": {parameter: {"description": text, "enum": [text, "b"], "default": text}},
            "messages": {f"{name} {text}": {"$ref": pointer("components", "messages", name)}},
            "tags": [{"name": text, "description": text}],
            "externalDocs": {"url": "https://example.com", "description": text},
        }

    def pointer(*parts: str) -> str:
        escaped = (part.replace("~", "~0").replace("/", "~1") for part in parts)
        return "#/" + "/".join(quote(part, safe="~") for part in escaped)

    return {
        "asyncapi": "3.0.0",
        "info": {**described, "version": text, "license": {"name": text}, "x-words": text},
        "servers": {f"server {text}": {"host": text, "protocol": text, "description": text}},
        "channels": {f"{name} {key}": channel(name) for name in ("first", "second")},
        "operations": {
            f"{action} {name} {text}": {
                "action": action,
                "channel": {"$ref": pointer("channels", f"{name} {key}")},
                **described,
                "x-eventgen": {},
            }
            for action, name in (("send", "first"), ("receive", "second"))
        },
        "components": {
            "messages": {
                name: {
                    "name": f"{name} {text}",
                    **described,
                    "summary": text,
                    "contentType": "application/json",
                    "x-eventgen": {"key": [f"a {text}"]},
                    "headers": {"type": "object", "properties": {f"h {text}": {"const": text}}},
                    "payload": {"$ref": pointer("components", "schemas", f"{name} {text}")},
                    "examples": [{"name": text, "summary": text, "payload": example(text)}],
                }
                for name in ("first", "second")
            },
            "schemas": {f"{name} {text}": schema(text) for name in ("first", "second")},
        },
    }


def schema(text: str) -> dict[str, Any]:
    described = {"title": text, "description": text, "$comment": text, "examples": [text]}
    string = {"type": "string", **described}
    return {
        "type": "object",
        "$id": "https://example.com/" + quote(text),
        **described,
        "required": [f"a {text}"],
        "properties": {
            f"a {text}": {**string, "default": text},
            f"b {text}": {**string, "enum": [f"a {text}", f"b {text}"], "default": f"a {text}"},
            f"c {text}": {"const": text},
            f"d {text}": {**string, "format": text},
            f"e {text}": {"type": "object", "properties": {f"f {text}": string}},
        },
    }


def example(text: str) -> dict[str, Any]:
    return {f"a {text}": text, f"b {text}": f"a {text}", f"c {text}": text}


@cache
def generated(folder: Path, text: str, broker: str, database: Database) -> tuple[RenderedFile, ...]:
    spec = folder / "asyncapi.json"
    spec.write_text(json.dumps(document(text)), encoding="utf-8")
    config = Config(spec=spec.name, broker=broker, database=database, service="orders")
    # What a broker does not allow in an address is refused before; here it has to be harmless, too.
    checked = pipeline.check(spec, config, None, spec.name)
    assert checked.service is not None, checked.findings
    made = pipeline.compile(checked, config, discover()[broker], example=False, cache=None)
    assert made.files
    return made.files


class Blank(ast.NodeTransformer):
    """Leaves of a module what it does: names and texts go."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for field, value in ast.iter_fields(node):
            if isinstance(value, str | bytes):
                setattr(node, field, "")
        return super().generic_visit(node)


def python(text: str) -> object:
    return ast.dump(Blank().visit(ast.parse(text)))


def blank(value: Any) -> object:
    """Parsed data without its texts."""
    if isinstance(value, dict):
        return [[blank(key), blank(inner)] for key, inner in value.items()]
    if isinstance(value, list):
        return [blank(item) for item in value]
    return "" if isinstance(value, str) else value


def markdown(text: str) -> object:
    """What begins each line that begins something."""
    marks = ("#", "```", "|", "-", "*", ">", "<", "    ")
    return [mark for line in text.splitlines() for mark in marks if line.startswith(mark)]


SHAPES: dict[str, Callable[[str], object]] = {
    ".py": python,
    ".yaml": lambda text: blank(list(yaml.safe_load_all(text))),
    ".toml": lambda text: blank(tomllib.loads(text)),
    ".json": lambda text: blank(json.loads(text)),
    ".md": markdown,
}


def shapes(files: tuple[RenderedFile, ...]) -> list[tuple[str, object]]:
    """Each file's folder and shape, in the order of their paths."""
    return [
        (path.parent.as_posix(), SHAPES[path.suffix](file.text))
        for file in sorted(files, key=lambda one: one.path)
        for path in (PurePosixPath(file.path),)
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("injection")


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_code(text: str, folder: Path) -> None:
    assert_the_same_shape(folder, text, "embedded", Database.SQLITE)


@pytest.mark.parametrize("database", Database)
@pytest.mark.parametrize("broker", discover())
def test_no_text_becomes_code_for_any_broker_and_database(
    broker: str, database: Database, folder: Path
) -> None:
    assert_the_same_shape(folder, EVERYTHING, broker, database)


def assert_the_same_shape(folder: Path, text: str, broker: str, database: Database) -> None:
    harmless = generated(folder, HARMLESS, broker, database)
    hostile = generated(folder, text, broker, database)
    assert len(harmless) == len(hostile)
    for expected, found in zip(shapes(harmless), shapes(hostile), strict=True):
        assert found == expected, found[0]


def test_a_shape_tells_code_from_words() -> None:
    assert python("a = 'x'\nb(c=a)") == python("d = '''y\nz'''\ne(f=d)")
    assert python("a = 'x'\nimport os") != python("a = 'x import os'")
    assert python("a = 'x'") != python("a = f'{x}'")
    assert blank({"a": ["b", 1]}) == blank({"c": ["d", 1]}) != blank({"c": {"d": 1}})
    assert markdown("# a\nb") != markdown("# a\n# b")
