"""Schemas that are hard on a generator, with values that they accept and that they reject.

What counts is the wire: bytes through the codec of a generated service.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.support import payloads
from tests.support.payloads import Event
from tests.torture.cases import THEMES
from tests.torture.cases._case import Case

CASES = {
    f"case{number:03}": one for number, one in enumerate(one for t in THEMES.values() for one in t)
}


@cache
def _events(root: Path) -> dict[str, Event]:
    return payloads.service(root, {name: (one.schema, one.language) for name, one in CASES.items()})


@pytest.fixture
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.getbasetemp()  # one for all tests, so that each service is made once


def _verdicts() -> Iterator[tuple[str, Case, Any, bool]]:
    for name, case in CASES.items():
        yield from ((name, case, value, True) for value in case.accepted)
        yield from ((name, case, value, False) for value in case.rejected)


def test_there_are_enough_schemas_each_with_a_name_of_its_own() -> None:
    titles = [(theme, one.title) for theme, cases in THEMES.items() for one in cases]
    assert len(titles) == len({*titles}) > 250
    assert all(one.accepted or one.rejected for cases in THEMES.values() for one in cases)


def test_a_service_takes_what_a_schema_accepts_and_nothing_else(root: Path) -> None:
    events = _events(root)
    wrong = []
    for name, case, value, valid in _verdicts():
        try:
            ok = events[name].accepts(json.dumps(value).encode())
        except Exception as e:
            ok = repr(e)[:200]
        if ok != valid:
            wrong.append((case.title, value, valid, ok, events[name].is_checked))
    for w in wrong:
        print("WRONG", *[str(x)[:150] for x in w], sep=" | ")
    assert not wrong


def _filled(case: Case, value: Any) -> Any:
    return {**case.filled, **value} if case.filled else value


def test_what_a_service_takes_it_sends_on_without_loss(root: Path) -> None:
    events = _events(root)
    lost = []
    for name, case, value, valid in _verdicts():
        if valid:
            try:
                sent = events[name].sent_on(json.dumps(value).encode())
            except Exception as e:
                sent = repr(e)[:200]
            if sent != _filled(case, value):
                lost.append((case.title, value, sent))
    for w in lost:
        print("LOST", *[str(x)[:200] for x in w], sep=" | ")
    assert not lost
