"""How an event is a message of SNS and SQS, which is text with a few attributes.

The body of a CloudEvent is its structured form in JSON, as others who read the queue expect it;
that of any other event is its payload, in base64 where that is no text that SQS takes. The headers
that the body does not say are JSON in one attribute: there may be ten attributes at most, and SNS
drops a message with more on its way to a queue.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic_core import from_json

from .dialect import clean
from .transport import Incoming, Outgoing
from .wrapping import STRUCTURED, unwrap, wrap

# The attributes. The first says that the message is one of ours.
_HEADERS, _CONTENT_TYPE, _TYPE = "headers", "content-type", "type"
# What is said among the headers, by names that no header can have.
_KEY, _DESTINATION, _BASE64 = ":key", ":destination", ":base64"
_EMPTY = " "  # a body has at least one character

# The characters of XML 1.0, which are those of a body.
_LEGAL = re.compile("[\\t\\n\\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+")
_JSON = re.compile(r"application/(?:[^;]+\+)?json(?:;|$)", re.IGNORECASE)
# The header of each attribute of a CloudEvent.
_ATTRIBUTES = {
    name: "traceparent" if path == ("traceparent",) else f"ce_{path[0]}"
    for name, path in STRUCTURED.attributes.items()
}
_NEEDED = ("ce_id", "ce_type", "ce_source")

Attributes = Mapping[str, Mapping[str, str]]


def pack(message: Outgoing, *, names_destination: bool) -> tuple[str, Attributes]:
    """The body and the attributes of a message, which says where it was meant for if need be."""
    rest = {clean(name): clean(value) for name, value in message.headers.items()}
    said: dict[str, str] = {}
    body = _structured(rest, message.body)
    if body is not None:
        said[_CONTENT_TYPE] = STRUCTURED.content_type or ""
    else:
        body = _text(message.body)
    if body is None:
        rest[_BASE64] = "true"
        body = base64.b64encode(message.body).decode() or _EMPTY
    if message.key is not None:
        rest[_KEY] = clean(message.key)
    if names_destination:
        rest[_DESTINATION] = clean(message.destination)
    said[_HEADERS] = json.dumps(rest)
    if (type_ := message.headers.get("ce_type")) and _LEGAL.fullmatch(type_):
        said[_TYPE] = type_  # for others, to filter by
    return body, {
        name: {"DataType": "String", "StringValue": value} for name, value in said.items()
    }


def size(body: str, attributes: Attributes) -> int:
    """Its bytes as SNS and SQS count them: the names, types and values of attributes as well."""
    counted = sum(
        len(name) + len(one["DataType"]) + len(one["StringValue"].encode())
        for name, one in attributes.items()
    )
    return len(body.encode()) + counted


def unpack(received: Mapping[str, Any], destination: str, queue: str) -> Incoming:
    """A received message, ours or that of others, without the transport's token."""
    attributes = {
        clean(name): clean(one.get("StringValue", ""))
        for name, one in received.get("MessageAttributes", {}).items()
    }
    body = str(received["Body"])
    origin = clean(f"{queue}/{received['MessageId']}")
    rest = _ours(attributes.get(_HEADERS))
    if rest is None:
        key = received.get("Attributes", {}).get("MessageGroupId")
        return Incoming(destination, key, attributes, body.encode(), origin)
    key = rest.pop(_KEY, None)
    destination = rest.pop(_DESTINATION, destination)
    try:
        if rest.pop(_BASE64, None) is not None:
            return Incoming(destination, key, rest, base64.b64decode(body), origin)
        if attributes.get(_CONTENT_TYPE) != STRUCTURED.content_type:
            return Incoming(destination, key, rest, body.encode(), origin)
        said, payload = unwrap(STRUCTURED, body.encode())
    except ValueError:  # somebody has changed it: the runtime says what is wrong with it
        return Incoming(destination, key, rest, body.encode(), origin)
    told = {_ATTRIBUTES[name]: text for name, text in said.items()}
    return Incoming(destination, key, {"ce_specversion": "1.0", **told, **rest}, payload, origin)


def _structured(headers: dict[str, str], payload: bytes) -> str | None:
    """The structured form of a CloudEvent, which takes the headers that it says; None of others."""
    if headers.get("ce_specversion") != "1.0" or not all(headers.get(one) for one in _NEEDED):
        return None
    content_type = headers.get("content-type", "application/json")
    fixed = {"specversion": "1.0", "datacontenttype": content_type}
    attributes = {
        name: headers[header] for name, header in _ATTRIBUTES.items() if headers.get(header)
    }
    if _JSON.match(content_type) and _is_json(payload):
        form = replace(STRUCTURED, fixed=fixed)
        body = _text(wrap(form, attributes, payload))
    else:
        form = replace(STRUCTURED, fixed=fixed, data=f"{STRUCTURED.data}_base64")
        body = _text(wrap(form, attributes, b'"%b"' % base64.b64encode(payload)))
    if body is not None:
        for header in ("ce_specversion", *(_ATTRIBUTES[name] for name in attributes)):
            del headers[header]
    return body


def _is_json(payload: bytes) -> bool:
    try:
        from_json(payload, allow_inf_nan=False)
    except ValueError:
        return False
    return True


def _text(body: bytes) -> str | None:
    """As text that SQS takes; None when it is none."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    return text if _LEGAL.fullmatch(text) else None


def _ours(headers: str | None) -> dict[str, str] | None:
    """The headers that a message of ours says; None of a message of others."""
    try:
        found = json.loads(headers or "")
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    return {clean(str(name)): clean(str(value)) for name, value in found.items()}
