"""Payloads that are not described in JSON Schema: each language has rules of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from eventgen.compat import avro, protobuf
from eventgen.compat.change import BOTH, Break, Change
from eventgen.compat.words import remedy

if TYPE_CHECKING:
    from eventgen.compat.words import About
    from eventgen.model import Foreign

_Compare: TypeAlias = Callable[["Foreign", "Foreign", "About"], Iterator[Change]]
_LANGUAGES = {"avro": "Avro", "protobuf": "Protobuf", "raml": "RAML", "xml": "XML"}
_RULES: dict[str, _Compare] = {"Avro": avro.compare, "Protobuf": protobuf.compare}


def language(found: Foreign | None) -> str:
    """The language that a payload is described in."""
    if found is None:
        return "JSON Schema"
    lowered = found.format.value.lower()
    return next((title for word, title in _LANGUAGES.items() if word in lowered), lowered)


def is_same(old: Foreign | None, new: Foreign | None) -> bool:
    """Whether two payloads are described in the same words."""
    if old is None or new is None:
        return False
    return (old.document, old.wire) == (new.document, new.wire)


def compare(old: Foreign, new: Foreign, about: About) -> Iterator[Change]:
    """What differs, by the language's own rules; in an unknown one any difference may break."""
    if is_same(old, new):
        return
    rules = _RULES.get(language(new))
    if rules is not None and new.wire is not None and old.wire is not None:
        yield from rules(old, new, about)
        return
    yield Change(
        "payload-changed",
        f"the {language(new)} schema of {about.subject} is not what it was",
        old.span,
        new.span,
        dict.fromkeys(BOTH, Break(proven=False)),
        help=remedy("payload-changed", about.event, about.version),
        event=about.event,
    )
