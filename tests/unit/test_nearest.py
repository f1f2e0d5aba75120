"""What is suggested for a misspelt word."""

from __future__ import annotations

import pytest
from eventgen.spec.nearest import nearest

MESSAGE = [
    "bindings",
    "contentType",
    "correlationId",
    "description",
    "examples",
    "externalDocs",
    "headers",
    "messageId",
    "name",
    "payload",
    "schemaFormat",
    "summary",
    "tags",
    "title",
    "traits",
]
CONFIG = ["broker", "channels", "check", "database", "service", "spec", "v2_perspective"]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("content_type", "contentType"),
        ("content-type", "contentType"),
        ("ContentType", "contentType"),
        ("CONTENTTYPE", "contentType"),
        ("schema_format", "schemaFormat"),
        ("header", "headers"),
        ("example", "examples"),
        ("payloads", "payload"),
        ("paylaod", "payload"),
        ("payLoad", "payload"),
        ("playload", "payload"),
        ("pyload", "payload"),
        ("corelation_id", "correlationId"),
        ("desc", "description"),
        ("docs", "externalDocs"),
        ("tgas", "tags"),
        ("nmae", "name"),
        ("tag", "tags"),
    ],
)
def test_a_misspelt_key_of_a_message_is_known(word: str, meant: str) -> None:
    assert nearest(word, MESSAGE) == meant


@pytest.mark.parametrize(
    "word", ["v2-perspective", "v2Perspective", "perspective", "v2_prespective"]
)
def test_a_misspelt_key_of_a_project_is_known(word: str) -> None:
    assert nearest(word, CONFIG) == "v2_perspective"


@pytest.mark.parametrize("word", ["body", "file", "id", "x", "", "🎉"])
def test_a_word_that_is_like_none_gets_none(word: str) -> None:
    assert nearest(word, MESSAGE) is None


def test_the_word_itself_wins_over_others_that_fold_alike() -> None:
    assert nearest("order_placed", ["order.placed", "order.paid"]) == "order.placed"
    assert nearest("OrderPaid", ["order.placed", "order.paid"]) == "order.paid"


def test_of_two_as_near_the_first_is_taken_whatever_their_order() -> None:
    assert nearest("ordre", ["order", "Order"]) == nearest("ordre", ["Order", "order"])
