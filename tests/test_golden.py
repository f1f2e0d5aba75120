"""What each specification generates. What is copied verbatim is listed, not repeated."""

from __future__ import annotations

from pathlib import Path

import pytest
from eventgen.brokers import discover
from eventgen.plan.kinds import Owner
from eventgen.render.templates import templates_root

from tests.golden_plugin import Compare
from tests.support.generate import SPECS, compile_spec

# The example is shown for every broker; what a focused specification shows does not depend on one.
CASES = [("orders", broker) for broker in discover()] + [
    (path.stem, "embedded") for path in sorted(SPECS.glob("*.yaml")) if "orders" not in path.stem
]
# Only a service's own names differ in these: the example shows them.
ONCE = "deploy/"
SAME = ["orders-2.6", "orders-short"]


@pytest.mark.parametrize(("spec", "broker"), CASES, ids=lambda value: value)
def test_golden(spec: str, broker: str, golden: Compare) -> None:
    is_example = spec == "orders"
    made = compile_spec(SPECS / f"{spec}.yaml", broker, example=is_example)
    verbatim = _verbatim_texts()
    shown = {
        file.path: file.text
        for file in made.files
        if file.text not in verbatim and (is_example or not file.path.startswith(ONCE))
    }
    listing = "".join(f"{_mark(file.owner)} {file.path}\n" for file in made.files)
    golden(f"{spec}/{broker}", shown | {"FILES": listing})


def _mark(owner: Owner) -> str:
    return f"{owner.value:<9}"


def _verbatim_texts() -> frozenset[str]:
    files = (path for path in templates_root().rglob("*") if path.suffix in (".json", ".py"))
    return frozenset(path.read_text(encoding="utf-8") for path in files)


@pytest.mark.parametrize("spec", SAME)
@pytest.mark.parametrize("broker", discover())
def test_every_dialect_gives_the_same_service(spec: str, broker: str) -> None:
    """AsyncAPI 3.0, AsyncAPI 2.6 and the short YAML: byte-identical where they say the same."""
    reference = _generated(SPECS / "orders.yaml", broker)
    assert _generated(SPECS / f"{spec}.yaml", broker) == reference
    assert len(reference) > 10


def _generated(spec: Path, broker: str) -> dict[str, str]:
    made = compile_spec(spec, broker)
    return {file.path: file.text for file in made.files if file.path != "eventgen.yaml"}
