"""The tables of schemas, by theme."""

from __future__ import annotations

from tests.torture.cases import (
    arrays,
    bytes_,
    composition,
    defaults,
    dependencies,
    discriminators,
    naming,
    numbers,
    objects,
    references,
    texts,
    values,
)
from tests.torture.cases._case import Case

THEMES: dict[str, tuple[Case, ...]] = {
    "objects": objects.CASES,
    "values": values.CASES,
    "numbers": numbers.CASES,
    "texts": texts.CASES,
    "arrays": arrays.CASES,
    "composition": composition.CASES,
    "dependencies": dependencies.CASES,
    "references": references.CASES,
    "naming": naming.CASES,
    "bytes": bytes_.CASES,
    "discriminators": discriminators.CASES,
    "defaults": defaults.CASES,
}
