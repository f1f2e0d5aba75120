"""Names: valid Python from any text, unique, and stable."""

from __future__ import annotations

import keyword
import random

import pytest
from eventgen.model import Name
from eventgen.model.names import (
    CHANNEL,
    LONGEST,
    MESSAGE,
    OPERATION,
    SCHEMA,
    SERVICE,
    Kind,
    Wish,
    allot,
    derive,
)
from hypothesis import given
from hypothesis import strategies as some


def spelt(text: str, kind: Kind = MESSAGE) -> tuple[str, str]:
    name = derive(text, kind)
    assert name is not None
    return name.snake, name.pascal


@pytest.mark.parametrize(
    ("text", "snake", "pascal"),
    [
        ("order.placed", "order_placed", "OrderPlaced"),
        ("orderPlaced", "order_placed", "OrderPlaced"),
        ("ORDER_PLACED", "order_placed", "OrderPlaced"),
        ("order placed v2", "order_placed_v2", "OrderPlacedV2"),
        ("HTTPServerStarted", "http_server_started", "HTTPServerStarted"),
        ("orderIDs", "order_ids", "OrderIDs"),
        ("user/{id}/signedup", "user_id_signedup", "UserIdSignedup"),
        ("größe.geändert", "grosse_geandert", "GrosseGeandert"),
        ("zamówienie złożone", "zamowienie_zlozone", "ZamowienieZlozone"),
        ("заказ создан", "заказ_создан", "ЗаказСоздан"),
        ("日本語", "日本語", "日本語"),
        ("2fa.enabled", "event_2fa_enabled", "Event2faEnabled"),
        ("class", "class_event", "ClassEvent"),
        ("match", "match_event", "MatchEvent"),
        ("None", "none_event", "NoneEvent"),
        ("print", "print_event", "PrintEvent"),
        ("ValueError", "value_error_event", "ValueErrorEvent"),
        ("Context", "context_event", "ContextEvent"),
        ("Event", "event_message", "EventMessage"),
        ("__init__", "init", "Init"),
        ('it\'s "odd"\n{{ x }}"""', "it_s_odd_x", "ItSOddX"),
        ("ﬁ", "fi", "Fi"),
    ],
)
def test_names_come_from_any_text(text: str, snake: str, pascal: str) -> None:
    assert spelt(text) == (snake, pascal)


@pytest.mark.parametrize("text", ["", " ", "🎉", "__", "/", "{}", "\n", '"""'])
def test_text_without_letters_gives_no_name(text: str) -> None:
    assert derive(text, MESSAGE) is None


@pytest.mark.parametrize("text", ["json", "asyncio", "pydantic", "tests", "class"])
def test_a_service_hides_no_package(text: str) -> None:
    assert spelt(text, SERVICE)[0] == f"{text}_service"


def test_long_names_are_cut_and_stay_different() -> None:
    one, other = spelt("word " * 60 + "a"), spelt("word " * 60 + "b")
    assert one != other
    assert len(one[0]) <= LONGEST
    assert spelt("x" * 1000)[0].startswith("xxxx")


@given(some.text(), some.sampled_from([MESSAGE, CHANNEL, OPERATION, SCHEMA, SERVICE]))
def test_every_name_is_valid_python(text: str, kind: Kind) -> None:
    name = derive(text, kind)
    if name is not None:
        assert name.snake.isidentifier()
        assert name.pascal.isidentifier()
        assert name.const.isidentifier()
        assert not keyword.iskeyword(name.snake)
        assert not keyword.iskeyword(name.pascal)
        assert name.raw.value == text
        assert name.kebab.replace("-", "_") == name.snake


@given(some.lists(some.text(alphabet="aAbB1_. é", max_size=4), max_size=8))
def test_allotted_names_are_different_in_every_spelling(texts: list[str]) -> None:
    names = [name for name in allot([Wish((text,)) for text in texts], MESSAGE) if name]
    for spelling in ("snake", "pascal", "kebab", "const"):
        spelt_ = [getattr(name, spelling).casefold() for name in names]
        assert len(set(spelt_)) == len(spelt_)


def pascals(names: tuple[Name | None, ...]) -> list[str]:
    return ["" if name is None else name.pascal for name in names]


def test_those_that_wish_the_same_all_move_on() -> None:
    wishes = [Wish(("created", "orders created")), Wish(("Created", "users created"))]
    assert pascals(allot(wishes, MESSAGE)) == ["OrdersCreated", "UsersCreated"]


def test_those_with_nothing_left_are_numbered() -> None:
    wishes = [Wish(("a.b",), "2"), Wish(("a-b",), "1"), Wish(("a b 2",))]
    assert pascals(allot(wishes, MESSAGE)) == ["AB3", "AB", "AB2"]


def test_what_is_taken_is_told_apart() -> None:
    assert pascals(allot([Wish(("order",))], SCHEMA, ["Order"])) == ["OrderData"]
    assert pascals(allot([Wish(("order", "shop order"))], SCHEMA, ["Order", "OrderData"])) == [
        "ShopOrder"
    ]


def test_the_order_of_a_document_does_not_matter() -> None:
    wishes = [
        Wish((text, f"x {text}"), text) for text in ("a.b", "a_b", "aB", "c", "x c", "1", "one")
    ]
    expected = dict(zip(wishes, pascals(allot(wishes, MESSAGE)), strict=True))
    for seed in range(20):
        shuffled = wishes[:]
        random.Random(seed).shuffle(shuffled)
        found = pascals(allot(shuffled, MESSAGE))
        assert dict(zip(shuffled, found, strict=True)) == expected
