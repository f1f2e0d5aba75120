"""What docstrings say of that which only the schema itself can check."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from eventgen.plan import asserting
from eventgen.plan.exact import Documents, reasons
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
    for path, reason in _found(schema, "", documents, frozenset()):
        found.setdefault(path, {})[reason] = None
    fields = [f"`{path}` ({', '.join(why)})" for path, why in found.items() if path]
    whole = [f"the whole ({', '.join(why)})" for path, why in found.items() if not path]
    if not found:
        return schema
    return noted(schema, f"Checked with its schema too: {', '.join(fields + whole)}.")


def _found(
    schema: Any, path: str, documents: Documents, around: frozenset[str]
) -> Iterator[tuple[str, str]]:
    """Paths from the class to what is checked, and why; what other classes tell is left out."""
    why = [one for one in reasons(schema, documents) if one not in asserting.TYPED_FORMATS]
    yield from ((path, reason) for reason in why)
    if not isinstance(schema, dict):
        return
    name = target(schema.get("$ref", ""))
    referred = documents.get(name)
    if name not in around and not (isinstance(referred, dict) and _is_class(referred)):
        yield from _found(referred, path, documents, around | {name})
    told = {*why} - asserting.COMBINING  # of `not` and `if` there is no more to say
    for step, child in asserting.children({k: v for k, v in schema.items() if k not in told}):
        yield from _found(child, f"{path}{step}".removeprefix("."), documents, around)


def _is_class(schema: Document) -> bool:
    return bool(schema.get("properties")) or "allOf" in schema
