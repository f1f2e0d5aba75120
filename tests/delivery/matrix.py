"""The fault matrix: what its rows are, which test runs which of them, and the table of it all.

A test says by `@runs(row)` which rows it runs, a negative control by `@controls(row)`; both are
parametrized with the stacks. `MATRIX.md` is made from the same values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

import pytest

T = TypeVar("T", bound=Callable[..., object])


class Stack(Enum):
    """A broker and a database a service runs on."""

    KAFKA = "Kafka + PostgreSQL"
    RABBITMQ = "RabbitMQ + PostgreSQL"
    REDIS = "Redis + PostgreSQL"
    NATS = "NATS + PostgreSQL"
    SQS = "SNS/SQS + PostgreSQL"
    SQLITE = "embedded + SQLite"
    POSTGRES = "embedded + PostgreSQL"


@dataclass(frozen=True, slots=True)
class Row:
    """A fault, on which stacks it is run, and why not on the others.

    `counted` comes on top of what is counted in every row; `control` is what the negative control
    switches off. A row that runs nowhere has neither.
    """

    number: int
    fault: str
    stacks: tuple[Stack, ...] = ()
    counted: str = ""
    control: str = ""
    why_not: str = ""

    def cell(self, stack: Stack) -> str:
        """What the table says about this row on a stack."""
        return "runs" if stack in self.stacks else self.why_not


def _marked(role: str, rows: Sequence[Row], stacks: Sequence[Stack]) -> Callable[[T], T]:
    parametrize = pytest.mark.parametrize("stack", stacks, ids=lambda stack: stack.name.lower())

    def mark(test: T) -> T:
        setattr(test, role, tuple(row.number for row in rows))
        test.stacks = tuple(stack.name.lower() for stack in stacks)  # type: ignore[attr-defined]
        return parametrize(test)  # type: ignore[no-any-return]

    return mark


def runs(*rows: Row, on: Sequence[Stack] = tuple(Stack)) -> Callable[[T], T]:
    """This test runs these rows, on every stack they run on, or on those of them."""
    return _marked("runs", rows, [s for s in on if all(s in row.stacks for row in rows)])


def controls(*rows: Row, on: Sequence[Stack] = (Stack.KAFKA,)) -> Callable[[T], T]:
    """This test switches the mechanism of these rows off and expects to see what it prevents.

    `on` more than one stack where the mechanism is another one there.
    """
    return _marked("controls", rows, on)


_HEAD = """\
# The fault matrix

Made from `rows.py` by `pytest tests/delivery/test_matrix.py --update-golden`; the tests are
parametrized with the same rows.

In every row that runs, events are published with numbers that follow the order of commits, their
handlers write one row each, and then the database is asked: lost = 0, double effects = 0, effects
without a committed cause = 0, inversions per key = 0, and nothing is left in the outbox, parked or
unacknowledged. "kill -9" is a SIGKILL of a process of its own. In a negative control a mechanism of
the generated runtime is switched off, and the counts must show it.
"""


def table(rows: Sequence[Row], tests: Sequence[tuple[str, Callable[..., object]]]) -> str:
    """MATRIX.md. `tests` are files and test functions."""
    columns = ["#", "Fault", "Counted besides", *(s.value for s in Stack), "Negative control"]
    running = [row for row in rows if row.stacks]
    cells = [
        [str(r.number), r.fault, r.counted, *(r.cell(stack) for stack in Stack), r.control]
        for r in running
    ]
    others = [[str(row.number), row.fault, row.why_not] for row in rows if not row.stacks]
    lines = [
        _HEAD,
        *_table(columns, cells),
        "",
        "## Which test runs what",
        "",
        *(line for row in running for line in _tests_of(row, tests)),
        "",
        "## Rows that do not run here, on any stack",
        "",
        *_table(["#", "Fault", "Why not"], others),
    ]
    return "\n".join(lines) + "\n"


def _tests_of(row: Row, tests: Sequence[tuple[str, Callable[..., object]]]) -> list[str]:
    words = {"runs": "", "controls": "control: "}
    return [
        f"- {row.number}, {word}{_sentence(test)} (`{file}`: {', '.join(test.stacks)})"  # type: ignore[attr-defined]
        for role, word in words.items()
        for file, test in tests
        if row.number in getattr(test, role, ())
    ]


def _sentence(test: Callable[..., object]) -> str:
    return test.__name__.removeprefix("test_").replace("_", " ")


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [columns, ["---"] * len(columns), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]
