"""A second opinion: `jsonschema`, with the formats and the regular expressions that it leaves open.

They are written from the grammars that JSON Schema names, and know nothing of eventgen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any

import jsonschema
from jsonschema.protocols import Validator

from tests.support.payloads import DRAFT_2020_12

_DATE = r"\d{4}-\d\d-\d\d"
_TIME = r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)"
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_CLOCK = r"T(\d+H(\d+M(\d+S)?)?|\d+M(\d+S)?|\d+S)"
_DAYS = rf"(\d+D|\d+M(\d+D)?|\d+Y(\d+M(\d+D)?)?)({_CLOCK})?"
_CHARACTER = r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]"
_GRAMMARS = {
    "byte": r"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",  # RFC 4648, 4
    "decimal": r"[+-]?\d+(\.\d+)?",
    "duration": rf"P(\d+W|{_DAYS}|{_CLOCK})",  # RFC 3339, appendix A
    "email": r"[^@\s]+@[^@\s]+",
    "hostname": rf"{_LABEL}(\.{_LABEL})*",  # RFC 1123, 2.1
    "json-pointer": r"(/([^~/]|~[01])*)*",  # RFC 6901, 3
    "time": _TIME,  # RFC 3339, 5.6
    "uri": rf"[A-Za-z][A-Za-z0-9+.-]*:{_CHARACTER}*",  # RFC 3986, 3
    "uri-reference": rf"{_CHARACTER}*",
}
# ECMA 262, where Python says something else.
_ECMA = {"$": r"\Z", r"\p{Lu}": "[A-ZÀ-ÖØ-Þ]"}


def _follows(grammar: str, value: Any) -> bool:
    return not isinstance(value, str) or re.fullmatch(grammar, value, re.ASCII) is not None


def _is_instant(value: Any) -> bool:
    if not isinstance(value, str):
        return True
    if not re.fullmatch(f"{_DATE}[Tt]{_TIME}", value, re.ASCII):
        return False
    try:
        datetime.fromisoformat(value[:19])
    except ValueError:
        return False
    return True


def _formats() -> jsonschema.FormatChecker:
    checker = jsonschema.FormatChecker()
    checker.checkers = dict(checker.checkers)
    for name, grammar in _GRAMMARS.items():
        checker.checkers[name] = (partial(_follows, grammar), ())
    checker.checkers["date-time"] = (_is_instant, ())
    return checker


def _searches(pattern: str, text: str) -> bool:
    for word, same in _ECMA.items():
        pattern = pattern.replace(word, same)
    return re.search(pattern, text, re.ASCII) is not None


def _pattern(_: Any, pattern: str, value: Any, __: Any) -> Iterator[jsonschema.ValidationError]:
    if isinstance(value, str) and not _searches(pattern, value):
        yield jsonschema.ValidationError(f"does not match {pattern}")


_DRAFT_07 = jsonschema.validators.extend(jsonschema.Draft7Validator, {"pattern": _pattern})
_MODERN = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"pattern": _pattern})


def oracle(schema: Any, language: str) -> Validator:
    """What says whether a value is valid. OpenAPI's words are those of draft-07 here."""
    kind = _MODERN if language == DRAFT_2020_12 else _DRAFT_07
    kind.check_schema(schema, format_checker=jsonschema.FormatChecker(()))
    validator: Validator = kind(schema, format_checker=_formats())
    return validator
