"""What the two dialect files share: values on their way to columns and back, and a lost server."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zlib import crc32

from .database import LANES, OutboxRow, ParkedRow, PendingRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PENDING_BYTES = 16 * 1024 * 1024  # of bodies that a relay reads at a time; one may be on top
_LONGEST_KEY = 512  # characters; an index entry of PostgreSQL must fit into 2,704 bytes

# The columns of a row, in the order `pending_row` and `parked_row` read them.
PENDING = (
    "id, event_id, type, destination, key, headers, body, status, attempts, last_error, created_at"
)
ARCHIVED = "event_id, id, type, destination, key, headers, body"
PARKED = (
    "seq, consumer, event_id, key, type, headers, body, origin, status, reason, error, attempts,"
    " first_failed_at, next_at"
)


class Unreachable(Exception):  # noqa: N818  - says what is the matter
    """No connection to the database could be had."""


def lane_of(key: str | None, event_id: UUID) -> int:
    """The outbox lane of an event: all events of one key share one; keyless ones are spread."""
    return crc32(clean(str(event_id) if key is None else key).encode()) % LANES


def clean(text: str) -> str:
    """The text as both databases can store it.

    Foreign headers and keys may hold anything; an event that cannot even be parked would come
    again for ever.
    """
    if text.isascii() and "\x00" not in text:
        return text
    return text.replace("\x00", "\ufffd").encode(errors="replace").decode()


def short_key(key: str) -> str:
    """The key as it is stored and compared: itself, or its beginning and a hash when it is long."""
    key = clean(key)
    if len(key) <= _LONGEST_KEY:
        return key
    digest = blake2b(key.encode(), digest_size=16).hexdigest()
    return f"{key[: _LONGEST_KEY - 33]}#{digest}"


def headers_json(headers: Mapping[str, str]) -> str:
    """Headers as they are stored."""
    return json.dumps({clean(name): clean(value) for name, value in headers.items()})


def outbox_values(row: OutboxRow) -> tuple[int, UUID, str, str, str | None, str, bytes]:
    """The columns of an outbox row, from `lane` to `body`."""
    key = None if row.key is None else clean(row.key)
    lane = lane_of(row.key, row.event_id)
    headers = headers_json(row.headers)
    return lane, row.event_id, row.type, row.destination, key, headers, row.body


def pending_row(row: Any) -> PendingRow:
    """A row of the columns PENDING."""
    id_, event_id, type_, destination, key, headers, body, status, attempts, error, at = row
    return PendingRow(
        id=id_,
        event_id=_uuid(event_id),
        type=type_,
        destination=destination,
        key=key,
        headers=json.loads(headers),
        body=body,
        status=status,
        attempts=attempts,
        last_error=error,
        created_at=moment(at),
    )


def parked_row(row: Any) -> ParkedRow:
    """A row of the columns PARKED."""
    (seq, consumer, event_id, key, type_, headers, body, origin, *rest) = row
    status, reason, error, attempts, first_failed_at, next_at = rest
    return ParkedRow(
        seq=seq,
        consumer=consumer,
        event_id=_uuid(event_id),
        key=key,
        type=type_,
        headers=json.loads(headers),
        body=body,
        origin=origin,
        status=status,
        reason=reason,
        error=error,
        attempts=attempts,
        first_failed_at=moment(first_failed_at),
        next_at=moment(next_at),
    )


def causes(error: BaseException) -> Iterator[BaseException]:
    """An exception, what it was raised from, and the members of groups.

    Not what merely happened before it: an error of a handler that runs after an outage is still
    the handler's.
    """
    seen: set[int] = set()
    waiting: list[BaseException] = [error]
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        if current.__cause__ is not None:
            waiting.append(current.__cause__)
        if isinstance(current, BaseExceptionGroup):
            waiting.extend(current.exceptions)


def moment(value: datetime | str) -> datetime:
    """A time as either database gives it, as a value with its zone."""
    if isinstance(value, datetime):
        return value
    return datetime.fromisoformat(value).replace(tzinfo=UTC)


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)
