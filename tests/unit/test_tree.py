"""Files and YAML: what is read, where everything stands, and what cannot be read."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from eventgen.diagnostics import Diagnostic, Severity, Source
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
        ("! 1", 1),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        (".nan", ".nan"),
        ("0o8", "0o8"),
        ("|\n  a\n  b\n", "a\nb\n"),
        (">-\n  a\n  b\n", "a b"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(written: str, value: Any) -> None:
    found = plain(tree(f"key: {written}\n"))["key"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("written", "tag", "value"),
    [
        ("!Ref name", "!Ref", "name"),
        ("!!binary aGk=", "!!binary", "aGk="),
        ("!!timestamp 2026-01-01", "!!timestamp", "2026-01-01"),
        ("!!set {x, y}", "!!set", {"x": None, "y": None}),
        ("!!python/object/apply:os.system [exit 1]", "!!python/object/apply:os.system", ["exit 1"]),
        ("!<tag:example.com,2000:x> 1", "!<tag:example.com,2000:x>", "1"),
    ],
)
def test_a_tag_makes_nothing_and_is_told_of(written: str, tag: str, value: Any) -> None:
    root, findings = parse(Source("spec.yaml", f"key: {written}"))
    assert plain(root) == {"key": value}
    (found,) = findings
    assert found.name == "unknown-tag"
    assert f"the tag `{tag}` counts for nothing" in found.message
    assert found.severity is Severity.WARNING


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


def test_many_escapes_in_one_line_take_no_time() -> None:
    text = "{" + ", ".join(f'"k{number}": "\\ud83d\\ude00"' for number in range(20_000)) + "}"
    begun = time.process_time()
    root = tree(text)
    assert time.process_time() - begun < 5
    assert root.place("k19999").column == text.index('"k19999"') + 1


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
    begun = time.process_time()
    for opening in ("[" * 100_000, "{a: " * 100_000, "- " * 100_000):
        assert first(opening).name == "nesting-too-deep"
    assert time.process_time() - begun < 5


def test_aliases_cannot_multiply() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for name, previous in zip("bcdefgh", "abcdefg", strict=True):
        lines.append(f"{name}: &{name} [{', '.join([f'*{previous}'] * 9)}]")
    assert first("\n".join(lines)).name == "too-many-aliases"


def test_aliases_cannot_nest_deeper_than_brackets() -> None:
    deep = ["[" * 40, "]" * 40]
    lines = [f"a: &a {deep[0]}x{deep[1]}"]
    lines += [f"{new}: &{new} {deep[0]}*{old}{deep[1]}" for new, old in ("ba", "cb", "dc")]
    assert plain(tree("\n".join(lines[:2])))["b"] != []
    found = first("\n".join(lines))
    assert (found.name, place(found)) == ("nesting-too-deep", (3, 47))


def test_a_document_has_a_limit_of_values() -> None:
    found = first("a: [" + "x," * 250_000 + "]")
    assert found.name == "too-many-values"


def test_a_billion_laughs_are_refused_in_little_time_and_memory(tmp_path: Path) -> None:
    text = "a: &a [" + "x, " * 9 + "]\n"
    for new, old in zip("bcdefghij", "abcdefghi", strict=True):
        text += f"{new}: &{new} [" + f"*{old}, " * 9 + "]\n"
    (tmp_path / "laughs.yaml").write_text(text)
    code = (
        "import resource, sys, time\n"
        "resource.setrlimit(resource.RLIMIT_AS, (500 * 2**20, 500 * 2**20))\n"
        "from pathlib import Path\n"
        "from eventgen import pipeline\n"
        "from eventgen.model.config import Config, Database\n"
        "config = Config(spec='', broker='', database=Database.SQLITE)\n"
        "begun = time.process_time()\n"
        "checked = pipeline.check(Path(sys.argv[1]), config, None, 'laughs.yaml')\n"
        "took = time.process_time() - begun\n"
        # Not ru_maxrss: that counts the memory of the process this one was started from, too.
        "status = Path('/proc/self/status').read_text()\n"
        "most = int(status.partition('VmHWM:')[2].split()[0])\n"
        "print(checked.findings[0].name, took < 1, most < 200 * 1024)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "laughs.yaml")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.stdout == "too-many-aliases True True\n", ran.stderr


@pytest.mark.parametrize(
    ("text", "name", "where"),
    [
        ("%YAML 1.3\n---\na: 1", "yaml-syntax", (1, 1)),
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
    (tmp_path / "utf16.yaml").write_bytes("a: 1\n".encode("utf-16"))
    (tmp_path / "utf32.yaml").write_bytes("a: 1\n".encode("utf-32"))
    (tmp_path / "empty.yaml").write_bytes(b" \n\n")
    (tmp_path / "large.yaml").write_bytes(b"#" * (source.LARGEST + 1))
    cases = {
        "missing.yaml": "file-missing",
        ".": "not-a-file",
        "latin.yaml": "not-utf-8",
        "utf16.yaml": "not-utf-8",
        "utf32.yaml": "not-utf-8",
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
