"""The table of the fault matrix is current, and claims nothing that no test shows."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from tests.delivery.matrix import Stack, table
from tests.delivery.rows import ROWS

HERE = Path(__file__).parent
TABLE = HERE / "MATRIX.md"


def matrix_tests() -> list[tuple[str, Callable[..., object]]]:
    """Every test that runs or controls rows, with its file."""
    modules = [import_module(f"tests.delivery.{file.stem}") for file in HERE.glob("test_*.py")]
    return sorted(
        (
            (f"{module.__name__.rpartition('.')[2]}.py", test)
            for module in modules
            for name, test in vars(module).items()
            if name.startswith("test_") and (hasattr(test, "runs") or hasattr(test, "controls"))
        ),
        key=lambda found: (found[0], found[1].__code__.co_firstlineno),
    )


def numbers(role: str) -> set[int]:
    return {number for _, test in matrix_tests() for number in getattr(test, role, ())}


def test_every_row_says_what_runs_or_why_not() -> None:
    assert [row.number for row in ROWS] == list(range(1, 38))
    for row in ROWS:
        assert row.why_not or len(row.stacks) == len(Stack), row
        assert bool(row.stacks) == bool(row.control), row


def test_every_row_that_claims_to_run_has_a_test_and_no_other_has() -> None:
    assert numbers("runs") == {row.number for row in ROWS if row.stacks}


def test_every_row_that_claims_a_control_of_its_own_has_one() -> None:
    borrowed = ("see", "none")
    own = [row for row in ROWS if row.control and not row.control.startswith(borrowed)]
    assert {row.number for row in own} == numbers("controls")


def test_the_table_is_current(request: pytest.FixtureRequest) -> None:
    text = table(ROWS, matrix_tests())
    if request.config.getoption("--update-golden"):
        TABLE.write_text(text, encoding="utf-8", newline="\n")
    assert TABLE.read_text(encoding="utf-8") == text, "pytest --update-golden, then read the diff"
