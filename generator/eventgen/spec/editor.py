"""The JSON Schemas by which editors complete, explain and check what people write for eventgen.

They are written from the tables that the readers go by, in draft 07, which every editor knows.
"""

from __future__ import annotations

from typing import Any

from eventgen.spec.config import CONFIG
from eventgen.spec.fields import Table
from eventgen.spec.native_fields import FACETS, ROOT, WORDS

_WORD = r"[^\W\d][\w.-]*(\[\])*"
_WORDS = rf"^\s*{_WORD}(\s*\|\s*{_WORD})*\s*\??\s*$"


def configuration() -> dict[str, Any]:
    """The schema of `eventgen.yaml`."""
    return _document("eventgen.yaml: what the specification cannot say", CONFIG, {})


def short_form() -> dict[str, Any]:
    """The schema of a specification in the short form.

    What a schema cannot tell, as whether a type of that name is there, is left to `eventgen check`.
    """
    return _document("An event specification in eventgen's short form", ROOT, {"type": _type()})


def _document(title: str, table: Table, definitions: dict[str, Any]) -> dict[str, Any]:
    head = {"$schema": "http://json-schema.org/draft-07/schema#", "title": title}
    tail = {"definitions": definitions} if definitions else {}
    return {**head, **table.schema(), **tail}


def _type() -> dict[str, Any]:
    own = {"$ref": "#/definitions/type"}
    reference = {"type": "string", "description": "A JSON Schema in another file."}
    return {
        "anyOf": [
            {"enum": list(WORDS)},
            {"type": "string", "pattern": _WORDS},
            {"type": "array", "items": own, "minItems": 1, "maxItems": 1},
            {
                "type": "object",
                "properties": {"$ref": reference, **FACETS.schema()["properties"]},
                "patternProperties": {r"^([^$]|\$\$)": own},
                "additionalProperties": False,
            },
        ]
    }
