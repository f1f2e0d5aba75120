"""Single values of Avro: what fastavro writes and reads, and what plain data (JSON) has for it."""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, TypeAlias
from uuid import UUID

Schema: TypeAlias = Mapping[str, Any]
Convert: TypeAlias = Callable[[Any], Any]
Leaf: TypeAlias = Callable[[Schema], Convert]  # the conversion of the values of a schema

PARTS = ("months", "days", "milliseconds")  # of a duration
_DURATION = struct.Struct("<III")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST_FLOAT = (2 - 2**-23) * 2.0**127


# from JSON to what fastavro writes ----------------------------------------------------------------


def _whole(bits: int, _: Schema) -> Convert:
    limit = 2 ** (bits - 1)

    def check(value: int) -> int:
        if not -limit <= value < limit:
            raise ValueError(f"{value} does not fit in {bits} bits")
        return value

    return check


def _single(_: Schema) -> Convert:
    def check(value: float) -> float:
        if math.isfinite(value) and abs(value) > _LARGEST_FLOAT:
            raise ValueError(f"{value} is too large for a float")
        return value

    return check


def _decimal(schema: Schema) -> Convert:
    scale, precision = schema.get("scale", 0), schema["precision"]

    def read(value: str) -> Decimal:
        number = Decimal(value)
        digits = number.adjusted() + 1 + scale if number else 0
        if digits > precision:
            raise ValueError(f"{value} has more than {precision - scale} digits before the point")
        return number

    return read


def _moment(value: str) -> datetime:
    return datetime.fromisoformat(value).astimezone(UTC)


def _local(parse: Callable[[str], datetime | time], value: str) -> datetime | time:
    moment = parse(value)
    if moment.tzinfo is not None:
        raise ValueError(f"{value} has an offset, and a local time has none")
    return moment


def _of_duration(value: Mapping[str, int]) -> bytes:
    return _DURATION.pack(*(value[part] for part in PARTS))


def _always(convert: Convert) -> Leaf:
    return lambda _: convert


_bytes = _always(partial(base64.b64decode, validate=True))
_date_time, _time_of_day = (
    _always(partial(_local, parse)) for parse in (datetime.fromisoformat, time.fromisoformat)
)
INTO: Mapping[tuple[str, str], Leaf] = {
    ("bytes", ""): _bytes,
    ("bytes", "decimal"): _decimal,
    ("fixed", ""): _bytes,
    ("fixed", "decimal"): _decimal,
    ("fixed", "duration"): _always(_of_duration),
    ("fixed", "uuid"): _always(lambda value: UUID(value).bytes),
    ("float", ""): _single,
    ("int", ""): partial(_whole, 32),
    ("int", "date"): _always(date.fromisoformat),
    ("int", "time-millis"): _time_of_day,
    ("long", ""): partial(_whole, 64),
    ("long", "local-timestamp-micros"): _date_time,
    ("long", "local-timestamp-millis"): _date_time,
    ("long", "local-timestamp-nanos"): partial(_whole, 64),
    ("long", "time-micros"): _time_of_day,
    ("long", "timestamp-micros"): _always(_moment),
    ("long", "timestamp-millis"): _always(_moment),
    ("long", "timestamp-nanos"): partial(_whole, 64),
    ("string", "uuid"): _always(UUID),
}


# from what fastavro reads to JSON -----------------------------------------------------------------


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _duration(value: bytes) -> dict[str, int]:
    return dict(zip(PARTS, _DURATION.unpack(value), strict=True))


def _iso(schema: Schema) -> Convert:
    """A time as text. A version without the logical type wrote, and one reads, its number."""
    of_number = DEFAULTS[schema["type"], schema["logicalType"]](schema)
    return lambda value: (of_number(value) if isinstance(value, int) else value).isoformat()


OUT: Mapping[tuple[str, str], Leaf] = {
    ("bytes", ""): _always(_text),
    ("bytes", "decimal"): _always(lambda value: format(value, "f")),
    ("fixed", ""): _always(_text),
    ("fixed", "decimal"): _always(lambda value: format(value, "f")),
    ("fixed", "duration"): _always(_duration),
    ("fixed", "uuid"): _always(lambda value: str(UUID(bytes=value))),
    ("int", "date"): _iso,
    ("int", "time-millis"): _iso,
    ("long", "local-timestamp-micros"): _iso,
    ("long", "local-timestamp-millis"): _iso,
    ("long", "time-micros"): _iso,
    ("long", "timestamp-micros"): _iso,
    ("long", "timestamp-millis"): _iso,
    ("string", "uuid"): _always(str),
}


# from the defaults in a schema to what fastavro writes and reads ----------------------------------


def _after_epoch(unit: timedelta) -> Convert:
    return lambda count: _EPOCH + unit * count


def _days(count: int) -> date:
    return (_EPOCH + timedelta(count)).date()


def _time_after(unit: timedelta) -> Convert:
    return lambda count: (_EPOCH + unit * count).time()


def _local_after(unit: timedelta) -> Convert:
    return lambda count: (_EPOCH + unit * count).replace(tzinfo=None)


def _latin(content: str) -> bytes:
    """Bytes are written as a text of their code points."""
    return content.encode("latin-1")


def _default_decimal(schema: Schema) -> Convert:
    def read(content: str) -> Decimal:
        unscaled = int.from_bytes(_latin(content), "big", signed=True)
        return Decimal(unscaled).scaleb(-schema.get("scale", 0))

    return read


_MILLI, _MICRO = timedelta(milliseconds=1), timedelta(microseconds=1)
DEFAULTS: Mapping[tuple[str, str], Leaf] = {
    ("bytes", ""): _always(_latin),
    ("bytes", "decimal"): _default_decimal,
    ("fixed", ""): _always(_latin),
    ("fixed", "decimal"): _default_decimal,
    ("int", "date"): _always(_days),
    ("int", "time-millis"): _always(_time_after(_MILLI)),
    ("long", "local-timestamp-micros"): _always(_local_after(_MICRO)),
    ("long", "local-timestamp-millis"): _always(_local_after(_MILLI)),
    ("long", "time-micros"): _always(_time_after(_MICRO)),
    ("long", "timestamp-micros"): _always(_after_epoch(_MICRO)),
    ("long", "timestamp-millis"): _always(_after_epoch(_MILLI)),
    ("string", "uuid"): _always(UUID),
}
