"""How the attributes of an event travel with its payload: in headers, around it, or within it.

Each way is a value. What the body does not carry goes as headers, whatever the way.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from pydantic_core import from_json

from .dialect import clean

LARGEST = 9 * 1024 * 1024  # bytes: the largest payload, and room for what is around it

# The marks of a JSON object: how it begins, a name, and what is behind a value.
_BEGIN = re.compile(r"[ \t\n\r]*\{[ \t\n\r]*(\})?")
_NAME = re.compile(r'[ \t\n\r]*"((?:[^"\\\x00-\x1f]|\\.)*)"[ \t\n\r]*:[ \t\n\r]*')
_NEXT = re.compile(r"[ \t\n\r]*([,}])")


@dataclass(frozen=True, slots=True)
class Wrapping:
    """One way. `attributes` has the path in the body of each attribute that the body carries.

    `data` is the member of the body that holds the payload; None when the body is the payload.
    `fixed` are members that are always the same. `content_type` is that of the whole, where it is
    not the payload's.
    """

    name: Literal["cloudevents", "structured", "plain", "none"]
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    data: str | None = None
    fixed: Mapping[str, str] = field(default_factory=dict)
    content_type: str | None = None


class Unwrapped(NamedTuple):
    """The attributes that a body carries, by name, and the payload in it."""

    said: Mapping[str, str]
    payload: bytes


# CloudEvents' binary mode: everything in headers, the body is the payload.
BINARY = Wrapping("cloudevents")
# CloudEvents' structured mode, in the JSON format (CloudEvents 1.0.2, JSON event format).
STRUCTURED = Wrapping(
    "structured",
    {
        "id": ("id",),
        "type": ("type",),
        "source": ("source",),
        "time": ("time",),
        "version": ("eventversion",),
        "key": ("partitionkey",),
        "correlation_id": ("correlationid",),
        "causation_id": ("causationid",),
        "traceparent": ("traceparent",),
    },
    "data",
    {"specversion": "1.0", "datacontenttype": "application/json"},
    "application/cloudevents+json",
)
_PLAIN = Wrapping(
    "plain",
    {
        "id": ("id",),
        "type": ("name",),
        "time": ("timestamp",),
        "version": ("version",),
        "source": ("source",),
        "correlation_id": ("correlation_id",),
    },
    "data",
    content_type="application/json",
)


def plain() -> Wrapping:
    """A JSON object of id, name, timestamp, version, source, correlation_id and data."""
    return _PLAIN


def none(**attributes: tuple[str, ...]) -> Wrapping:
    """The payload is an envelope itself; the path of each attribute in it."""
    return Wrapping("none", attributes)


def wrap(wrapping: Wrapping, attributes: Mapping[str, str], payload: bytes) -> bytes:
    """The body of an event. A payload that goes into another object must be JSON."""
    if wrapping.data is None:
        return payload
    members = {
        path[0]: attributes[name]
        for name, path in wrapping.attributes.items()
        if name in attributes
    }
    head = json.dumps({**wrapping.fixed, **members})
    return b"".join((head[:-1].encode(), b', "', wrapping.data.encode(), b'": ', payload, b"}"))


def unwrap(wrapping: Wrapping, body: bytes) -> Unwrapped:
    """What a body carries. Raises ValueError when it cannot be what the wrapping says."""
    if len(body) > LARGEST:
        raise ValueError(f"{len(body)} bytes, more than {LARGEST}")
    if wrapping.data is None:
        document = from_json(body) if wrapping.attributes else None
        return Unwrapped(_said(wrapping, document), body)
    try:
        members, payload = _opened(body.decode(), wrapping.data)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if payload is None:
        payload = _from_base64(members.get(f"{wrapping.data}_base64"))
    if payload is None:
        raise ValueError(f"it has no `{wrapping.data}`")
    return Unwrapped(_said(wrapping, members), payload)


def _said(wrapping: Wrapping, document: Any) -> dict[str, str]:
    found = {name: _text(document, path) for name, path in wrapping.attributes.items()}
    return {name: text for name, text in found.items() if text}


def _text(value: Any, path: tuple[str, ...]) -> str | None:
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    if isinstance(value, str):
        return clean(value)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number else None


def _from_base64(value: Any) -> bytes | None:
    """CloudEvents' form for a payload that is no JSON."""
    return base64.b64decode(value, validate=True) if isinstance(value, str) else None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


_decoder = json.JSONDecoder(parse_constant=_refuse)


def _opened(text: str, data: str) -> tuple[dict[str, Any], bytes | None]:
    """The members of a JSON object, and one of them as the bytes it was written in.

    As bytes, because a number of the payload may be more exact than a float.
    """
    members: dict[str, Any] = {}
    payload = None
    mark = _matched(_BEGIN, text, 0)
    while mark[1] != "}":
        named = _matched(_NAME, text, mark.end())
        name = named[1] if "\\" not in named[1] else json.loads(f'"{named[1]}"')
        members[name], end = _decoder.raw_decode(text, named.end())
        if name == data:
            payload = text[named.end() : end].encode()
        mark = _matched(_NEXT, text, end)
    if text[mark.end() :].strip(" \t\n\r"):
        raise ValueError("there is more behind the object")
    return members, payload


def _matched(pattern: re.Pattern[str], text: str, at: int) -> re.Match[str]:
    found = pattern.match(text, at)
    if found is None:
        raise ValueError(f"it is no JSON object, from character {at} on")
    return found
