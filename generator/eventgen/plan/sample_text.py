"""Strings for sample payloads: of a format, of a pattern, or like what they are called."""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from itertools import product
from types import MappingProxyType
from typing import Any

from eventgen.plan.sample_merge import limit

_FORMATS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "byte": ("ZXhhbXBsZQ==",),
        "date": ("2026-01-31",),
        "date-time": ("2026-01-31T09:30:00Z", "2026-01-31T09:30:00.000Z"),
        "decimal": ("19.99",),
        "duration": ("PT1H30M",),
        "email": ("ada@example.com",),
        "hostname": ("example.com",),
        "idn-email": ("ada@example.com",),
        "idn-hostname": ("example.com",),
        "ipv4": ("192.0.2.1",),
        "ipv6": ("2001:db8::1",),
        "iri": ("https://example.com/1",),
        "iri-reference": ("https://example.com/1",),
        "json-pointer": ("/name",),
        "local-time": ("09:30:00",),
        "local-timestamp": ("2026-01-31T09:30:00",),
        "regex": ("^[a-z]+$",),
        "relative-json-pointer": ("1/name",),
        "time": ("09:30:00Z",),
        "uri": ("https://example.com/1",),
        "uri-reference": ("https://example.com/1",),
        "uri-template": ("https://example.com/{id}",),
        "url": ("https://example.com/1",),
    }
)
# What a property is called, by its last word, and something it might hold.
_BY_WORD: Mapping[str, str] = MappingProxyType(
    {
        "amount": "19.99",
        "city": "Vienna",
        "country": "AT",
        "currency": "EUR",
        "date": "2026-01-31",
        "description": "An example.",
        "email": "ada@example.com",
        "firstname": "Ada",
        "language": "en",
        "lastname": "Lovelace",
        "locale": "en-GB",
        "phone": "+43 1 5550100",
        "street": "Main Street 1",
        "surname": "Lovelace",
        "timestamp": "2026-01-31T09:30:00Z",
        "timezone": "Europe/Vienna",
        "uri": "https://example.com/1",
        "url": "https://example.com/1",
        "username": "ada",
        "version": "1.0.0",
        "zip": "1010",
    }
)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_CATEGORIES: Mapping[str, str] = MappingProxyType(
    {
        "CATEGORY_DIGIT": "1234567890",
        "CATEGORY_NOT_DIGIT": _LETTERS,
        "CATEGORY_SPACE": " ",
        "CATEGORY_NOT_SPACE": _LETTERS,
        "CATEGORY_WORD": _LETTERS,
        "CATEGORY_NOT_WORD": "-",
    }
)
# ECMAScript's classes of letters, and a letter of each; Python's patterns do not know them.
_UNICODE = (
    (re.compile(r"\\p\{(?:Lu|Uppercase)\}"), "A"),
    (re.compile(r"\\p\{(?:N\w*|Number)\}"), "1"),
    (re.compile(r"\\[pP]\{[^}]*\}"), "a"),
)
_REPEATS = (4, 0, 1, 2, 3, 7, 15, 31, 63)  # how often more than needed a `+` or `*` repeats
_TURNS = (0, 1, 2, 3)  # which of the characters or branches that are possible


def text(schema: Mapping[str, Any], name: str, number: int) -> str:
    """A string that a schema of type string allows, and that suits what the property is called.

    The `number`s give different strings, where the schema leaves room for that.
    """
    least, most = int(limit(schema, "minLength", 0)), limit(schema, "maxLength", math.inf)
    pattern = schema.get("pattern")
    for candidate in _candidates(schema, name, number):
        fitted = candidate if "format" in schema else _fit(candidate, least, most)
        if pattern is None or _found(pattern, fitted):
            return fitted
    return next(_matching(pattern, least, most, number), "") if pattern else ""


def _candidates(schema: Mapping[str, Any], name: str, number: int) -> Iterator[str]:
    named = schema.get("format")
    if named == "uuid":
        yield str(uuid.uuid5(uuid.NAMESPACE_URL, f"{name}/{number}"))
    yield from _FORMATS.get(str(named), ())
    if schema.get("contentEncoding") == "base64":
        yield from _FORMATS["byte"]
    if named in _FORMATS or named == "uuid":
        return
    words = [word.lower() for word in _WORD.findall(name)] or ["example"]
    suffix = "" if number == 0 else f"-{number + 1}"
    for known in ("".join(words), words[-1]):
        if known in _BY_WORD:
            yield _BY_WORD[known] + suffix
    yield "-".join(words) + (suffix or ("-1" if words[-1] in {"id", "number"} else ""))


def _fit(value: str, least: int, most: float) -> str:
    """The string, repeated or cut to have the length asked for."""
    while len(value) < least:
        value += f"-{value or 'x'}"[: least - len(value)]
    return value if len(value) <= most else value[: int(most)]


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    for expression, letter in _UNICODE:
        pattern = expression.sub(letter, pattern)
    try:
        return re.compile(pattern, re.ASCII)
    except (re.error, RecursionError, OverflowError):
        return None


def _found(pattern: str, value: str) -> bool:
    compiled = _compiled(pattern)
    return compiled is not None and compiled.search(value) is not None


def _matching(pattern: str, least: int, most: float, number: int) -> Iterator[str]:
    """Strings that the pattern matches, the better looking first."""
    compiled = _compiled(pattern)
    if compiled is None:
        return
    tree = import_module("re._parser").parse(compiled.pattern, re.ASCII)
    for repeats, turn in product((*_REPEATS, least), _TURNS):
        value = _Writer(repeats, turn + number).write(tree)
        if len(value) < least:
            # a pattern that does not say how it ends lets anything follow
            value += _LETTERS[0] * (least - len(value))
        if len(value) <= most and compiled.search(value):
            yield value


class _Writer:
    """Writes one string of a parsed pattern."""

    def __init__(self, repeats: int, turn: int) -> None:
        self._repeats = repeats
        self._turn = turn
        self._groups: dict[int, str] = {}

    def write(self, tree: Sequence[tuple[Any, Any]]) -> str:
        return "".join(self._item(str(operation), operand) for operation, operand in tree)

    def _item(self, operation: str, operand: Any) -> str:  # noqa: PLR0911 - one line an operation
        match operation:
            case "LITERAL":
                return chr(operand)
            case "NOT_LITERAL":
                return self._choose([c for c in _LETTERS if ord(c) != operand])
            case "ANY":
                return self._choose(_LETTERS)
            case "IN":
                return self._choose(_members(operand))
            case "BRANCH":
                return self.write(operand[1][self._turn % len(operand[1])])
            case "SUBPATTERN":
                self._groups[operand[0]] = self.write(operand[-1])
                return self._groups[operand[0]]
            case "ATOMIC_GROUP":
                return self.write(operand)
            case "GROUPREF":
                return self._groups.get(operand, "")
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                return self._repeat(*operand)
        return ""  # anchors and look-arounds take no room; whether they hold is checked after

    def _repeat(self, least: int, most: int, tree: Sequence[tuple[Any, Any]]) -> str:
        times = min(int(most), max(least, self._repeats))
        start = self._turn
        written = []
        for turn in range(times):
            self._turn = start + turn
            written.append(self.write(tree))
        self._turn = start
        return "".join(written)

    def _choose(self, characters: Sequence[str]) -> str:
        return characters[self._turn % len(characters)] if characters else ""


def _members(items: Sequence[tuple[Any, Any]]) -> list[str]:
    """Some of the characters of a `[...]`: letters and digits before signs."""
    found: list[str] = []
    for operation, operand in items:
        match str(operation):
            case "LITERAL":
                found.append(chr(operand))
            case "RANGE":
                found += [
                    chr(code) for code in range(operand[0], min(operand[1], operand[0] + 25) + 1)
                ]
            case "CATEGORY":
                found += _CATEGORIES.get(str(operand), "")
    if items and str(items[0][0]) == "NEGATE":
        refused = re.compile("[" + re.escape("".join(found)) + "]") if found else None
        found = [c for c in f"{_LETTERS}1_" if refused is None or not refused.match(c)]
    found = [c for c in found if c.isprintable()] or found
    return [c for c in found if c.isalnum()] or found
