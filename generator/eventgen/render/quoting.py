"""Filters that turn spec text into literals of the target language: the only way out of `Text`."""

from __future__ import annotations

import json
import textwrap
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from eventgen.model import Text

_WIDTH = 92


def py_str(text: Text) -> str:
    """A Python string literal."""
    return _ascii_controls(json.dumps(text.value, ensure_ascii=False))


def py_tuple(texts: Iterable[Text]) -> str:
    """A Python tuple of string literals."""
    items = [py_str(text) for text in texts]
    return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"


def py_value(value: Any) -> str:
    """A Python literal of plain data (what JSON can hold, bytes, and `Text`)."""
    if isinstance(value, Text):
        return py_str(value)
    if isinstance(value, str):
        return py_str(Text(value))
    if isinstance(value, bytes):
        return _py_bytes(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{py_value(k)}: {py_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(py_value(item) for item in value) + "]"
    return repr(value)


def _py_bytes(content: bytes) -> str:
    """Bytes as literals of a line each, which Python joins."""
    lines = []
    start = 0
    while start < len(content):
        size = _WIDTH
        while len(repr(content[start : start + size])) > _WIDTH:
            size -= 1
        lines.append(repr(content[start : start + size]))
        start += size
    return f"({' '.join(lines)})" if lines else 'b""'


def py_json(value: Any) -> str:
    """Plain data as pretty JSON in a Python bytes literal of three quotes."""
    document = json.dumps(value, indent=2, ensure_ascii=True, default=str)
    return 'b"""' + document.replace("\\", "\\\\").replace('"""', '\\"\\"\\"') + '\n"""'


def json_value(value: Any) -> str:
    """Plain data as a JSON document, in ASCII."""
    return json.dumps(value, indent=2)


def py_doc(text: Text, fallback: str) -> str:
    """The inside of a docstring: one paragraph a paragraph, wrapped, nothing that could end it."""
    paragraphs = [" ".join(part.split()) for part in text.value.split("\n\n")]
    lines = [
        line
        for number, paragraph in enumerate(p for p in paragraphs if p)
        for line in ([""] if number else []) + textwrap.wrap(paragraph, _WIDTH)
    ]
    body = "\n".join(lines) or fallback
    safe = _ascii_controls(body.replace("\\", "\\\\").replace('"', '\\"'), keep="\n")
    return safe.replace('\\"', '"') if '""' not in body and not body.endswith('"') else safe


def py_comment(text: Text) -> str:
    """The words of a one-line comment."""
    return _ascii_controls(" ".join(text.value.split()))


def yaml_str(text: Text) -> str:
    """A YAML double-quoted scalar: JSON's strings are a subset of them."""
    return json.dumps(text.value)


def md(text: Text) -> str:
    """Markdown text on one line, with what Markdown or HTML would read as syntax escaped."""
    line = _ascii_controls(" ".join(text.value.split()))
    return "".join(f"\\{char}" if char in "\\`*_{}[]<>#|~" else char for char in line)


def _ascii_controls(text: str, keep: str = "") -> str:
    """Control and formatting characters (bidi marks among them) as escapes one can see."""
    return "".join(
        char
        if char in keep or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}
        else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


FILTERS: Mapping[str, Callable[..., str]] = {
    "py_str": py_str,
    "py_tuple": py_tuple,
    "py_value": py_value,
    "py_json": py_json,
    "py_doc": py_doc,
    "json_value": json_value,
    "py_comment": py_comment,
    "yaml_str": yaml_str,
    "md": md,
}
