"""Bytes in JSON: base64, kept as they are."""

from __future__ import annotations

from tests.support.payloads import DRAFT_2020_12
from tests.torture.cases._case import TEXT, Case, case, field, obj

_BYTE = {**TEXT, "format": "byte"}
_GOOD = ["", "aGk=", "AAEC/w==", "+/+/", "/w=="]
_BAD = ["aGk", "a", "aG k=", "aGk=\n", "_-8=", "%%%%", "aGk==", 1, None]

CASES: tuple[Case, ...] = (
    field("format byte", _BYTE, _GOOD, _BAD),
    field(
        "contentEncoding base64",
        {**TEXT, "contentEncoding": "base64"},
        _GOOD,
        [1, None],
        language=DRAFT_2020_12,
    ),
    field(
        "a nullable byte", {"type": ["string", "null"], "format": "byte"}, [None, "aGk="], ["a", 1]
    ),
    field(
        "a list of bytes", {"type": "array", "items": _BYTE}, [[], ["aGk=", ""]], [["a"], [None]]
    ),
    field(
        "a map of bytes",
        {"type": "object", "additionalProperties": _BYTE},
        [{"k": "/w=="}],
        [{"k": "?"}],
    ),
    field("bytes that are no text", _BYTE, ["gIGC", "/v79"], ["\u00ff"]),
    field(
        "another encoding asserts nothing",
        {**TEXT, "contentEncoding": "quoted-printable"},
        ["=41", ""],
        [1],
    ),
    field(
        "a media type asserts nothing",
        {**TEXT, "contentMediaType": "application/json"},
        ["{", ""],
        [1],
    ),
    case("bytes that may be absent", obj(b=_BYTE), [{}, {"b": "aGk="}], [{"b": None}, {"b": "a"}]),
    case("a payload that is bytes", _BYTE, ["aGk="], ["a", 1]),
)
