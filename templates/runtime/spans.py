"""An event's way as OpenTelemetry spans, where the process has an SDK; next to nothing elsewhere.

`create` (PRODUCER): an event is published; its context travels in the event's headers.
`send` (CLIENT): a relay gives events to the broker; linked to each of them.
`process` (CONSUMER): an event is handled; a child of its `create`, current while the handler runs.
A batch has a `process` of its own, linked to its events, and they to it.

Names and attributes are those of OpenTelemetry's semantic conventions for messaging and for
CloudEvents, which are still in development: they stand here and nowhere else.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode

from .errors import Skip
from .transport import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from opentelemetry.util.types import AttributeValue

    from .envelope import Envelope
    from .service import Channel
    from .transport import Incoming, Outgoing, Sent

_tracer = trace.get_tracer("eventgen")
OFF = nullcontext(trace.INVALID_SPAN)  # instead of a span, where there is no SDK


def collected() -> bool:
    """Whether this process has an SDK that could collect spans."""
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def created(
    system: str, channel: Channel, event: Envelope, cause: Envelope | None
) -> dict[str, str]:
    """The headers that tie an event to its trace; `cause` is the event whose handler published it.

    Without an SDK the trace of the cause is passed on as it came.
    """
    current = trace.get_current_span().get_span_context().is_valid
    if not collected():
        return _injected() if current else _passed_on(cause)
    context = None if current or cause is None else propagate.extract(cause.headers)
    attributes = {**_about("create", system, channel), **_of_event(event)}
    name = f"create {channel.destination}"
    with _tracer.start_as_current_span(
        name, context, kind=SpanKind.PRODUCER, attributes=attributes
    ):
        return _injected()


def sending(system: str, messages: Sequence[Outgoing]) -> AbstractContextManager[Span]:
    """Around giving messages to the broker."""
    if not collected():
        return OFF
    attributes = _operation("send", system)
    attributes["messaging.batch.message_count"] = len(messages)
    destinations = {message.destination for message in messages}
    if len(destinations) == 1:
        attributes["messaging.destination.name"] = destinations.pop()
    links = _links(message.headers for message in messages)
    # Nobody's child: it carries events of many traces.
    return _tracer.start_as_current_span(
        "send", Context(), kind=SpanKind.CLIENT, attributes=attributes, links=links
    )


def answered(span: Span, answers: Sequence[Sent]) -> None:
    """What the broker said; the first refusal makes the span a failed one."""
    refused = next((sent for sent in answers if sent.outcome is not Outcome.SENT), None)
    if refused is not None:
        span.set_attribute("error.type", refused.outcome.value)
        span.set_status(Status(StatusCode.ERROR, refused.reason))


def processing_batch(
    system: str, channel: Channel, messages: Sequence[Incoming]
) -> AbstractContextManager[object]:
    """Around the transaction that several events share."""
    if not collected():
        return OFF
    attributes = _about("process", system, channel)
    attributes["messaging.batch.message_count"] = len(messages)
    links = _links(message.headers for message in messages)
    return _processing(channel, Context(), attributes, links)


def processing(
    system: str, channel: Channel, event: Envelope, message: Incoming
) -> AbstractContextManager[object]:
    """Around an event's handler; only for a process that has an SDK."""
    attributes = {
        **_about("process", system, channel),
        **_of_event(event),
        "messaging.destination.name": message.destination,
        "messaging.message.body.size": len(message.body),
    }
    batch = trace.get_current_span().get_span_context()
    links = [Link(batch)] if batch.is_valid else []
    return _processing(channel, propagate.extract(event.headers, Context()), attributes, links)


@contextmanager
def _processing(
    channel: Channel,
    context: Context,
    attributes: Mapping[str, AttributeValue],
    links: Sequence[Link],
) -> Iterator[None]:
    with _tracer.start_as_current_span(
        f"process {channel.destination}",
        context,
        kind=SpanKind.CONSUMER,
        attributes=attributes,
        links=links,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield
        except Skip:  # no failure: what the handler wanted
            raise
        except Exception as error:
            span.record_exception(error)
            span.set_attribute("error.type", type(error).__qualname__)
            span.set_status(Status(StatusCode.ERROR, str(error)))
            raise


def _links(all_headers: Iterable[Mapping[str, str]]) -> list[Link]:
    """To what created each of these events, where that is known."""
    spans = (
        trace.get_current_span(propagate.extract(headers, Context())) for headers in all_headers
    )
    return [Link(c) for span in spans if (c := span.get_span_context()).is_valid]


def _injected() -> dict[str, str]:
    headers: dict[str, str] = {}
    propagate.inject(headers)
    return headers


def _passed_on(cause: Envelope | None) -> dict[str, str]:
    if cause is None or not cause.traceparent:
        return {}
    state = cause.headers.get("tracestate")
    return {"traceparent": cause.traceparent} | ({"tracestate": state} if state else {})


def _operation(name: str, system: str) -> dict[str, AttributeValue]:
    return {
        "messaging.system": system,
        "messaging.operation.name": name,
        "messaging.operation.type": name,
    }


def _about(operation: str, system: str, channel: Channel) -> dict[str, AttributeValue]:
    """`destination` may be a template: as a name it would have many values, so it has its own."""
    kind = "template" if channel.parameters else "name"
    return {**_operation(operation, system), f"messaging.destination.{kind}": channel.destination}


def _of_event(event: Envelope) -> dict[str, AttributeValue]:
    return {
        "messaging.message.id": str(event.id),
        "messaging.message.conversation_id": event.correlation_id or str(event.id),
        "cloudevents.event_id": str(event.id),
        "cloudevents.event_type": event.type,
        "cloudevents.event_source": event.source,
    }
