"""`eventgen explain`: every finding is explained, every example has its finding."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from eventgen import catalogue, pipeline
from eventgen.brokers import discover
from eventgen.commands import choose
from eventgen.compat import EXPLANATIONS
from eventgen.diagnostics import Diagnostic, explanations
from eventgen.model.config import Config, Database

from tests.support.generate import ROOT, eventgen
from tests.support.reported import reported

EXPLAINED = catalogue.explained()
HEADINGS = ["## What it checks", "## Why", "## Example", "## Instead"]
CONFIG = Config(spec="", broker="", database=Database.SQLITE)
# Their examples are commands: the findings are about a file as a whole, or what is installed.
SHOWN_BY_COMMANDS = {
    "file-missing",
    "file-too-large",
    "file-unreadable",
    "not-a-file",
    "not-utf-8",
    "protobuf-compiler-missing",
    "too-many-values",
}
# Findings about two versions of a specification: tests/compat shows them.
OF_CHANGES = explanations.load(EXPLANATIONS)
_EXAMPLE = re.compile(r"^## Example\n+```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"(?:error|warning)\[([a-z0-9-]+)\] ")
_INSTEAD = re.compile(r"^## Instead\n.*?^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SHORT = "eventgen: 1\nservice: orders\n"
_LONG = "asyncapi: 3.0.0\ninfo: {title: Orders, version: 1.0.0}\n"


def whole(example: str) -> str:
    """A part of a document as a document; a whole one as it is."""
    first = example.partition(":")[0]
    if first in ("publishes", "subscribes", "types"):
        return _SHORT + example
    if first in ("channels", "components", "operations", "servers"):
        return _LONG + example
    return example


def findings(tmp_path: Path, example: str) -> Iterable[Diagnostic]:
    """What is found in an example: in a specification by itself, with every broker, or in an
    eventgen.yaml beside the orders example."""
    text = whole(example.replace("␇", "\x07"))
    spec = tmp_path / "spec.yaml"
    if text.startswith("spec:"):
        (tmp_path / "eventgen.yaml").write_text(text, encoding="utf-8")
        config, found = choose.read_config(tmp_path)
        yield from found
        spec.write_text((ROOT / "specs/good/orders.yaml").read_text("utf-8"), encoding="utf-8")
        if config is not None:
            yield from pipeline.check(spec, config, None, "spec.yaml").findings
        return
    spec.write_text(text, encoding="utf-8")
    for broker in (None, *discover().values()):
        yield from pipeline.check(spec, CONFIG, broker, "spec.yaml").findings


def test_every_finding_that_is_reported_is_explained() -> None:
    generator = ROOT / "generator" / "eventgen"
    readers = [path for path in generator.rglob("*.py") if EXPLANATIONS.parent not in path.parents]
    assert reported(readers) == EXPLAINED.keys() - OF_CHANGES.keys()
    shown = (path.read_text("utf-8") for path in ROOT.glob("golden/errors/*/concise.txt"))
    assert {name for text in shown for name in _NAMED.findall(text)} <= set(EXPLAINED)


@pytest.mark.parametrize("name", EXPLAINED)
def test_an_explanation_says_what_why_and_what_instead(name: str) -> None:
    lines = EXPLAINED[name].splitlines()
    assert lines[0].endswith(".")
    assert not lines[0].startswith("#")
    assert [line for line in lines if line.startswith("#") and line[1] == "#"] == HEADINGS
    assert max(map(len, lines)) <= 110


@pytest.mark.parametrize("name", sorted(EXPLAINED.keys() - OF_CHANGES.keys()))
def test_an_example_is_an_example_of_its_finding(name: str, tmp_path: Path) -> None:
    example = _EXAMPLE.search(EXPLAINED[name])
    if name in SHOWN_BY_COMMANDS:
        assert example is None
        return
    assert example is not None
    assert name in {found.name for found in findings(tmp_path, example[1])}


def test_what_is_written_instead_has_no_such_finding(tmp_path: Path) -> None:
    shown = {name: _INSTEAD.search(text) for name, text in EXPLAINED.items()}
    better = {name: found[1] for name, found in shown.items() if found is not None}
    assert len(better) > 10
    for name, text in better.items():
        assert name not in {found.name for found in findings(tmp_path, text)}, name


def test_a_name_is_explained(tmp_path: Path) -> None:
    shown = eventgen("explain", "unused-channel", cwd=tmp_path)
    assert shown.returncode == 0
    assert shown.stdout.startswith("# unused-channel\n\nA channel that no operation uses.\n\n## ")


def test_without_a_name_all_are_listed(tmp_path: Path) -> None:
    listed = eventgen("explain", cwd=tmp_path)
    assert listed.returncode == 0
    assert [line.split()[0] for line in listed.stdout.splitlines()] == sorted(EXPLAINED)


def test_a_misspelt_name_gets_the_nearest_one(tmp_path: Path) -> None:
    shown = eventgen("explain", "unused-chanel", cwd=tmp_path)
    assert shown.returncode == 2
    assert shown.stdout == ""
    assert "did you mean `unused-channel`?" in shown.stderr
