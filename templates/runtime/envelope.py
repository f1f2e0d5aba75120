"""The CloudEvents attributes of an event, as headers and as a value.

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

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .service import Subscription
    from .transport import Incoming

# Ids made of foreign ids and of places on the broker. Never change them: the inbox remembers.
_FOREIGN_IDS = uuid5(NAMESPACE_URL, "eventgen:foreign-id")
_ORIGINS = uuid5(NAMESPACE_URL, "eventgen:origin")


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
    """What is known about an event besides its payload. `headers` are all headers it came with.

    `time` is None when the sender did not say when it happened. An event without an id of its own,
    or whose id is no UUID, has one derived from what identifies it, the same at every delivery.
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


def to_headers(envelope: Envelope, content_type: str) -> dict[str, str]:
    """The headers of an event in CloudEvents' binary mode; `envelope.headers` are kept besides."""
    headers = {
        **envelope.headers,
        "ce_specversion": "1.0",
        "ce_id": str(envelope.id),
        "ce_type": envelope.type,
        "ce_source": envelope.source,
        "content-type": content_type,
    }
    optional = {
        "ce_time": None if envelope.time is None else _timestamp(envelope.time),
        "ce_eventversion": envelope.version,
        "ce_partitionkey": envelope.key,
        "ce_correlationid": envelope.correlation_id,
        "ce_causationid": envelope.causation_id,
        "traceparent": envelope.traceparent,
    }
    headers.update((name, value) for name, value in optional.items() if value)
    return headers


def read_envelope(message: Incoming, subscription: Subscription) -> Envelope:
    """The envelope of a message. Raises Undecodable when there is no telling what event it is."""
    headers = message.headers
    type_ = headers.get("ce_type") or _only_type(subscription)
    if type_ is None:
        raise Undecodable(
            "undecodable",
            f"no ce_type header, and {subscription.channel.name} carries several events",
        )
    route = subscription.route(type_)
    source = _text(headers, "ce_source") or clean(message.destination)
    key = message.key or headers.get("ce_partitionkey")
    return Envelope(
        id=_id(headers.get("ce_id"), source, message.origin),
        type=clean(type_),
        source=source,
        time=_time(headers.get("ce_time")),
        version=_text(headers, "ce_eventversion") or (route.event.version if route else ""),
        key=clean(key) if key else None,
        correlation_id=_text(headers, "ce_correlationid"),
        causation_id=_text(headers, "ce_causationid"),
        traceparent=_text(headers, "traceparent"),
        headers=headers,
    )


def _only_type(subscription: Subscription) -> str | None:
    types = {route.event.type for route in subscription.routes}
    return types.pop() if len(types) == 1 else None


def _text(headers: Mapping[str, str], name: str) -> str | None:
    value = headers.get(name)
    return clean(value) if value else None


def _id(value: str | None, source: str, origin: str) -> UUID:
    if not value:
        return uuid5(_ORIGINS, clean(origin))
    try:
        return UUID(value)
    except ValueError:
        # CloudEvents: an id is any text, unique together with its source.
        return uuid5(_FOREIGN_IDS, clean(f"{source}\n{value}"))


def _time(value: str | None) -> datetime | None:
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
