"""Whom a change of a JSON Schema breaks: every rule, and an example for every break."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from eventgen.compat.change import Party
from eventgen.compat.payload import Judged, Side, judge

from tests.compat.cases import CASES, Case


def sides(case: Case) -> tuple[Side, Side]:
    pairs = zip((case.old, case.new), case.definitions, strict=True)
    old, new = (Side("Event", {"Event": schema, **others}) for schema, others in pairs)
    return old, new


def judged(case: Case) -> tuple[Judged, ...]:
    return judge(*sides(case))


def allows(side: Side, value: Any) -> bool:
    validator = jsonschema.Draft202012Validator(
        side.whole.document, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    return bool(validator.is_valid(value))


def test_there_is_a_case_for_every_rule() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 150


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_change_breaks_whom_it_must(case: Case) -> None:
    found = judged(case)
    broken = {party for one in found for party in one.breaks}
    expected = {Party.PRODUCERS: case.producers, Party.CONSUMERS: case.consumers}
    assert broken == {party for party, goes_on in expected.items() if not goes_on}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_break_is_shown_by_a_value_that_one_side_allows_and_the_other_refuses(
    case: Case,
) -> None:
    old, new = sides(case)
    for one in judged(case):
        for party, found in one.breaks.items():
            writer, reader = (old, new) if party is Party.PRODUCERS else (new, old)
            assert found.proven
            (example,) = found.examples
            assert allows(writer, example)
            assert not allows(reader, example)
