"""Which parked events, outbox rows or archived events somebody means, as SQL for both databases."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from .dialect import PARKED, PENDING, clean, moment, short_key

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows that match all that is given; `until` is the first moment that is too late.

    Only parked events have a consumer and a reason.
    """

    numbers: tuple[int, ...] = ()
    consumer: str | None = None
    type: str | None = None
    key: str | None = None
    reason: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def everything(self) -> bool:
        """Whether nothing is given."""
        return not any(getattr(self, field.name) for field in fields(self))


class _Moment(sa.TypeDecorator[datetime]):
    """A time, which SQLite has as text in UTC."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        type_ = sa.Text() if dialect.name == "sqlite" else sa.DateTime(timezone=True)
        return dialect.type_descriptor(type_)

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> Any:
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).isoformat(" ", "milliseconds").removesuffix("+00:00")

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        del dialect
        return None if value is None else moment(value)


_TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    "seq": sa.BigInteger(),
    "id": sa.BigInteger(),
    "first_failed_at": _Moment(),
    "next_at": _Moment(),
    "created_at": _Moment(),
    "sent_at": _Moment(),
}


def _table(name: str, columns: str) -> sa.TableClause:
    names = [column.strip() for column in columns.split(",")]
    return sa.table(name, *(sa.column(n, _TYPES.get(n, sa.types.NULLTYPE)) for n in names))


@dataclass(frozen=True, slots=True)
class Rows:
    """A table as it is selected from: its numbers give the order of each key."""

    table: sa.TableClause
    number: str
    time: str
    stored_key: Callable[[str], str] = clean
    status: str | None = None  # only rows of this status

    @property
    def numbers(self) -> sa.ColumnClause[int]:
        """The column of the numbers."""
        return self.table.c[self.number]

    def where(self, selection: Selection) -> list[sa.ColumnElement[bool]]:
        """What a row must fulfil to be meant."""
        c, time = self.table.c, self.table.c[self.time]
        found = [] if self.status is None else [c.status == self.status]
        if selection.numbers:
            found.append(self.numbers.in_(selection.numbers))
        if selection.key is not None:
            found.append(c.key == self.stored_key(selection.key))
        same = {name: getattr(selection, name) for name in ("consumer", "type", "reason")}
        found.extend(c[name] == value for name, value in same.items() if value is not None)
        if selection.since is not None:
            found.append(time >= selection.since)
        if selection.until is not None:
            found.append(time < selection.until)
        return found

    def select(self, selection: Selection) -> sa.Select[Any]:
        """The rows, in order, with headers as text."""
        columns = [sa.cast(c, sa.Text) if c.name == "headers" else c for c in self.table.c]
        return sa.select(*columns).where(*self.where(selection)).order_by(self.numbers)


_PARKED = _table("parked", PARKED)
_OUTBOX = _table("outbox", PENDING)
_SENT = _table("outbox_sent", "id, event_id, type, destination, key, headers, body, sent_at")

PARKED_ROWS = Rows(_PARKED, "seq", "first_failed_at", short_key)
DEAD = Rows(_PARKED, "seq", "first_failed_at", short_key, "dead")
OUTBOX_ROWS = Rows(_OUTBOX, "id", "created_at")
POISON = Rows(_OUTBOX, "id", "created_at", status="poison")
SENT = Rows(_SENT, "id", "sent_at")
