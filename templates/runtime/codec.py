"""Between an event's model and its bytes. Strict both ways, and nothing is converted silently."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError, from_json, to_json

from .envelope import Undecodable

if TYPE_CHECKING:
    from .service import EventType

MAX_BYTES = 8 * 1024 * 1024  # beyond what any of the brokers takes in one message as installed
_SHOWN = 3  # faults named in an error; the first ones explain the rest


def encode(event: EventType, model: BaseModel) -> bytes:
    """The event's bytes: JSON with the names of the wire, or what its `wire` makes of that.

    Raises ValueError when the model holds what its own schema refuses: a consumer would have to
    refuse it too, and there it is too late to do something about it.
    """
    try:
        body = _json(event, model)
        event.model.__pydantic_validator__.validate_json(body, strict=True)
        if event.wire is not None:
            body = event.wire.encode(from_json(body))
    except ValidationError as error:
        raise ValueError(f"{_name(event)}: {_faults(error)}") from error
    except (PydanticSerializationError, ValueError) as error:
        raise ValueError(f"{_name(event)}: {error}") from error
    if len(body) > MAX_BYTES:
        raise ValueError(f"{_name(event)}: {len(body)} bytes, more than {MAX_BYTES}")
    return body


def _json(event: EventType, model: BaseModel) -> bytes:
    serializer = model.__pydantic_serializer__
    if event.wire is None:
        return serializer.to_json(model, by_alias=True, warnings="error")
    # JSON has no infinities, and what stands in for them here goes no further than `wire`.
    plain = serializer.to_python(model, mode="json", by_alias=True, warnings="error")
    return to_json(plain, inf_nan_mode="constants")


def decode(event: EventType, body: bytes, version: str | None = None) -> BaseModel:
    """The event in these bytes. Raises Undecodable("invalid") that names the event, where, and why.

    `version` is that of the event they were written as. The parser's own limits hold: 200 levels of
    nesting, 4,300 digits of a number.
    """
    if len(body) > MAX_BYTES:
        raise Undecodable("invalid", f"{_name(event)}: {len(body)} bytes, more than {MAX_BYTES}")
    if event.wire is not None:
        body = to_json(payload(event, body, version), inf_nan_mode="constants")
    try:
        model: BaseModel = event.model.__pydantic_validator__.validate_json(body, strict=True)
    except ValidationError as error:
        raise Undecodable("invalid", f"{_name(event)}: {_faults(error)}") from error
    return model


def payload(event: EventType, body: bytes, version: str | None = None) -> Any:
    """What is in these bytes, as plain data. Raises Undecodable("invalid") like `decode`."""
    try:
        return from_json(body) if event.wire is None else event.wire.decode(body, version)
    except ValueError as error:
        raise Undecodable("invalid", f"{_name(event)}: {error}") from error


def _name(event: EventType) -> str:
    return f"{event.type} {event.version}".strip()


def _faults(error: ValidationError) -> str:
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    shown = [f"{_path(fault['loc'])}: {fault['msg']}" for fault in faults[:_SHOWN]]
    more = [f"and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
    return "; ".join(shown + more)


def _path(location: tuple[int | str, ...]) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return "$" + "".join(steps)
