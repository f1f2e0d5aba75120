"""Schemas that are hard on a generator, with values that they accept and that they reject.

What counts is the wire: bytes through the codec of a generated service.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support import payloads
from tests.support.payloads import Event, same
from tests.torture.cases import THEMES
from tests.torture.cases._case import Case
from tests.torture.oracle import oracle

CASES = {
    f"case{number:03}": one for number, one in enumerate(one for t in THEMES.values() for one in t)
}
# The same instant or identifier, as Python writes it.
SPELLED = {
    "23:59:59.5+01:00": "23:59:59.500000+01:00",
    "2024-01-01T00:00:00.5Z": "2024-01-01T00:00:00.500000Z",
    "ABCDEFAB-1234-1234-1234-123456789ABC": "abcdefab-1234-1234-1234-123456789abc",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a table says of one value."""

    name: str
    case: Case
    value: Any
    valid: bool

    @property
    def body(self) -> bytes:
        return json.dumps(self.value).encode()

    def __str__(self) -> str:
        said = "accepts" if self.valid else "rejects"
        return f"{self.case.title}: the schema {said} {str(self.value)[:200]}"


VERDICTS = tuple(
    Verdict(name, case, value, valid)
    for name, case in CASES.items()
    for values, valid in ((case.accepted, True), (case.rejected, False))
    for value in values
)


@cache
def _events(root: Path) -> dict[str, Event]:
    return payloads.service(root, {name: (one.schema, one.language) for name, one in CASES.items()})


@pytest.fixture
def events(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Event]:
    """The events of one service, which is made once."""
    return _events(tmp_path_factory.getbasetemp())


def test_there_are_enough_schemas_each_with_a_title_of_its_own() -> None:
    titles = [(theme, one.title) for theme, cases in THEMES.items() for one in cases]
    assert len(titles) == len({*titles}) > 400
    assert len(VERDICTS) > 2000


def test_another_implementation_says_the_same_of_every_value() -> None:
    oracles = {name: oracle(case.schema, case.language) for name, case in CASES.items()}
    unlike = [str(one) for one in VERDICTS if oracles[one.name].is_valid(one.value) != one.valid]
    assert not unlike, "\n".join(unlike)


def test_a_service_takes_what_a_schema_accepts_and_nothing_else(events: dict[str, Event]) -> None:
    wrong = [str(one) for one in VERDICTS if events[one.name].accepts(one.body) != one.valid]
    assert not wrong, "\n".join(wrong)


def test_what_a_service_takes_it_sends_on_without_loss(events: dict[str, Event]) -> None:
    lost = []
    for one in VERDICTS:
        if one.valid:
            sent = events[one.name].sent_on(one.body)
            if not same(sent, _as_sent(one.case, one.value)):
                lost.append(f"{one}, and sent is {sent}")
    assert not lost, "\n".join(lost)


def _as_sent(case: Case, value: Any) -> Any:
    if case.filled is not None:
        return {**case.filled, **value}
    return _spelled(value)


def _spelled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _spelled(inner) for key, inner in value.items()}
    return SPELLED.get(value, value) if isinstance(value, str) else value


def test_another_implementation_accepts_what_a_service_sends(events: dict[str, Event]) -> None:
    refused = [
        str(one)
        for one in VERDICTS
        if one.valid
        and not oracle(one.case.schema, one.case.language).is_valid(
            events[one.name].sent_on(one.body)
        )
    ]
    assert not refused, "\n".join(refused)


def test_models_alone_take_more_and_the_check_beside_them_catches_it(
    events: dict[str, Event], record_property: Any
) -> None:
    alone = [
        one for one in VERDICTS if events[one.name].by_model_alone().accepts(one.body) != one.valid
    ]
    caught = {one.name for one in alone}
    record_property("verdicts that only the check gets right", len(alone))
    record_property("schemas that need it", len(caught))
    assert not [str(one) for one in alone if one.valid], "a model refuses what its schema accepts"
    assert all(events[name].is_checked for name in caught)
    assert len(alone) > 200, "without the check hardly anything is wrong: is it held against bytes?"
    assert len(caught) > 100
    needless = {name for name, event in events.items() if event.is_checked} - caught
    assert len(needless) < len(events) / 3, "hot paths are checked that their models say all of"
