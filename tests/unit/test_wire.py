"""What goes over the wire is what the schema says, whatever the model of it cannot say."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wire import wire

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
