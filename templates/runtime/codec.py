"""Between an event's model and its bytes. Strict both ways, and nothing is converted silently."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError, from_json, to_json

from .envelope import Undecodable

if TYPE_CHECKING:
    from .service import EventType, Wire

MAX_BYTES = 8 * 1024 * 1024  # beyond what any of the brokers takes in one message as installed
_SHOWN = 3  # faults named in an error; the first ones explain the rest
_DIGITS = 308  # of the whole part of a number; no float has more


def encode(event: EventType, model: BaseModel) -> bytes:
    """The event's bytes: JSON with the names of the wire, or what its `wire` makes of that.

    Raises ValueError when the model holds what its own schema refuses: a consumer would have to
    refuse it too, and there it is too late to do something about it.
    """
    try:
        body = _json(event, model)
    except PydanticSerializationError as error:
        raise ValueError(f"{_name(event)}: {error}") from error
    _hold_against_size(event, body)
    if event.check is None:
        _read(event, body)
    else:  # which takes nothing that the types do not
        _hold_against_schema(event, body)
    if event.wire is not None:
        body = _on_wire(event, event.wire, body)
    return body


def _json(event: EventType, model: BaseModel) -> bytes:
    serializer = model.__pydantic_serializer__
    if event.wire is None:
        return serializer.to_json(model, by_alias=True, warnings="error")
    # JSON has no infinities, and what stands in for them here goes no further than `wire`.
    plain = serializer.to_python(model, mode="json", by_alias=True, warnings="error")
    return to_json(plain, inf_nan_mode="constants")


def _on_wire(event: EventType, wire: Wire, body: bytes) -> bytes:
    try:
        encoded = wire.encode(from_json(body))
    except ValueError as error:
        raise ValueError(f"{_name(event)}: {error}") from error
    _hold_against_size(event, encoded)
    return encoded


def decode(event: EventType, body: bytes, version: str | None = None) -> BaseModel:
    """The event in these bytes. Raises Undecodable("invalid") that names the event, where, and why.

    `version` is that of the event they were written as. The parser's own limits hold: 200 levels of
    nesting, 4,300 digits of a number.
    """
    try:
        _hold_against_size(event, body)
        if event.wire is not None:
            body = to_json(payload(event, body, version), inf_nan_mode="constants")
        model = _read(event, body)
        _hold_against_schema(event, body)
    except ValueError as error:
        raise Undecodable("invalid", str(error)) from error
    return model


def payload(event: EventType, body: bytes, version: str | None = None) -> Any:
    """What is in these bytes, as plain data. Raises Undecodable("invalid") like `decode`."""
    try:
        return from_json(body) if event.wire is None else event.wire.decode(body, version)
    except ValueError as error:
        raise Undecodable("invalid", f"{_name(event)}: {error}") from error


def _read(event: EventType, body: bytes) -> BaseModel:
    """The model of these bytes, by its types alone."""
    read = event.model.__pydantic_validator__.validate_json
    try:
        model: BaseModel = read(body, strict=True, by_alias=True, by_name=False)
    except ValidationError as error:
        mended = _with_whole_numbers(body)
        if mended is None:
            raise _refused(event, error) from error
        try:
            model = read(mended, strict=True, by_alias=True, by_name=False)
        except ValidationError as again:
            raise _refused(event, again) from again
    return model


def _refused(event: EventType, error: ValidationError) -> ValueError:
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    found = ((fault["loc"], fault["msg"]) for fault in faults)
    return ValueError(f"{_name(event)}: {_summary(found)}")


def _hold_against_schema(event: EventType, body: bytes) -> None:
    if event.check is not None and (found := event.check.faults(body)):
        raise ValueError(f"{_name(event)}: {_summary(found)}")


def _hold_against_size(event: EventType, body: bytes) -> None:
    if len(body) > MAX_BYTES:
        raise ValueError(f"{_name(event)}: {len(body)} bytes, more than {MAX_BYTES}")


def _with_whole_numbers(body: bytes) -> str | None:
    """The document with `3.0` and `3e0` written as `3`; None when it has no such numbers.

    JSON Schema takes all of them for the integer 3, pydantic in its strict mode only the last.
    """
    found = False

    def whole(text: str) -> int | float:
        nonlocal found
        number = Decimal(text)
        if number.adjusted() > _DIGITS or number != number.to_integral_value():
            return float(text)
        found = True
        return int(number)

    try:
        document = json.loads(body, parse_float=whole)
    except (ValueError, RecursionError):
        return None
    return json.dumps(document) if found else None


def _name(event: EventType) -> str:
    return f"{event.type} {event.version}".strip()


def _summary(found: Iterable[tuple[Iterable[int | str], str]]) -> str:
    faults = [f"{_path(location)}: {why}" for location, why in found]
    more = [f"and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
    return "; ".join(faults[:_SHOWN] + more)


def _path(location: Iterable[int | str]) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return "$" + "".join(steps)
