"""Several versions of one event: each its own model, one handler for the newest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import BaseModel
from runtime.errors import ConfigurationError
from runtime.service import Channel, EventType, Subscription, major, route
from runtime.testing import HandlerRunner
from runtime.upcasting import older

from tests.support.samples import SERVICE


class V1(BaseModel):
    name: str


class V2(BaseModel):
    first: str
    last: str


class V3(BaseModel):
    names: list[str]


def upcast(old: V1) -> V2:
    first, last = old.name.split()
    return V2(first=first, last=last)


def upcast_v2(old: V2) -> V3:
    return V3(names=[old.first, old.last])


async def on_named(event: V3, ctx: Any) -> None:
    SEEN.append(event)


SEEN: list[V3] = []
E1, E2, E3 = (
    EventType("person.named", f"{number}.0.0", model)
    for number, model in ((1, V1), (2, V2), (3, V3))
)
NEWEST = route(E3, V3, on_named)
MIDDLE = older(E2, upcast_v2, NEWEST)
OLDEST = older(E1, upcast, MIDDLE)
PEOPLE = Channel("people", "people", "people")
SUBSCRIPTION = Subscription("people", PEOPLE, (NEWEST, MIDDLE, OLDEST))


@pytest.mark.parametrize(
    ("version", "expected"),
    [("1.0.0", E1), ("1.9.3", E1), ("2.0.1", E2), ("v3", E3), ("3", E3), ("", E1), ("new", E1)],
)
def test_type_and_major_version_choose_the_route(version: str, expected: EventType) -> None:
    found = SUBSCRIPTION.route("person.named", version)
    assert found is not None
    assert found.event is expected


def test_a_version_nobody_handles_has_no_route_and_its_type_has_one() -> None:
    assert SUBSCRIPTION.route("person.named", "4.0.0") is None
    assert SUBSCRIPTION.route("person.named") is not None
    assert SUBSCRIPTION.route("person.renamed") is None


@pytest.mark.parametrize(
    ("text", "number"), [("1", 1), ("v10.2", 10), ("2026-01", 2026), ("", None), ("x1", None)]
)
def test_the_major_version_is_the_first_number(text: str, number: int | None) -> None:
    assert major(text) == number


@pytest.mark.anyio
@pytest.mark.parametrize(
    "event",
    [V1(name="Ada Lovelace"), V2(first="Ada", last="Lovelace"), V3(names=["Ada", "Lovelace"])],
)
async def test_every_version_reaches_the_handler_as_the_newest(
    sqlite_database: Any, event: BaseModel
) -> None:
    service = replace(SERVICE, subscriptions=(SUBSCRIPTION,))
    SEEN.clear()
    await HandlerRunner(service, sqlite_database)(on_named, event)
    assert [V3(names=["Ada", "Lovelace"])] == SEEN


def not_annotated(old):  # type: ignore[no-untyped-def]  # what is tested
    return V2(first="", last="")


async def a_coroutine(old: V1) -> V2:
    return V2(first="", last="")


def to_another(old: V1) -> V3:
    return V3(names=[])


def from_another(old: V3) -> V2:
    return V2(first="", last="")


def of_two(old: V1, more: str) -> V2:
    return V2(first="", last=more)


def of_a_name_that_is_not_there(old: Missing) -> V2:  # type: ignore[name-defined]  # noqa: F821  # what is tested
    return V2(first="", last="")


@pytest.mark.parametrize(
    "wrong",
    [not_annotated, a_coroutine, to_another, from_another, of_two, of_a_name_that_is_not_there],
)
def test_an_upcaster_of_another_shape_refuses_to_start(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"must be `def upcast\(old: V1\) -> V2`"):
        older(E1, wrong, MIDDLE)
