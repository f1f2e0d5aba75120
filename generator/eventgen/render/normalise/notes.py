"""What docstrings say of that which only the schema itself can check."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from eventgen.plan import asserting
from eventgen.plan.exact import Documents, is_inner, reasons
from eventgen.render.normalise.text import noted
from eventgen.render.normalise.walk import Document, target


def told(documents: Documents, payloads: frozenset[str]) -> dict[str, Any]:
    """Says in the docstring of each class which of its fields are checked with the schema too.

    `payloads` become classes even where they are no objects. What has no class of its own, like an
    array of texts, is told of where it is referred to. Formats that are types are not: a UUID is
    seen to be one.
    """
    return {
        name: _told(document, documents)
        if isinstance(document, dict) and (name in payloads or _is_class(document))
        else document
        for name, document in documents.items()
    }


def _told(schema: Document, documents: Documents) -> Document:
    found: dict[str, dict[str, None]] = {}
    for path, reason in _found(schema, _Place("", frozenset()), documents):
        found.setdefault(path, {})[reason] = None
    fields = [f"`{path}` ({', '.join(why)})" for path, why in found.items() if path]
    whole = [f"the whole ({', '.join(why)})" for path, why in found.items() if not path]
    if not found:
        return schema
    return noted(schema, f"Checked with its schema too: {', '.join(fields + whole)}.")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a schema is met: the path from the class to it, and what was referred to on the way."""

    path: str
    around: frozenset[str]
    inner: bool = False


def _found(schema: Any, place: _Place, documents: Documents) -> Iterator[tuple[str, str]]:
    """Paths to what is checked, and why; what other classes tell of themselves is left out."""
    why = reasons(schema, documents, inner=place.inner)
    yield from ((place.path, one) for one in why if one not in asserting.TYPED_FORMATS)
    if not isinstance(schema, dict):
        return
    name = target(schema.get("$ref", ""))
    referred = documents.get(name)
    if name not in place.around and isinstance(referred, dict) and not _is_class(referred):
        yield from _found(referred, _Place(place.path, place.around | {name}), documents)
    told = {*why} - asserting.COMBINING  # of `not` and `if` there is no more to say
    for child in asserting.children({k: v for k, v in schema.items() if k not in told}):
        path = f"{place.path}{child.step}".removeprefix(".")
        inner = is_inner(schema, child, inner=place.inner)
        yield from _found(child.schema, _Place(path, place.around, inner), documents)


def _is_class(schema: Document) -> bool:
    return bool(schema.get("properties")) or "allOf" in schema
