"""The CloudEvents attributes of an event, as a value and on the wire.

Reading is lenient where a missing attribute can be made up for without inventing facts, because
events also come from services that never heard of CloudEvents.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal
from uuid import NAMESPACE_URL, UUID, uuid5

from .dialect import clean
from .wrapping import BINARY, STRUCTURED, Unwrapped, unwrap, wrap

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from .service import EventType, Subscription
    from .transport import Incoming
    from .wrapping import Wrapping

# Ids made of foreign ids and of places on the broker. Never change them: the inbox remembers.
_FOREIGN_IDS = uuid5(NAMESPACE_URL, "eventgen:foreign-id")
_ORIGINS = uuid5(NAMESPACE_URL, "eventgen:origin")

_HEADERS = {
    "id": "ce_id",
    "type": "ce_type",
    "source": "ce_source",
    "time": "ce_time",
    "version": "ce_eventversion",
    "key": "ce_partitionkey",
    "correlation_id": "ce_correlationid",
    "causation_id": "ce_causationid",
    "traceparent": "traceparent",
}


class Undecodable(Exception):  # noqa: N818  - says what the message is
    """A message that cannot be understood, however often it is tried: a dead letter at once.

    `reason` is "undecodable" (there is no telling what event it is) or "invalid" (its body breaks
    the schema of its event).
    """

    def __init__(self, reason: Literal["undecodable", "invalid"], message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is known about an event. `headers` are all headers it came with.

    `payload` are the bytes of its data, taken out of what they came in. `time` is None when the
    sender did not say when it happened. An event without an id of its own, or whose id is no UUID,
    has one derived from what identifies it, the same at every delivery.
    """

    id: UUID
    type: str
    source: str
    time: datetime | None
    version: str
    key: str | None = None
    correlation_id: str | None = None
    causation_id: str | None = None
    traceparent: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    payload: bytes = field(default=b"", repr=False)


def to_headers(envelope: Envelope, content_type: str) -> dict[str, str]:
    """The headers of an event in CloudEvents' binary mode; `envelope.headers` are kept besides."""
    return {
        **envelope.headers,
        "ce_specversion": "1.0",
        **_as_headers(_attributes(envelope), frozenset()),
        "content-type": content_type,
    }


def to_message(
    event: EventType, envelope: Envelope, said: Mapping[str, str]
) -> tuple[dict[str, str], bytes]:
    """The headers and the body of an event, as its type is sent. `said` is what `said_by` found.

    Nothing is said twice: what the body carries is not in the headers.
    """
    wrapping = event.envelope
    if wrapping is BINARY:
        return to_headers(envelope, event.content_type), envelope.payload
    attributes = _attributes(envelope)
    if wrapping.data is not None:
        said = {name: attributes[name] for name in wrapping.attributes if name in attributes}
    # A key that was chosen when the event was published is not the one in its payload.
    carried = frozenset(
        name
        for name, text in said.items()
        if name not in {"key", "type"} or text == attributes.get(name)
    )
    headers = {
        **envelope.headers,
        **_as_headers(attributes, carried),
        "content-type": wrapping.content_type or event.content_type,
    }
    return headers, wrap(wrapping, attributes, envelope.payload)


def said_by(event: EventType, payload: bytes) -> Mapping[str, str]:
    """The attributes that a payload carries itself; none when something is to be put around it."""
    wrapping = event.envelope
    return {} if wrapping is BINARY or wrapping.data else unwrap(wrapping, payload).said


def read_envelope(message: Incoming, subscription: Subscription) -> Envelope:
    """The envelope of a message. Raises Undecodable when there is no telling what event it is."""
    headers = message.headers
    said, payload = _unwrapped(message, subscription)
    type_ = said.get("type") or headers.get("ce_type") or _only_type(subscription)
    if type_ is None:
        raise Undecodable(
            "undecodable",
            f"no ce_type header, and {subscription.channel.name} carries several events",
        )

    def text(name: str) -> str | None:
        return said.get(name) or _text(headers, _HEADERS[name])

    route = subscription.route(type_)
    source = text("source") or clean(message.destination)
    key = message.key or text("key")
    return Envelope(
        id=event_id(said.get("id") or headers.get("ce_id"), source, message.origin),
        type=clean(type_),
        source=source,
        time=moment(text("time")),
        version=text("version") or (route.event.version if route else ""),
        key=clean(key) if key else None,
        correlation_id=text("correlation_id"),
        causation_id=text("causation_id"),
        traceparent=text("traceparent"),
        headers=headers,
        payload=payload,
    )


def _unwrapped(message: Incoming, subscription: Subscription) -> Unwrapped:
    """The payload of a message, and the attributes that its body carries."""
    headers = message.headers
    if _is_structured(headers):
        found = _read(STRUCTURED, message)
        route = subscription.route(found.said.get("type", ""))
        whole = route is not None and route.event.envelope.name == "none"
        return Unwrapped(found.said, message.body) if whole else found
    if not subscription.wrappings:
        return Unwrapped({}, message.body)
    type_ = headers.get("ce_type")
    if not type_:
        return _recognised(message, subscription)
    route = subscription.route(type_)
    if route is None or route.event.envelope.name != "none":
        return Unwrapped({}, message.body)  # CloudEvents' binary mode, whoever sent it
    return _whole(route.event.envelope, message)


def _is_structured(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type", "").lower().startswith("application/cloudevents+json")


def _recognised(message: Incoming, subscription: Subscription) -> Unwrapped:
    """A message whose headers say no type: one of the ways its channel's events are sent in."""
    failure: Undecodable | None = None
    others: list[Unwrapped] = []
    for wrapping in subscription.wrappings:
        try:
            found = _read(wrapping, message)
        except Undecodable as error:
            failure = error
            continue
        route = subscription.route(found.said.get("type", ""))
        if route is not None and route.event.envelope == wrapping:
            return found
        others.append(found)
    if others:  # an event that nobody here handles, or the only one there is
        return max(others, key=lambda one: "type" in one.said)
    only = subscription.routes[0].event.envelope
    if failure is not None and (only.name != "none" or _only_type(subscription) is None):
        raise failure
    return Unwrapped({}, message.body)  # its type is known: the schema says what is wrong with it


def _whole(wrapping: Wrapping, message: Incoming) -> Unwrapped:
    try:
        return unwrap(wrapping, message.body)
    except ValueError:
        return Unwrapped({}, message.body)  # the schema says what is wrong with it


def _read(wrapping: Wrapping, message: Incoming) -> Unwrapped:
    try:
        return unwrap(wrapping, message.body)
    except ValueError as error:
        text = f"it should be in the envelope `{wrapping.name}`: {clean(str(error))}"
        raise Undecodable("undecodable", text) from error


def _only_type(subscription: Subscription) -> str | None:
    types = {route.event.type for route in subscription.routes}
    return types.pop() if len(types) == 1 else None


def _text(headers: Mapping[str, str], name: str) -> str | None:
    value = headers.get(name)
    return clean(value) if value else None


def _attributes(envelope: Envelope) -> dict[str, str]:
    """The attributes that have a value, as text."""
    attributes = {
        "id": str(envelope.id),
        "type": envelope.type,
        "source": envelope.source,
        "time": None if envelope.time is None else _timestamp(envelope.time),
        "version": envelope.version,
        "key": envelope.key,
        "correlation_id": envelope.correlation_id,
        "causation_id": envelope.causation_id,
        "traceparent": envelope.traceparent,
    }
    return {name: value for name, value in attributes.items() if value}


def _as_headers(attributes: Mapping[str, str], without: Collection[str]) -> dict[str, str]:
    return {_HEADERS[name]: text for name, text in attributes.items() if name not in without}


def event_id(value: str | None, source: str, origin: str) -> UUID:
    """The id that the inbox knows an event by, from the id it came with, if any."""
    if not value:
        return uuid5(_ORIGINS, clean(origin))
    try:
        return UUID(value)
    except ValueError:
        # CloudEvents: an id is any text, unique together with its source.
        return uuid5(_FOREIGN_IDS, clean(f"{source}\n{value}"))


def moment(value: str | None) -> datetime | None:
    """A time that an event says; None when it is none."""
    try:
        moment = datetime.fromisoformat(value or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else None  # a time of nowhere is not a time


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


_last_stamp = 0


def uuid7() -> UUID:
    """A UUID that sorts by the time it was made, also within one millisecond of this process."""
    global _last_stamp  # noqa: PLW0603  - the clock may stand still or jump back; ids must not
    # 48 bits of milliseconds and 12 bits of their fraction, as RFC 9562 (6.2, method 3) allows.
    nanoseconds = time.time_ns()
    milliseconds, rest = divmod(nanoseconds, 1_000_000)
    stamp = (milliseconds << 12) | (rest << 12) // 1_000_000
    _last_stamp = stamp = max(stamp, _last_stamp + 1)
    random = int.from_bytes(os.urandom(8), "big") >> 2
    value = (stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62 | random
    return UUID(int=value)
