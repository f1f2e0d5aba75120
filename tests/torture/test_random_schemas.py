"""Random schemas, and values that nearly fit: the verdict on the wire is that of `jsonschema`."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.payloads import DRAFT_2020_12, same
from tests.support.wire import wire
from tests.torture import drawn
from tests.torture.oracle import oracle

_VALUES = 12  # of each schema


@settings(
    max_examples=250,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(schema=drawn.schemas, part=drawn.parts, data=st.data())
def test_a_random_schema_is_what_a_service_enforces(
    schema: Any, part: Any, data: st.DataObject
) -> None:
    wrapped = {"type": "object", "properties": {"it": schema}, "required": ["it"]}
    judge = oracle({**wrapped, "$defs": {"Part": part}}, DRAFT_2020_12)
    with wire({"Event": wrapped, "Part": part}, frozenset({"Event"})) as made:
        for _ in range(_VALUES):
            value = {"it": data.draw(drawn.values(schema, part))}
            valid = judge.is_valid(value)
            refusal = made.refusal("Event", json.dumps(value).encode())
            assert (refusal is None) == valid, (value, refusal)
            if valid:
                sent = made.through("Event", value)
                assert same(sent, value), (value, sent)
                assert judge.is_valid(sent), (value, sent)
