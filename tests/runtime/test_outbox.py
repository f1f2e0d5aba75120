"""From an event to an outbox row: checked, encoded once, addressed."""

from __future__ import annotations

import json

import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace
from pydantic import ConfigDict
from runtime.codec import decode, encode
from runtime.envelope import Undecodable, read_envelope
from runtime.errors import NotPublishable
from runtime.event import EventModel
from runtime.outbox import Publisher
from runtime.service import Channel, EventType, Publication, Service
from runtime.transport import Incoming

from tests.support.samples import (
    ORDER_PLACED,
    ORDERS,
    SERVICE,
    STOCK_MOVED,
    StockMoved,
    Unknown,
    nothing,
    order,
    subscription,
)


def incoming(headers: dict[str, str]) -> Incoming:
    return Incoming("orders", None, headers, b"{}", "orders/0/1")


PUBLISHER = Publisher(SERVICE)


def test_a_row_has_everything_the_broker_needs():
    event = order(note="hello")
    row = PUBLISHER.row(event)
    assert (row.type, row.destination, row.key) == ("order.placed", "orders", str(event.order_id))
    assert json.loads(row.body) == {
        "orderId": str(event.order_id),
        "total": {"amount": "12.50", "currency": "EUR"},
        "note": "hello",
    }
    headers = dict(row.headers)
    assert headers.pop("ce_time").endswith("Z")
    assert headers == {
        "ce_specversion": "1.0",
        "ce_id": str(row.event_id),
        "ce_type": "order.placed",
        "ce_source": "shop",
        "ce_eventversion": "1.2.0",
        "ce_partitionkey": str(event.order_id),
        "ce_correlationid": str(row.event_id),
        "content-type": "application/json",
    }


def test_an_optional_field_that_was_not_given_is_absent():
    assert b"note" not in PUBLISHER.row(order()).body


def test_chains_pass_on_their_correlation_and_trace():
    trace_id = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    headers = {"ce_correlationid": "c", "traceparent": trace_id, "tracestate": "a=b"}
    cause = read_envelope(incoming(headers), subscription())
    row = PUBLISHER.row(order(), cause=cause)
    assert row.headers["ce_correlationid"] == "c"
    assert row.headers["ce_causationid"] == str(cause.id)
    assert (row.headers["traceparent"], row.headers["tracestate"]) == (trace_id, "a=b")
    foreign = read_envelope(incoming({}), subscription())
    assert PUBLISHER.row(order(), cause=foreign).headers["ce_correlationid"] == str(foreign.id)
    assert PUBLISHER.row(order(), correlation_id="web").headers["ce_correlationid"] == "web"


def test_the_current_span_is_the_trace():
    span = trace.NonRecordingSpan(
        trace.SpanContext(0xABC, 0xDEF, is_remote=False, trace_flags=trace.TraceFlags(1))
    )
    token = otel_context.attach(trace.set_span_in_context(span))
    try:
        assert PUBLISHER.row(order()).headers["traceparent"] == f"00-{0xABC:032x}-{0xDEF:016x}-01"
    finally:
        otel_context.detach(token)


def test_parameters_come_from_the_payload_or_the_call():
    row = PUBLISHER.row(StockMoved(region="eu", sku="s"), parameters={"site": "a1"})
    assert (row.destination, row.key) == ("stock.eu.a1", "s")
    assert PUBLISHER.row(StockMoved(), parameters={"region": "us", "site": "b"}).key is None
    assert (
        PUBLISHER.row(StockMoved(sku="s"), key="x", parameters={"region": "us", "site": "b"}).key
        == "x"
    )


@pytest.mark.parametrize(
    ("event", "arguments", "said"),
    [
        (Unknown(), {}, "shop publishes no Unknown"),
        (StockMoved(region="eu"), {}, "stock needs the parameter site"),
        (StockMoved(), {"parameters": {"site": "a"}}, "needs the parameter region"),
        (StockMoved(region="eu"), {"parameters": {"site": "a.*"}}, "'a.*' cannot stand for site"),
        (order(), {"parameters": {"site": "a"}}, "orders has no parameter site"),
        (order(), {"channel": "stock"}, "OrderPlaced is published on orders, not on stock"),
        (StockMoved.model_construct(sku=3), {}, "stock.moved 1.0.0: "),
        (order().model_copy(update={"total": None}), {}, "order.placed 1.2.0: "),
    ],
)
def test_what_cannot_be_published_says_why(event, arguments, said):
    with pytest.raises(NotPublishable) as caught:
        PUBLISHER.row(event, **arguments)
    assert said in str(caught.value)


def test_an_event_of_two_channels_needs_a_choice():
    other = Channel("archive", "archive", "archive")
    publications = (Publication(ORDER_PLACED, ORDERS), Publication(ORDER_PLACED, other))
    publisher = Publisher(Service("s", "1", "s", "embedded", nothing, publications))
    with pytest.raises(NotPublishable, match="archive, orders: choose one with channel="):
        publisher.row(order())
    assert publisher.row(order(), channel="archive").destination == "archive"


def test_a_key_must_be_a_single_value():
    type_ = type(STOCK_MOVED)("stock.moved", "1", StockMoved, ("item",))
    publisher = Publisher(
        Service("s", "1", "s", "embedded", nothing, (Publication(type_, ORDERS),))
    )
    with pytest.raises(NotPublishable, match="its key item is no single value"):
        publisher.row(StockMoved(item={"a": 1}))


def test_fields_of_a_newer_producer_are_kept_when_an_event_is_sent_on() -> None:
    class Forwarded(EventModel):
        name: str

    event = EventType("name.given", "1.0.0", Forwarded)
    body = b'{"name":"Ada","later":{"digits":12345678901234567890,"list":[1,null]}}'
    assert encode(event, decode(event, body)) == body

    class Closed(Forwarded):
        model_config = ConfigDict(extra="forbid")

    with pytest.raises(Undecodable, match=r"\$\.later"):
        decode(EventType("name.given", "1.0.0", Closed), body)
