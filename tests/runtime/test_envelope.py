from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runtime.codec import MAX_BYTES, decode
from runtime.envelope import Envelope, Undecodable, read_envelope, to_headers, uuid7
from runtime.transport import Incoming

from tests.support.samples import (
    ORDER_PLACED,
    STOCK_MOVED,
    subscription,
)


def incoming(
    headers: dict[str, str], key: str | None = None, origin: str = "orders/0/1"
) -> Incoming:
    return Incoming("orders", key, headers, b"{}", origin)


# envelope


def test_headers_and_back():
    envelope = Envelope(
        id=uuid7(),
        type="order.placed",
        source="shop",
        time=datetime(2026, 1, 31, 23, 59, 59, 123456, tzinfo=UTC),
        version="1.2.0",
        key="k",
        correlation_id="c",
        causation_id="d",
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )
    headers = to_headers(envelope, "application/json")
    assert headers["ce_specversion"] == "1.0"
    assert headers["ce_time"] == "2026-01-31T23:59:59.123456Z"
    assert headers["content-type"] == "application/json"
    again = read_envelope(incoming(headers), subscription())
    assert again.headers == headers
    for name in ("id", "type", "source", "time", "version", "key", "correlation_id"):
        assert getattr(again, name) == getattr(envelope, name)
    assert (again.causation_id, again.traceparent) == ("d", envelope.traceparent)


def test_a_foreign_message_is_the_one_event_of_its_channel_and_keeps_its_id_when_redelivered():
    first = read_envelope(incoming({}, "k"), subscription())
    assert first == read_envelope(incoming({}, "k"), subscription())
    assert first.id != read_envelope(incoming({}, "k", "orders/0/2"), subscription()).id
    assert (first.type, first.version, first.source) == ("order.placed", "1.2.0", "orders")
    assert (first.key, first.time, first.correlation_id) == ("k", None, None)


def test_without_a_type_on_a_channel_of_several_events_there_is_no_telling():
    with pytest.raises(Undecodable) as caught:
        read_envelope(incoming({}), subscription(ORDER_PLACED, STOCK_MOVED))
    assert caught.value.reason == "undecodable"
    assert "several events" in str(caught.value)


def test_an_id_that_is_no_uuid_is_made_one_with_its_source():
    def id_of(id_: str, source: str) -> UUID:
        return read_envelope(incoming({"ce_id": id_, "ce_source": source}), subscription()).id

    assert id_of("42", "a") == id_of("42", "a")
    assert len({id_of("42", "a"), id_of("42", "b"), id_of("43", "a")}) == 3
    known = uuid4()
    assert id_of(str(known), "a") == known


@pytest.mark.parametrize("time", ["", "yesterday", "2026-01-31T10:00:00", "9999999"])
def test_a_time_that_is_none_is_not_invented(time):
    assert read_envelope(incoming({"ce_time": time}), subscription()).time is None


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "ce_id",
                "ce_type",
                "ce_source",
                "ce_time",
                "ce_partitionkey",
                "ce_correlationid",
                "traceparent",
                "x",
            ]
        ),
        st.text(),
    ),
    st.text(),
)
def test_any_headers_can_be_read(headers, key):
    envelope = read_envelope(incoming(headers, key), subscription())
    assert isinstance(envelope.id, UUID)
    for text in (envelope.type, envelope.source, envelope.key or "", envelope.correlation_id or ""):
        text.encode()
        assert "\x00" not in text


def test_ids_sort_by_time_even_in_a_hurry_and_when_the_clock_jumps_back(monkeypatch):
    ids = [uuid7() for _ in range(5000)]
    monkeypatch.setattr("runtime.envelope.time.time_ns", lambda: 1_000_000)
    ids += [uuid7() for _ in range(100)]
    assert ids == sorted(set(ids))
    assert {(i.version, i.variant) for i in ids} == {(7, "specified in RFC 4122")}


# codec


def test_decode_says_which_event_where_and_why():
    with pytest.raises(Undecodable) as caught:
        decode(ORDER_PLACED, b'{"orderId": "no", "total": {"amount": [], "currency": 3}}')
    assert caught.value.reason == "invalid"
    text = str(caught.value)
    assert text.startswith("order.placed 1.2.0: $.orderId: ")
    assert "$.total.amount: " in text
    assert "$.total.currency: Input should be a valid string" in text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"\xff\xfe",
        b'{"orderId": ',
        b"[" * 100_000,
        b'{"a":' * 5_000,
        b"9" * 10_000,
        b" " * (MAX_BYTES + 1),
        b'{"orderId": "\\ud800"}',
    ],
)
def test_poison_bytes_are_invalid_and_nothing_worse(body):
    with pytest.raises(Undecodable) as caught:
        decode(ORDER_PLACED, body)
    assert caught.value.reason == "invalid"
    assert len(str(caught.value)) < 1000


def test_strict_but_open_to_fields_of_later_versions():
    body = json.dumps(
        {"orderId": str(uuid4()), "total": {"amount": "1.10", "currency": "EUR"}, "later": 1}
    )
    assert str(decode(ORDER_PLACED, body.encode()).total.amount) == "1.10"
    with pytest.raises(Undecodable, match=r"\$\.total\.currency"):
        decode(ORDER_PLACED, body.replace('"EUR"', "1").encode())
