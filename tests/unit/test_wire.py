"""What goes over the wire is what the schema says, whatever the model of it cannot say."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from tests.support.wire import ConfigurationError, encode, wire

_TEXT = {"type": "string"}
_INTEGER = {"type": "integer"}
ID = "12345678-1234-1234-1234-123456789abc"


def _object(required: list[str] | None = None, /, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required or []}


@pytest.mark.parametrize(
    ("schema", "accepted", "refused"),
    [
        pytest.param(
            _object(a={"type": "array", "items": _INTEGER, "uniqueItems": True}),
            [{"a": [1, 2]}],
            [{"a": [1, 1]}],
            id="uniqueItems",
        ),
        pytest.param(
            {**_object(a=_TEXT, b=_TEXT), "dependentRequired": {"a": ["b"]}},
            [{"b": "x"}, {"a": "x", "b": "x"}],
            [{"a": "x"}],
            id="dependentRequired",
        ),
        pytest.param(
            {**_object(a=_INTEGER), "not": {"required": ["b"]}},
            [{"a": 1}],
            [{"b": 1}],
            id="not",
        ),
        pytest.param(
            _object(id={"type": "string", "format": "uuid"}),
            [{"id": ID}],
            [{"id": ID.replace("-", "")}, {"id": f"urn:uuid:{ID}"}],
            id="uuid",
        ),
        pytest.param(
            _object(["n"], n=_INTEGER),
            [{"n": 1}, {"n": 1.0}, {"n": 1e3}, {"n": 10**30}],
            [{"n": 1.5}, {"n": "1"}, {"n": True}],
            id="whole numbers",
        ),
        pytest.param(
            _object(["orderId"], orderId=_INTEGER),
            [{"orderId": 1}, {"orderId": 1, "order_id": "x"}],
            [{"order_id": 1}],
            id="names of the wire only",
        ),
    ],
)
def test_a_body_is_handled_when_its_schema_says_so(
    schema: dict[str, Any], accepted: list[Any], refused: list[Any]
) -> None:
    with wire({"Event": schema}, frozenset({"Event"})) as events:
        for value in accepted:
            assert events.through("Event", value) == value
        for value in refused:
            assert not events.accepts("Event", value), value


def test_a_refusal_names_the_event_the_place_and_the_reason_and_no_value() -> None:
    schema = _object(
        a={"type": "array", "items": _object(b={**_TEXT, "format": "email"}), "maxItems": 9},
        c={**_INTEGER, "not": {"const": 13}},
    )
    with wire({"Event": schema}, frozenset({"Event"})) as events:
        told = events.refusal("Event", b'{"a": [{}, {"b": "secret"}], "c": 13}')
        assert told is not None
        assert told.startswith("Event 1.0.0: $.a[1].b: ")
        assert "; $.c: " in told
        assert "email" in told
        assert "secret" not in told
        told = events.refusal("Event", b'{"a": "secret", "c": "secret"}')
        assert told is not None
        assert told.startswith("Event 1.0.0: $.a: ")
        assert "secret" not in told


def test_three_faults_are_named_and_the_others_counted() -> None:
    schema = {**_object(a=_TEXT), "dependentRequired": {"a": ["b", "c", "d", "e", "f"]}}
    with wire({"Event": schema}, frozenset({"Event"})) as events:
        told = events.refusal("Event", b'{"a": ""}')
        assert told is not None
        assert told.count("$: ") == 3
        assert told.endswith("; and 2 more")


def test_what_the_schema_refuses_is_not_sent() -> None:
    schema = _object(a={"type": "array", "items": _INTEGER, "uniqueItems": True})
    with wire({"Event": schema}, frozenset({"Event"})) as events:
        event = events.events["Event"]
        with pytest.raises(ValueError, match=r"Event 1.0.0: \$\.a: "):
            encode(event, event.model(a=[1, 1]))


def test_what_the_types_say_in_full_is_not_checked_twice() -> None:
    schema = {
        **_object(["a"], a=_TEXT, b={**_INTEGER, "minimum": 1}, c={"enum": ["x", "y"]}),
        "description": "Something happened.",
    }
    with wire({"Event": schema}, frozenset({"Event"})) as events:
        assert events.events["Event"].check is None
        assert "Checked" not in events.text


def test_docstrings_name_the_fields_and_the_reasons() -> None:
    schemas = {
        "Event": {
            **_object(
                a={"type": "array", "items": {**_TEXT, "format": "email"}, "uniqueItems": True},
                b={"$ref": "#/$defs/Part"},
                id={"type": "string", "format": "uuid"},
            ),
            "description": "Something happened.",
            "minProperties": 1,
        },
        "Part": _object(c={"not": {"const": 1}}),
    }
    with wire(schemas, frozenset({"Event"})) as events:
        told = [line.strip() for line in events.text.splitlines()]
    start = told.index("Something happened.")
    assert " ".join(told[start + 2 : told.index('"""', start)]) == (
        "Checked with its schema too: `a` (uniqueItems), `a[]` (email), the whole (minProperties)."
    )
    assert '"""Checked with its schema too: `c` (not)."""' in told


def test_a_service_does_not_start_without_what_checks_its_schemas(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with wire({"Event": _object(a={"not": {}})}, frozenset({"Event"})) as events:
        check = events.events["Event"].check
        assert check is not None
        monkeypatch.setitem(sys.modules, "jsonschema_rs", None)
        with pytest.raises(ConfigurationError, match=r"pyproject\.toml"):
            check.prepare()
        monkeypatch.undo()
        check.prepare()
