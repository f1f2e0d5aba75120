"""Single values of Protobuf, and the messages of its own library, as plain data (JSON) has them."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from pydantic import TypeAdapter

Convert: TypeAlias = Callable[[Any], Any]

UNKNOWN = "$unknown"  # no name of a field looks like this
_LARGEST_FLOAT = (2 - 2**-23) * 2.0**127
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DURATION = TypeAdapter(timedelta)
_FLOAT, _ENUM, _BYTES = 2, 14, 12  # numbers of FieldDescriptorProto.Type


def scalar(field: Any) -> tuple[Convert, Convert]:
    """What makes plain data a value of a field, and the other way about."""
    if field.enum_type is not None:
        return _enum(field.enum_type)
    return _SCALARS.get(field.type, (_as_it_is, _as_it_is))


def _as_it_is(value: Any) -> Any:
    return value


def _single(value: float) -> float:
    if math.isfinite(value) and abs(value) > _LARGEST_FLOAT:
        raise ValueError(f"{value} is too large for a float")
    return value


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


_SCALARS: Mapping[int, tuple[Convert, Convert]] = {
    _BYTES: (_bytes, _base64),
    _FLOAT: (_single, _as_it_is),
}


def _enum(kind: Any) -> tuple[Convert, Convert]:
    numbers: dict[str, int] = {value.name: value.number for value in kind.values}
    names: dict[int, str] = {n: kind.values_by_number[n].name for n in numbers.values()}

    def into(value: str | int) -> int:
        return numbers[value] if isinstance(value, str) else value

    def out(number: int) -> str | int:
        return names.get(number, number)

    return into, out


# messages of google.protobuf ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _WellKnown:
    """Copies between a message of this kind and what stands for it."""

    write: Callable[[Any, Any], None]
    read: Convert


def _write_timestamp(message: Any, text: str) -> None:
    micros = (datetime.fromisoformat(text).astimezone(UTC) - _EPOCH) // _MICROSECOND
    seconds, rest = divmod(micros, 1_000_000)
    message.seconds, message.nanos = seconds, rest * 1000


def _read_timestamp(message: Any) -> str:
    after = timedelta(seconds=message.seconds, microseconds=message.nanos // 1000)
    return (_EPOCH + after).isoformat()


def _write_duration(message: Any, text: str) -> None:
    micros = _DURATION.validate_python(text) // _MICROSECOND
    sign = -1 if micros < 0 else 1
    seconds, rest = divmod(abs(micros), 1_000_000)
    message.seconds, message.nanos = sign * seconds, sign * rest * 1000


def _read_duration(message: Any) -> Any:
    micros = message.seconds * 1_000_000 + int(message.nanos / 1000)
    return _DURATION.dump_python(_MICROSECOND * micros, mode="json")


def _wrapper(into: Convert = _as_it_is, out: Convert = _as_it_is) -> _WellKnown:
    return _WellKnown(
        lambda message, value: setattr(message, "value", into(value)),
        lambda message: out(message.value),
    )


def _write_struct(message: Any, value: Mapping[str, Any]) -> None:
    for key, inner in value.items():
        _write_value(message.fields[key], inner)


def _read_struct(message: Any) -> dict[str, Any]:
    return {key: _read_value(inner) for key, inner in message.fields.items()}


def _write_list(message: Any, values: list[Any]) -> None:
    for inner in values:
        _write_value(message.values.add(), inner)


def _read_list(message: Any) -> list[Any]:
    return [_read_value(inner) for inner in message.values]


def _write_value(message: Any, value: Any) -> None:
    if value is None:
        message.null_value = 0
    elif isinstance(value, bool):
        message.bool_value = value
    elif isinstance(value, str):
        message.string_value = value
    elif isinstance(value, dict):
        message.struct_value.SetInParent()
        _write_struct(message.struct_value, value)
    elif isinstance(value, list):
        message.list_value.SetInParent()
        _write_list(message.list_value, value)
    elif int(value) != int(float(value)):
        raise ValueError(f"{value} is no double, and a Value holds no other numbers")
    else:
        message.number_value = value


def _read_value(message: Any) -> Any:
    match message.WhichOneof("kind"):
        case "struct_value":
            return _read_struct(message.struct_value)
        case "list_value":
            return _read_list(message.list_value)
        case "number_value":
            number = message.number_value
            return int(number) if number.is_integer() else number
        case "bool_value" | "string_value" as kind:
            return getattr(message, kind)
    return None


WELL_KNOWN: Mapping[str, _WellKnown] = {
    "google.protobuf.BoolValue": _wrapper(),
    "google.protobuf.BytesValue": _wrapper(_bytes, _base64),
    "google.protobuf.DoubleValue": _wrapper(),
    "google.protobuf.Duration": _WellKnown(_write_duration, _read_duration),
    "google.protobuf.FloatValue": _wrapper(_single),
    "google.protobuf.Int32Value": _wrapper(),
    "google.protobuf.Int64Value": _wrapper(),
    "google.protobuf.ListValue": _WellKnown(_write_list, _read_list),
    "google.protobuf.StringValue": _wrapper(),
    "google.protobuf.Struct": _WellKnown(_write_struct, _read_struct),
    "google.protobuf.Timestamp": _WellKnown(_write_timestamp, _read_timestamp),
    "google.protobuf.UInt32Value": _wrapper(),
    "google.protobuf.UInt64Value": _wrapper(),
    "google.protobuf.Value": _WellKnown(_write_value, _read_value),
}
