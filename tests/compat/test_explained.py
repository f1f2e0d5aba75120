"""Every finding of a comparison is explained, and what is said of its example is golden."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from eventgen.compat import EXPLANATIONS
from eventgen.compat.payload import judge
from eventgen.compat.walk import Spot
from eventgen.compat.words import About, explain
from eventgen.diagnostics import Source, Span, explanations
from eventgen.diagnostics.show import full

from tests.compat.cases import CASES
from tests.compat.test_rules import sides
from tests.golden_plugin import Compare
from tests.support.compared import compared
from tests.support.generate import ROOT
from tests.support.reported import reported

EXPLAINED = explanations.load(EXPLANATIONS)
_EXAMPLE = re.compile(
    r"^## Example\n+```yaml\n(.*?)^```\n+became\n+```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL
)


@pytest.mark.parametrize("name", sorted(EXPLAINED))
def test_an_example_shows_its_finding(name: str, tmp_path: Path, golden: Compare) -> None:
    example = _EXAMPLE.search(EXPLAINED[name])
    assert example is not None
    found = compared(tmp_path, example[1], example[2])
    assert name in {one.name for one in found}
    golden(f"changes/{name}", {"full.txt": full.show(found) + "\n"})


def test_goldens_of_findings_that_are_gone_are_gone() -> None:
    assert {path.name for path in (ROOT / "golden" / "changes").iterdir()} == set(EXPLAINED)


def test_every_finding_is_explained() -> None:
    place = Span(Source("a.yaml", ""), 1, 1, 1, 2)

    def somewhere(_spot: Spot) -> Span:
        return place

    about = About("`a`", "a", "1.0.0", somewhere, somewhere)
    said = {
        explain(one.difference, one.breaks, about).name
        for case in CASES
        for one in judge(*sides(case))
        if one.difference is not None
    }
    assert len(said) >= 8
    assert said | reported(EXPLANATIONS.parent.rglob("*.py")) == set(EXPLAINED)
