"""Defaults of Avro schemas, as the JSON Schemas made of them have them."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from types import MappingProxyType
from typing import Any
from uuid import UUID

from eventgen.spec.formats.avro_types import LOGICAL, Named, Schema, is_tagged, tag

_LIMITS = {"int": 2**31, "long": 2**63}


def json_default(schema: Any, value: Any, named: Named) -> Any:
    """A default of an Avro schema as the JSON Schema has it.

    Raises ValueError when it is no value of the schema, OverflowError when Python has no such time.
    Since Avro 1.12 it may be one of any branch of a union.
    """
    if isinstance(schema, list):
        return _of_union(schema, value, named)
    if isinstance(schema, str):
        schema = named.get(schema, {"type": schema})
    kind = schema["type"]
    if (kind, schema.get("logicalType")) in LOGICAL:
        return _of_logical(schema, value)
    if kind in _OF_PARTS and isinstance(value, list if kind == "array" else dict):
        return _OF_PARTS[kind](schema, value, named)
    if kind not in _OF_PARTS and _is_value(schema, value):
        return _base64(value) if kind in ("bytes", "fixed") else value
    raise ValueError(value)


def _of_array(schema: Schema, value: Any, named: Named) -> Any:
    return [json_default(schema["items"], one, named) for one in value]


def _of_map(schema: Schema, value: Any, named: Named) -> Any:
    return {key: json_default(schema["values"], one, named) for key, one in value.items()}


def _of_record(schema: Schema, value: Any, named: Named) -> Any:
    whole = {part["name"]: part["default"] for part in schema["fields"] if "default" in part}
    whole |= value
    if missing := [part["name"] for part in schema["fields"] if part["name"] not in whole]:
        raise ValueError(missing)
    return {
        part["name"]: json_default(part["type"], whole[part["name"]], named)
        for part in schema["fields"]
    }


_OF_PARTS: Mapping[str, Callable[[Schema, Any, Named], Any]] = MappingProxyType(
    {"array": _of_array, "error": _of_record, "map": _of_map, "record": _of_record}
)


def _base64(value: str) -> str:
    """Bytes are written as a text of their code points."""
    return base64.b64encode(value.encode("latin-1")).decode()


def _is_value(schema: Schema, value: Any) -> bool:
    """Whether a value is one of a type without parts, as a default is written."""
    kind = schema["type"]
    if kind in ("bytes", "fixed"):
        return isinstance(value, str) and len(value) == schema.get("size", len(value))
    if kind == "enum":
        return value in schema["symbols"]
    return isinstance(value, str) if kind == "string" else _is_plain(kind, value)


def _is_plain(kind: str, value: Any) -> bool:
    if kind in _LIMITS:
        whole = isinstance(value, int) and not isinstance(value, bool)
        return whole and -_LIMITS[kind] <= value < _LIMITS[kind]
    if kind in ("float", "double"):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and math.isfinite(value)
    return value is None if kind == "null" else isinstance(value, bool)


def _of_union(branches: list[Any], value: Any, named: Named) -> Any:
    for branch in branches:
        try:
            found = json_default(branch, value, named)
        except (OverflowError, ValueError):
            continue
        needs_tag = branch != "null" and is_tagged(branches, named)
        return {tag(branch): found} if needs_tag else found
    raise ValueError(value)


def _of_logical(schema: Schema, value: Any) -> Any:
    """The default of a logical type, which is written as one of the type below it."""
    kind, logical = schema["type"], schema["logicalType"]
    if kind in _LIMITS:
        if not _is_plain(kind, value):
            raise ValueError(value)
        return _TIMES[logical](value) if logical in _TIMES else value
    if not isinstance(value, str) or len(value) != schema.get("size", len(value)):
        raise ValueError(value)
    if kind == "string":
        return str(UUID(value))
    content = value.encode("latin-1")
    match logical:
        case "decimal":
            whole = int.from_bytes(content, "big", signed=True)
            if abs(whole) >= 10 ** schema["precision"]:
                raise ValueError(value)
            with localcontext(prec=schema["precision"]):
                return format(Decimal(whole).scaleb(-schema.get("scale", 0)), "f")
        case "uuid":
            return str(UUID(bytes=content))
    months, days, milliseconds = (
        int.from_bytes(content[start : start + 4], "little") for start in (0, 4, 8)
    )
    return {"months": months, "days": days, "milliseconds": milliseconds}


def _after_epoch(unit: timedelta, count: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + unit * count


_MILLI, _MICRO = timedelta(milliseconds=1), timedelta(microseconds=1)
# A number of days or of parts of a second, as text.
_TIMES: Mapping[str, Callable[[int], str]] = MappingProxyType(
    {
        "date": lambda count: _after_epoch(timedelta(1), count).date().isoformat(),
        "local-timestamp-micros": lambda n: (
            _after_epoch(_MICRO, n).replace(tzinfo=None).isoformat()
        ),
        "local-timestamp-millis": lambda n: (
            _after_epoch(_MILLI, n).replace(tzinfo=None).isoformat()
        ),
        "time-micros": lambda count: _after_epoch(_MICRO, count).time().isoformat(),
        "time-millis": lambda count: _after_epoch(_MILLI, count).time().isoformat(),
        "timestamp-micros": lambda count: _after_epoch(_MICRO, count).isoformat(),
        "timestamp-millis": lambda count: _after_epoch(_MILLI, count).isoformat(),
    }
)
