"""Names of properties that Python reads as other names."""

from __future__ import annotations

import unicodedata
from typing import Any

from eventgen.render.normalise.walk import Documents, children


def field_names(documents: Documents) -> dict[str, str]:
    """Field names for the properties whose name Python would change: `ﬁ` is `fi` to it.

    Such a property needs an alias, and the engine, which does not know, gives it none.
    """
    found: set[str] = set()
    for document in documents.values():
        found |= _properties(document)
    return {
        name: f"{unicodedata.normalize('NFKC', name)}_"
        for name in sorted(found)
        if name.isidentifier() and unicodedata.normalize("NFKC", name) != name
    }


def _properties(schema: Any) -> set[str]:
    if not isinstance(schema, dict):
        return set()
    return set(schema.get("properties", ())).union(*map(_properties, children(schema)))
