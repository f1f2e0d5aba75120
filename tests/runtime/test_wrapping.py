"""The same event in each envelope: what is on the wire, and what is read from it."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from runtime.codec import decode
from runtime.envelope import Envelope, Undecodable, read_envelope
from runtime.outbox import Publisher
from runtime.service import EventType, Publication
from runtime.transport import Incoming
from runtime.wrapping import BINARY, STRUCTURED, Wrapping, none, plain, unwrap

from tests.support.samples import ORDER_PLACED, ORDERS, SERVICE, order, subscription

ID = "3f0e9f5e-2b8a-4d55-9f0e-0d3c8d6b2f11"


class Meta(BaseModel):
    event_id: str
    kind: str
    at: str


class Shipped(BaseModel):
    """An event that is an envelope itself."""

    meta: Meta
    order_id: str
    data: dict[str, Any] = {}


SHIPPED = EventType(
    "order.shipped",
    "1.0.0",
    Shipped,
    ("order_id",),
    envelope=none(
        id=("meta", "event_id"), type=("meta", "kind"), time=("meta", "at"), key=("order_id",)
    ),
)


def wrapped(wrapping: Wrapping) -> EventType:
    return replace(ORDER_PLACED, envelope=wrapping)


def sent(event: EventType, model: BaseModel, **options: Any) -> Incoming:
    service = replace(SERVICE, publications=(Publication(event, ORDERS),))
    row = Publisher(service).row(model, **options)
    return Incoming("orders", row.key, row.headers, row.body, "orders/0/1")


def shipped(**changes: str) -> Shipped:
    meta = {"event_id": ID, "kind": "order.shipped", "at": "2026-01-31T10:00:00Z"}
    return Shipped(meta=Meta(**{**meta, **changes}), order_id="o1")


@pytest.mark.parametrize("wrapping", [BINARY, STRUCTURED, plain()], ids=lambda one: one.name)
def test_an_event_reads_the_same_in_every_envelope(wrapping: Wrapping) -> None:
    event = wrapped(wrapping)
    placed = order()
    cause = Envelope(uuid4(), "cart.closed", "shop", None, "1.0.0", correlation_id="c1")
    message = sent(event, placed, cause=cause)
    read = read_envelope(message, subscription(event))
    assert decode(event, read.payload) == placed
    assert (read.type, read.version, read.source) == ("order.placed", "1.2.0", "shop")
    assert (read.correlation_id, read.causation_id) == ("c1", str(cause.id))
    assert read.key == str(placed.order_id)
    assert read.time is not None
    assert read == read_envelope(message, subscription(event))


def test_plain_is_one_object_and_the_headers_repeat_nothing_of_it() -> None:
    placed = order()
    message = sent(wrapped(plain()), placed)
    document = json.loads(message.body)
    assert list(document) == [
        "id", "name", "timestamp", "version", "source", "correlation_id", "data",
    ]  # fmt: skip
    assert document["name"] == "order.placed"
    assert document["data"] == json.loads(placed.model_dump_json(by_alias=True))
    assert message.headers == {
        "ce_partitionkey": str(placed.order_id),
        "content-type": "application/json",
    }


def test_structured_is_what_cloudevents_says() -> None:
    message = sent(wrapped(STRUCTURED), order())
    document = json.loads(message.body)
    assert document["specversion"] == "1.0"
    assert {"id", "type", "source", "time", "datacontenttype", "data"} <= document.keys()
    assert message.headers == {"content-type": "application/cloudevents+json"}


def foreign(**changes: Any) -> dict[str, Any]:
    placed = json.loads(order().model_dump_json(by_alias=True))
    whole = {
        "specversion": "1.0", "id": "A-17", "type": "order.placed", "source": "/shop",
        "time": "2026-01-31T10:00:00Z", "partitionkey": "k", "data": placed,
    }  # fmt: skip
    return {name: value for name, value in {**whole, **changes}.items() if value is not None}


def structured(body: bytes, content_type: str = "application/cloudevents+json") -> Incoming:
    return Incoming("orders", None, {"content-type": content_type}, body, "orders/0/1")


@pytest.mark.parametrize("wrapping", [BINARY, plain()], ids=lambda one: one.name)
@pytest.mark.parametrize(
    "content_type",
    ["application/cloudevents+json", "application/CloudEvents+json; charset=utf-8"],
)
def test_structured_cloudevents_of_others_are_always_read(
    wrapping: Wrapping, content_type: str
) -> None:
    event = wrapped(wrapping)
    message = structured(json.dumps(foreign()).encode(), content_type)
    read = read_envelope(message, subscription(event))
    assert (read.type, read.source, read.key) == ("order.placed", "/shop", "k")
    assert decode(event, read.payload).total.currency == "EUR"
    binary = Incoming(
        "orders", None, {"ce_id": "A-17", "ce_source": "/shop", "ce_type": "order.placed"}, b"", ""
    )
    assert read.id == read_envelope(binary, subscription(event)).id


def test_structured_data_may_be_base64() -> None:
    placed = order()
    data = base64.b64encode(placed.model_dump_json(by_alias=True).encode()).decode()
    body = json.dumps(foreign(data=None, data_base64=data)).encode()
    read = read_envelope(structured(body), subscription())
    assert decode(ORDER_PLACED, read.payload) == placed


def test_the_payload_keeps_every_digit() -> None:
    number = "12345678901234567890.123456789012345678901234567890"
    body = b'{ "name" : "order.placed", "data" : {"n": ' + number.encode() + b' } , "id":"1"}'
    assert unwrap(plain(), body).payload == b'{"n": ' + number.encode() + b" }"


def test_an_event_that_is_an_envelope_is_not_wrapped_in_another() -> None:
    message = sent(SHIPPED, shipped())
    assert json.loads(message.body) == shipped().model_dump()
    assert message.headers.keys() == {
        "ce_source", "ce_eventversion", "ce_correlationid", "content-type",
    }  # fmt: skip
    read = read_envelope(message, subscription(SHIPPED))
    assert (read.id, read.type, read.key) == (UUID(ID), "order.shipped", "o1")
    assert read.time is not None
    assert read.time.isoformat() == "2026-01-31T10:00:00+00:00"
    assert decode(SHIPPED, read.payload) == shipped()


def test_its_own_id_is_the_id_that_the_outbox_and_the_inbox_know() -> None:
    service = replace(SERVICE, publications=(Publication(SHIPPED, ORDERS),))
    for own in (ID, "A-17"):
        row = Publisher(service).row(shipped(event_id=own))
        message = Incoming("orders", row.key, row.headers, row.body, "orders/0/1")
        assert read_envelope(message, subscription(SHIPPED)).id == row.event_id


def test_a_key_that_was_chosen_wins_over_the_one_in_the_payload() -> None:
    message = sent(SHIPPED, shipped(), key="chosen")
    assert message.headers["ce_partitionkey"] == "chosen"
    assert read_envelope(replace(message, key=None), subscription(SHIPPED)).key == "o1"
    assert read_envelope(message, subscription(SHIPPED)).key == "chosen"


def test_on_one_channel_each_event_has_its_own_envelope() -> None:
    events = (wrapped(plain()), SHIPPED, EventType("order.seen", "1.0.0", Meta))
    several = subscription(*events)
    seen = Meta(event_id="1", kind="order.shipped", at="")
    for event, model in zip(events, (order(), shipped(), seen), strict=True):
        read = read_envelope(sent(event, model), several)
        assert read.type == event.type
        assert decode(event, read.payload) == model


def test_a_type_that_nobody_handles_is_told_from_one_that_cannot_be_read() -> None:
    body = json.dumps({"id": "1", "name": "order.eaten", "data": {}}).encode()
    message = Incoming("orders", None, {}, body, "orders/0/1")
    assert read_envelope(message, subscription(wrapped(plain()))).type == "order.eaten"
    with pytest.raises(Undecodable, match="carries several events"):
        read_envelope(replace(message, body=b"{}"), subscription(SHIPPED, ORDER_PLACED))


BROKEN = [
    b"", b"null", b"[]", b"{", b'{"id": }', b'{"id": "1"}', b'{"data": {}} x', b'{"data": {},}',
    b'{1: 2, "data": {}}', b'{"data": NaN}', b'{"data": {}, "data"', b"\xff", b"[" * 100_000,
    b'{"data": ' + b"[" * 100_000, b'{"id": ' + b"9" * 5000 + b', "data": {}}', b" " * 10_000_000,
]  # fmt: skip


@pytest.mark.parametrize("body", BROKEN, ids=range(len(BROKEN)))
@pytest.mark.parametrize("headers", [{}, {"content-type": "application/cloudevents+json"}])
def test_a_broken_envelope_is_undecodable_and_nothing_worse(
    body: bytes, headers: dict[str, str]
) -> None:
    message = Incoming("orders", None, headers, body, "orders/0/1")
    with pytest.raises(Undecodable) as caught:
        read_envelope(message, subscription(wrapped(plain())))
    assert caught.value.reason == "undecodable"
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("body", BROKEN, ids=range(len(BROKEN)))
def test_a_payload_that_should_be_an_envelope_and_is_broken_breaks_its_schema(body: bytes) -> None:
    message = Incoming("orders", "k", {}, body, "orders/0/1")
    read = read_envelope(message, subscription(SHIPPED))
    assert read.key == "k"
    with pytest.raises(Undecodable) as caught:
        decode(SHIPPED, read.payload)
    assert caught.value.reason == "invalid"


@given(st.dictionaries(st.text(max_size=3), st.integers() | st.text() | st.none()), st.text())
def test_any_object_is_taken_apart_as_json_says(others: dict[str, Any], text: str) -> None:
    document = {**others, text: 1, "name": text, "data": {"x": [text, 1.5]}}
    for indent in (None, 1):
        body = json.dumps(document, indent=indent).encode()
        assert json.loads(unwrap(plain(), body).payload) == document["data"]
