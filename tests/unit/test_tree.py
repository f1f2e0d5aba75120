"""Files and YAML: what is read, where everything stands, and what cannot be read."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from eventgen.diagnostics import Diagnostic, Source
from eventgen.spec import source
from eventgen.spec.tree import Node, parse, plain


def tree(text: str) -> Node:
    root, findings = parse(Source("spec.yaml", text))
    assert findings == ()
    assert root is not None
    return root


def first(text: str) -> Diagnostic:
    root, findings = parse(Source("spec.yaml", text))
    assert findings, plain(root)
    return findings[0]


def place(found: Diagnostic) -> tuple[int, int]:
    assert found.primary is not None
    return found.primary.span.line, found.primary.span.column


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("on", "on"),
        ("no", "no"),
        ("2026-01-01", "2026-01-01"),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("017", 17),
        ("0o17", 15),
        ("0x1F", 31),
        ("-3", -3),
        ("1.0", 1.0),
        (".5", 0.5),
        ("1.3E12", 1.3e12),
        (".inf", ".inf"),
        ("1e999", "1e999"),
        ("9" * 5000, "9" * 5000),
        ("'1'", "1"),
        ('"true"', "true"),
        ("!!str 1", "1"),
        ('!!int "3"', 3),
        ("!Ref name", "name"),
        ("|\n  a\n  b\n", "a\nb\n"),
        (">-\n  a\n  b\n", "a b"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(written: str, value: Any) -> None:
    found = plain(tree(f"key: {written}\n"))["key"]
    assert found == value
    assert type(found) is type(value)


def test_keys_are_text_however_they_look() -> None:
    assert plain(tree("404: a\ntrue: b\nnull: c\n1.0: d")) == {
        "404": "a",
        "true": "b",
        "null": "c",
        "1.0": "d",
    }


def test_keys_and_values_know_their_place() -> None:
    root = tree("größe: {日本: 1, b: [x, 'yy']}\n")
    inner = root.value["größe"]
    span = inner.place("b")
    assert (span.line, span.column, span.end_column) == (1, 16, 17)
    item = inner.value["b"].value[1].span
    assert (item.column, item.end_column) == (23, 27)


def test_json_is_yaml() -> None:
    text = '{\n\t"a": "\\u00e9\\ud83c\\udf89\\/",\t"b": [1.5, null],\n "c\\\\ud83d": {}}'
    assert plain(tree(text)) == {"a": "é🎉/", "b": [1.5, None], "c\\ud83d": {}}


def test_places_are_right_behind_escapes_that_yaml_has_not() -> None:
    root = tree('{"a": "\\ud83c\\udf89\\ud83c\\udf89", "b": 1}')
    assert root.place("b").column == 35
    assert root.value["a"].span.end_column == 33


def test_backslashes_in_yaml_are_left_alone() -> None:
    assert plain(tree("a: '\\ud83c\\udf89'")) == {"a": "\\ud83c\\udf89"}


def test_windows_line_ends_and_a_byte_order_mark_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: [x,\r\n  y]\r\n")
    loaded = source.load(path, "spec.yaml")
    assert isinstance(loaded, Source)
    root, _ = parse(loaded)
    assert plain(root) == {"a": 1, "b": ["x", "y"]}
    assert loaded.line(2) == "b: [x,"


def test_aliases_share_and_merge_keys_merge() -> None:
    root = tree("base: &b {x: 1, y: 2}\nother: {<<: *b, y: 3}\nlist: {<<: [*b, {z: 4}]}\nsame: *b")
    assert plain(root) == {
        "base": {"x": 1, "y": 2},
        "other": {"x": 1, "y": 3},
        "list": {"x": 1, "y": 2, "z": 4},
        "same": {"x": 1, "y": 2},
    }
    assert root.value["same"] is root.value["base"]
    assert root.value["other"].place("x").line == 1


def test_a_quoted_merge_key_is_a_key() -> None:
    assert plain(tree("'<<': 1")) == {"<<": 1}


def test_a_bottomless_document_is_refused_at_once() -> None:
    begun = time.perf_counter()
    for opening in ("[" * 100_000, "{a: " * 100_000, "- " * 100_000):
        assert first(opening).name == "nesting-too-deep"
    assert time.perf_counter() - begun < 5


def test_aliases_cannot_multiply() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for name, previous in zip("bcdefgh", "abcdefg", strict=True):
        lines.append(f"{name}: &{name} [{', '.join([f'*{previous}'] * 9)}]")
    assert first("\n".join(lines)).name == "too-many-aliases"


@pytest.mark.parametrize(
    ("text", "name", "where"),
    [
        ("a: 1\nb: 2\na: 3", "duplicate-key", (3, 1)),
        ("a: &x [*x]", "alias-without-value", (1, 8)),
        ("a:\n\t- b", "tab-indentation", (2, 1)),
        ("a: 1\n---\nb: 2", "several-documents", (2, 1)),
        ("a: [b", "yaml-syntax", (1, 5)),
        ("a: b: c", "yaml-syntax", (1, 5)),
        ("a: @b", "yaml-syntax", (1, 4)),
        ('a: "\\ud83c"', "yaml-syntax", (1, 7)),
        ("a: b\x01", "control-character", (1, 5)),
        ("{a: 1}: b", "key-is-not-text", (1, 1)),
    ],
)
def test_what_is_not_yaml_is_told_with_its_place(
    text: str, name: str, where: tuple[int, int]
) -> None:
    found = first(text)
    assert (found.name, place(found)) == (name, where)


def test_a_file_that_cannot_be_read_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"a: 1\nb: caf\xe9\n")
    (tmp_path / "empty.yaml").write_bytes(b" \n\n")
    (tmp_path / "large.yaml").write_bytes(b"#" * (source.LARGEST + 1))
    cases = {
        "missing.yaml": "file-missing",
        ".": "not-a-file",
        "latin.yaml": "not-utf-8",
        "empty.yaml": "file-empty",
        "large.yaml": "file-too-large",
        "a\0b": "file-unreadable",
        "x" * 5000: "file-unreadable",
    }
    for name, expected in cases.items():
        found = source.load(tmp_path / name, name)
        assert isinstance(found, Diagnostic)
        assert found.name == expected
    latin = source.load(tmp_path / "latin.yaml", "latin.yaml")
    assert isinstance(latin, Diagnostic)
    assert "line 2 holds the byte 0xe9" in latin.message


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="the administrator reads everything"
)
def test_a_file_without_permission_is_a_finding(tmp_path: Path) -> None:
    path = tmp_path / "secret.yaml"
    path.write_text("a: 1", encoding="utf-8")
    path.chmod(0)
    found = source.load(path, "secret.yaml")
    assert isinstance(found, Diagnostic)
    assert found.name == "file-unreadable"
