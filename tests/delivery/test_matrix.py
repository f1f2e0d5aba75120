"""The table of the fault matrix is current, and claims nothing that no test shows."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from tests.delivery.matrix import table
from tests.delivery.rows import ROWS

HERE = Path(__file__).parent
TABLE = HERE / "MATRIX.md"


def matrix_tests() -> list[tuple[str, Callable[..., object]]]:
    """Every test that runs or controls rows, with its file."""
    found = []
    for file in sorted(HERE.glob("test_*.py")):
        module = import_module(f"tests.delivery.{file.stem}")
        tests = [value for name, value in vars(module).items() if name.startswith("test_")]
        found += [
            (file.name, test)
            for test in tests
            if hasattr(test, "runs") or hasattr(test, "controls")
        ]
    return found


def numbers(role: str) -> set[int]:
    return {number for _, test in matrix_tests() for number in getattr(test, role, ())}


def test_every_row_says_what_runs_or_why_not() -> None:
    assert [row.number for row in ROWS] == list(range(1, 38))
    for row in ROWS:
        assert row.why_not or len(row.stacks) == 3, row
        assert bool(row.stacks) == bool(row.control), row


def test_every_row_that_claims_to_run_has_a_test_and_no_other_has() -> None:
    assert numbers("runs") == {row.number for row in ROWS if row.stacks}


def test_every_row_that_claims_a_control_of_its_own_has_one() -> None:
    own = {
        row.number for row in ROWS if row.control and not row.control.startswith(("see", "none"))
    }
    assert own == numbers("controls")


def test_the_table_is_current(request: pytest.FixtureRequest) -> None:
    text = table(ROWS, matrix_tests())
    if request.config.getoption("--update-golden"):
        TABLE.write_text(text, encoding="utf-8", newline="\n")
    assert TABLE.read_text(encoding="utf-8") == text, "pytest --update-golden, then read the diff"
