"""Prose on its way into docstrings."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from typing import Any

from eventgen.render.normalise.walk import Document, everywhere

WIDTH = 88  # with indentation and quotes, a docstring of one line stays within 100 columns
_TABS = re.compile(r"[\t\v\f\x85\u2028\u2029]")
_JOINERS = "\u200c\u200d"  # some scripts, and many emoji, need them
_LIST_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+")


def titled(document: Any) -> Any:
    """Describes a schema without a description by its title: `title: An order was placed`.

    The outermost schema only: the titles of properties repeat the property's name.
    """
    if not isinstance(document, dict) or not isinstance(document.get("title"), str):
        return document
    return {"description": document["title"], **document}


@everywhere
def plain_descriptions(schema: Document) -> Document:
    """Wraps descriptions, and takes out characters that are not to be seen.

    A right-to-left override (U+202E) makes source read as something else than it is; a NUL makes
    it no source at all.
    """
    if "description" not in schema:
        return schema
    others = {key: value for key, value in schema.items() if key != "description"}
    description = wrapped(visible(schema["description"]))
    return {**others, "description": description} if description else others


@everywhere
def deprecation_in_words(schema: Document) -> Document:
    """Says `deprecated: true` in the docstring: as a flag, pydantic warns at every access."""
    if "deprecated" not in schema:
        return schema
    others = {key: value for key, value in schema.items() if key != "deprecated"}
    return noted(others, "Deprecated.") if schema["deprecated"] is True else others


def noted(schema: Document, note: str) -> Document:
    """The schema with a further sentence in its description."""
    return {**schema, "description": "\n\n".join(filter(None, (schema.get("description"), note)))}


def visible(text: str) -> str:
    """The text without control characters, but for line breaks."""
    lines = _TABS.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(c for c in lines if c in {"\n", *_JOINERS} or not is_hidden(c))


def is_hidden(character: str) -> bool:
    """Whether a character controls or formats text, or breaks lines, without being seen itself."""
    return unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp"}


def wrapped(text: str) -> str:
    """The text with no line longer than WIDTH, but for words and tables that are."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    return "\n".join(part for line in lines for part in _wrapped_line(line))


def _wrapped_line(line: str) -> list[str]:
    if len(line) <= WIDTH or line.lstrip().startswith("|"):
        return [line]
    marker = _LIST_ITEM.match(line)
    indent = len(marker.group()) if marker else len(line) - len(line.lstrip())
    return textwrap.wrap(
        line,
        WIDTH,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
