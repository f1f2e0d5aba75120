"""What eventgen says about each specification of `specs/bad`: the whole text is golden.

A file is named after the finding it shows; `<name>.<variant>.yaml` shows another side of it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from eventgen.diagnostics import Diagnostic
from eventgen.diagnostics.show import concise, full
from eventgen.model.config import Config, Convention, Database, Naming
from eventgen.pipeline import examine
from eventgen.rules import all_rules
from eventgen.spec.load import load

from tests.golden_plugin import Compare
from tests.support.reported import reported

ROOT = Path(__file__).parents[1]
BAD = ROOT / "specs" / "bad"
SPECS = sorted(BAD.glob("*.yaml"))
CONFIG = Config(spec="", broker="", database=Database.SQLITE)
# What eventgen.yaml says beside the specifications whose findings need it.
CONFIGS = {
    name: replace(CONFIG, naming=Naming(Convention.DOTTED, Convention.DOTTED))
    for name in ("unconventional-channel-name", "unconventional-event-name")
}
# These are about a file as a whole, about eventgen.yaml, or about what is installed: tests/unit
# shows them.
ELSEWHERE = {
    "file-missing",
    "file-too-large",
    "file-unreadable",
    "not-a-file",
    "not-utf-8",
    "protobuf-compiler-missing",
    "too-many-values",
    "unknown-channel",
    "unknown-event",
}


def findings(path: Path) -> tuple[Diagnostic, ...]:
    display = f"specs/bad/{path.name}"
    config = CONFIGS.get(path.stem, CONFIG)
    return examine(load(path, config, display, root=BAD), config, None, display).findings


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_bad_spec_says_why(path: Path, golden: Compare) -> None:
    found = findings(path)
    name = path.name.split(".")[0]
    assert name in {one.name for one in found}
    texts = {"full.txt": full.show(found) + "\n", "concise.txt": concise.show(found) + "\n"}
    golden(f"errors/{path.stem}", texts)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_finding_is_one_sentence_about_the_users_own_words(path: Path) -> None:
    for one in findings(path):
        assert not one.message.endswith("."), one.message
        assert "\n" not in one.message
        assert one.message[0] == "`" or one.message[0].islower() or one.message[0].isdigit()


def test_every_finding_has_a_bad_spec() -> None:
    generator = ROOT / "generator" / "eventgen"
    sources = [
        path for part in ("spec", "rules") for path in generator.joinpath(part).rglob("*.py")
    ]
    sources.append(generator / "verdict.py")
    shown = {path.name.split(".")[0] for path in SPECS}
    assert reported(sources) - shown == ELSEWHERE
    assert shown <= reported(sources)


def test_every_rule_has_a_bad_spec() -> None:
    for rule in all_rules():
        assert (BAD / f"{rule.name}.yaml").is_file()


def test_goldens_of_specs_that_are_gone_are_gone() -> None:
    kept = {path.name for path in (ROOT / "golden" / "errors").iterdir()}
    assert kept == {path.stem for path in SPECS}
