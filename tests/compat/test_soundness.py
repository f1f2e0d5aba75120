"""A containment that is claimed holds: no value of any kind contradicts it."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest
from eventgen.compat import structure
from eventgen.compat.change import Party
from eventgen.compat.containment import Schema, Verdict
from eventgen.compat.payload import Side, judge
from eventgen.compat.values import candidates

from tests.compat.cases import CASES, obj


def documents() -> list[dict[str, Any]]:
    """Every schema of the cases, each once."""
    found = {
        json.dumps(document, sort_keys=True): document
        for case in CASES
        for schema, definitions in zip((case.old, case.new), case.definitions, strict=True)
        for document in ({**schema, "$defs": definitions},)
    }
    return list(found.values())


def test_no_value_contradicts_a_containment() -> None:
    schemas = [Schema(document) for document in documents()]
    values: dict[str, Any] = {}
    for schema in schemas:
        for value in candidates(schema.document):
            values.setdefault(json.dumps(value, sort_keys=True), value)
    allowed = [
        {index for index, value in enumerate(values.values()) if schema.accepts(value)}
        for schema in schemas
    ]
    proven = 0
    for reader, writer in product(range(len(schemas)), repeat=2):
        is_seen = structure.covers(schemas[reader].document, schemas[writer].document)
        if is_seen or schemas[reader].covers(schemas[writer]) is Verdict.YES:
            proven += 1
            refused = allowed[writer] - allowed[reader]
            assert not refused, (
                schemas[reader].document,
                schemas[writer].document,
                list(values.values())[min(refused)],
            )
    assert proven > len(schemas)


@pytest.mark.parametrize("length", [50, 400])
def test_a_long_way_of_references_ends_in_time_and_in_a_break(length: int) -> None:
    """However deep a change lies: what cannot be shown to be harmless is a break."""
    old, new = (
        {f"N{index}": obj("p", p={"$ref": f"#/$defs/N{index + 1}"}) for index in range(length)}
        | {f"N{length}": {"type": kind}}
        for kind in ("string", "integer")
    )
    assert judge(Side("N0", old), Side("N0", old)) == ()
    (found,) = judge(Side("N0", old), Side("N0", new))
    assert found.breaks.keys() == set(Party)
