"""Traces: an event's way from `publish` through outbox, broker and inbox to its handler."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from runtime import spans
from runtime.app import App
from runtime.embedded import EmbeddedTransport
from runtime.errors import Skip
from runtime.outbox import Publisher
from runtime.relay import Relay
from runtime.transport import Outcome, Sent

from tests.runtime.delivering import Billed, bench, budget, message, write
from tests.runtime.tiny import Paid, Settings, captured, make_service, until

pytestmark = pytest.mark.anyio

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACE, PARENT = (int(part, 16) for part in TRACEPARENT.split("-")[1:3])


@pytest.fixture
def exported(monkeypatch):
    """The spans that ended, by the name of their operation."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    monkeypatch.setattr(spans, "_tracer", provider.get_tracer("eventgen"))

    def named(operation):
        found = exporter.get_finished_spans()
        return [s for s in found if s.attributes["messaging.operation.name"] == operation]

    yield named
    provider.shutdown()


def traced(outgoing_or_incoming, traceparent=TRACEPARENT, **more):
    """The same message with a trace in its headers."""
    headers = {**outgoing_or_incoming.headers, "traceparent": traceparent, **more}
    return dataclasses.replace(outgoing_or_incoming, headers=headers)


def linked(span):
    return {(link.context.trace_id, link.context.span_id) for link in span.links}


def place(span):
    return (span.context.trace_id, span.context.span_id)


async def test_one_trace_from_an_event_through_its_handler_to_what_that_published(
    database, exported
):
    current = []

    async def handler(event, ctx):
        current.append(trace.get_current_span().get_span_context().span_id)
        ctx.publish(Paid(order_id=event.order_id))

    transport = EmbeddedTransport(database)
    async with App(make_service(handler), Settings(), database, transport):
        await transport.publish([traced(captured(5))])

        async def sent():
            return exported("send")

        await until(sent)
    [process], [create], [send] = (exported(name) for name in ("process", "create", "send"))
    assert (process.context.trace_id, process.parent.span_id) == (TRACE, PARENT)
    assert current == [process.context.span_id]
    assert (create.context.trace_id, create.parent.span_id) == (TRACE, process.context.span_id)
    assert linked(send) == {place(create)}
    assert send.parent is None
    kinds = [span.kind for span in (create, send, process)]
    assert kinds == [SpanKind.PRODUCER, SpanKind.CLIENT, SpanKind.CONSUMER]


async def test_spans_are_named_and_described_by_the_conventions_for_messaging(
    database_url, exported
):
    async with bench(database_url, write) as b:
        sent = message("k", 1)
        await b.settle(sent)
    [process], [create] = exported("process"), exported("create")
    id_ = sent.headers["ce_id"]
    assert process.name == "process orders"
    assert dict(process.attributes) == {
        "messaging.system": "embedded",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "orders",
        "messaging.message.id": id_,
        "messaging.message.conversation_id": "c-1",
        "messaging.message.body.size": len(sent.body),
        "cloudevents.event_id": id_,
        "cloudevents.event_type": "order.paid",
        "cloudevents.event_source": "/shop",
    }
    assert create.name == "create billed"
    assert create.attributes["messaging.destination.name"] == "billed"
    assert create.attributes["messaging.message.conversation_id"] == "c-1"


async def test_the_context_is_stored_with_the_event_in_the_outbox(database, exported):
    publisher = Publisher(make_service())
    with spans._tracer.start_as_current_span(
        "a request", attributes={"messaging.operation.name": ""}
    ):
        row = publisher.row(Paid(order_id="o1"))
    async with database.transaction() as tx:
        await database.add_to_outbox(tx, [row])
    [create] = exported("create")
    [stored] = await database.list_outbox(1)
    expected = "00-{:032x}-{:016x}-".format(*place(create))
    assert stored.headers["traceparent"].startswith(expected)
    assert stored.headers["ce_correlationid"] == str(row.event_id)


async def test_a_batch_is_linked_to_its_events_and_they_to_it(database_url, exported, monkeypatch):
    budget(monkeypatch, 60.0)
    traceparents = [f"00-{n:032x}-{n:016x}-01" for n in (1, 2, 3)]
    async with bench(database_url, write, concurrency=1) as b:
        messages = [traced(message(f"k{n}", n), traceparents[n - 1]) for n in (1, 2, 3)]
        await b.settle(*messages, message("untraced", 4))
    found = exported("process")
    [batch] = [span for span in found if "messaging.batch.message_count" in span.attributes]
    events = [span for span in found if span is not batch]
    assert batch.attributes["messaging.batch.message_count"] == 4
    assert linked(batch) == {(1, 1), (2, 2), (3, 3)}
    assert {linked(span) == {place(batch)} for span in events} == {True}
    assert sorted(span.parent.span_id for span in events if span.parent) == [1, 2, 3]
    assert len(events) == 4


async def test_a_failed_handler_is_a_failed_span_and_a_skip_is_not(database_url, exported):
    async def handler(event, ctx):
        if event.n == 1:
            raise Skip("not for us")
        raise KeyError("x")

    async with bench(database_url, handler) as b:
        await b.settle(message("a", 1))
        await b.settle(message("b", 2))
    skipped, *failed = exported("process")
    assert skipped.status.status_code is StatusCode.UNSET
    assert len(failed) == 4  # the attempts in the lane
    assert {span.status.status_code for span in failed} == {StatusCode.ERROR}
    assert {span.attributes["error.type"] for span in failed} == {"KeyError"}
    assert failed[0].events[0].name == "exception"


async def test_a_parked_event_is_handled_in_the_trace_it_came_with(database_url, exported):
    attempts = []

    async def handler(event, ctx):
        attempts.append(event.n)
        if len(attempts) < 6:
            raise ValueError("not yet")

    async with bench(database_url, handler) as b:
        await b.settle(traced(message("k", 1), tracestate="vendor=1"))
        b.start_parked_worker()
        await b.parked_empty()
    last = exported("process")[-1]
    assert (last.context.trace_id, last.parent.span_id) == (TRACE, PARENT)
    assert last.context.trace_state.get("vendor") == "1"
    assert last.status.status_code is StatusCode.UNSET


async def test_a_broker_that_refuses_makes_a_failed_span(database, exported):
    class Refusing:
        async def publish(self, messages):
            return [Sent(Outcome.PERMANENT, "too large")] * len(messages)

    async with database.transaction() as tx:
        await database.add_to_outbox(tx, [Publisher(make_service()).row(Paid(order_id="o1"))])
    stopping = asyncio.Event()
    stopping.set()
    await Relay(database, Refusing(), system="kafka").run(stopping)
    [send] = exported("send")
    assert (send.status.status_code, send.status.description) == (StatusCode.ERROR, "too large")
    assert send.attributes["error.type"] == "permanent"
    assert send.attributes["messaging.system"] == "kafka"


async def test_without_an_sdk_the_trace_is_passed_on_as_it_came(database_url):
    assert not spans.collected()
    async with bench(database_url, write) as b:
        await b.settle(traced(message("k", 1), tracestate="vendor=1"))
        await b.settle(message("k", 2))
        first, second = await b.database.list_outbox(10)
    assert first.headers["traceparent"] == TRACEPARENT
    assert first.headers["tracestate"] == "vendor=1"
    assert "traceparent" not in second.headers


async def test_correlation_and_causation_go_from_event_to_event(database_url):
    async with bench(database_url, write) as b:
        sent = message("k", 1)
        await b.settle(sent)
        [row] = await b.database.list_outbox(1)
    assert row.type == "order.billed"
    assert Billed.model_validate_json(row.body).n == 1
    assert row.headers["ce_correlationid"] == "c-1"
    assert row.headers["ce_causationid"] == sent.headers["ce_id"]
