"""Turns any text into names that are valid, unreserved and unique in generated code."""

from __future__ import annotations

import builtins
import hashlib
import keyword
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from eventgen.model import Name, Text

LONGEST = 100  # characters of a name in snake case; files and tables are named after it

# What generated modules import or define themselves; a class of that name would hide it.
_TAKEN_CLASSES = frozenset(
    (
        "Annotated", "Any", "App", "AwareDatetime", "Base64Bytes", "BaseModel", "Callable",
        "ClassVar", "ConfigDict", "Context", "IPv4Address", "IPv6Address", "StringConstraints",
        "DeadLetter", "Decimal", "Enum", "Envelope", "Event", "EventModel", "Field",
        "Final", "Generic", "IntEnum", "Iterable", "Iterator", "List", "Literal", "Mapping",
        "Missing", "NaiveDatetime", "Optional", "Path", "Protocol", "Publisher", "Published",
        "Retry", "RootModel", "Sequence", "Service", "Settings", "Skip", "StrEnum",
        "Subscriber", "Transport", "TypeAlias", "UUID", "Union", "UnitOfWork", "date",
        "datetime", "time", "timedelta",
    )
)  # fmt: skip
_BUILTIN = frozenset(dir(builtins)) | {"PythonFinalizationError"}
_KEYWORDS = frozenset((*keyword.kwlist, *keyword.softkwlist))
# Packages that a service imports, or that stand beside it in its repository.
_PACKAGES = frozenset(
    (
        "aiosqlite", "alembic", "asyncpg", "click", "eventgen", "migrations", "opentelemetry",
        "prometheus_client", "pydantic", "pydantic_settings", "pytest", "sqlalchemy", "src",
        "starlette", "structlog", "tests", "uvicorn",
    )
)  # fmt: skip
_LETTERS = str.maketrans(
    {
        "ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O",
        "đ": "d", "Đ": "D", "ł": "l", "Ł": "L", "ð": "d", "Ð": "D", "þ": "th", "Þ": "TH",
        "\N{LATIN SMALL LETTER DOTLESS I}": "i",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of thing that has names. `word` tells a name apart that would be reserved."""

    word: str
    reserved: frozenset[str] = field(default=frozenset())  # of its names in snake case


SERVICE = Kind("service", _PACKAGES | frozenset(sys.stdlib_module_names))
SERVER = Kind("server")
CHANNEL = Kind("channel")
MESSAGE = Kind("event")
OPERATION = Kind("operation")
SCHEMA = Kind("data")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a thing would like to be called: the best text first.

    `tie` decides who comes first among those that share all their texts, so that the order of a
    document does not.
    """

    texts: tuple[str, ...]
    tie: str = ""


def words(text: str) -> tuple[str, ...]:
    """The words of a text: `HTTPServer.started-2` has HTTP, Server, started and 2."""
    found: list[str] = []
    run = ""
    for character in [*_plain_letters(text), " "]:
        if _is_word_character(character):
            run += character
        elif run:
            found += _split_capitals(run)
            run = ""
    return tuple(found)


def derive(text: str, kind: Kind, more: tuple[str, ...] = ()) -> Name | None:
    """The names of `text` followed by the words `more`; None when it has no letter or digit."""
    parts = words(text)
    if not parts:
        return None
    if any(not part.isupper() for part in parts):
        parts = tuple(part[0].upper() + part[1:] for part in parts)
    else:
        parts = tuple(part.capitalize() for part in parts)
    parts = (*parts, *(word[0].upper() + word[1:] for word in more))
    if not parts[0].isidentifier():
        parts = (kind.word.capitalize(), *parts)
    name = _spell(text, parts)
    if _is_reserved(name, kind):
        parts = (*parts, "Message" if parts[-1].lower() == kind.word else kind.word.capitalize())
        name = _spell(text, parts)
    if len(name.snake) > LONGEST:
        name = _spell(text, _cut(parts, name.snake))
    return name if name.snake.isidentifier() and name.pascal.isidentifier() else None


def allot(
    wishes: Sequence[Wish], kind: Kind, taken: Collection[str] = ()
) -> tuple[Name | None, ...]:
    """A name for each wish, all different and none of them in `taken` (classes in PascalCase).

    Things that wish for the same name all move to their next text, so that none depends on the
    order they come in; those that have none left are numbered. A wish without any usable text
    gets None. The raw text of a name is always the first of its wish, usable or not.
    """
    choices = [_choices(wish, kind, {_fold(name) for name in taken}) for wish in wishes]
    level = [0] * len(wishes)
    while True:
        groups: dict[str, list[int]] = defaultdict(list)
        for index, names in enumerate(choices):
            if names:
                groups[_fold(names[level[index]].pascal)].append(index)
        moved = False
        for group in groups.values():
            for index in group if len(group) > 1 else ():
                if level[index] + 1 < len(choices[index]):
                    level[index] += 1
                    moved = True
        if not moved:
            break
    best = [names[at] if names else None for names, at in zip(choices, level, strict=True)]
    for group in groups.values():
        for index in group if len(group) > 1 else ():
            best[index] = choices[index][0]
    return _number(wishes, kind, list(groups.values()), best, {_fold(name) for name in taken})


def _choices(wish: Wish, kind: Kind, taken: set[str]) -> list[Name]:
    """The names a wish may get, best first; one that is taken is told apart by the kind's word."""
    found: list[Name] = []
    for text in dict.fromkeys(wish.texts):
        name = derive(text, kind)
        if name is not None and _fold(name.pascal) in taken:
            name = derive(text, kind, (kind.word,))
        if name is not None and _fold(name.pascal) not in taken:
            raw = Text(wish.texts[0])
            found.append(Name(raw, name.snake, name.pascal, name.kebab, name.const))
    return found


def _number(
    wishes: Sequence[Wish],
    kind: Kind,
    groups: list[list[int]],
    best: list[Name | None],
    taken: set[str],
) -> tuple[Name | None, ...]:
    """Numbers for all but the first of those that are still called the same."""
    alone = {group[0] for group in groups if len(group) == 1}
    used = taken | {_fold(_pascal(best[index])) for index in alone}
    result = list(best)
    for group in sorted(groups, key=lambda group: _fold(_pascal(best[group[0]]))):
        for index in sorted(group, key=lambda index: (wishes[index].tie, index)):
            if index in alone:
                continue
            name = best[index]
            number = 2
            while name is not None and _fold(name.pascal) in used:
                name = _numbered(wishes[index], kind, number)
                number += 1
            if name is not None:
                used.add(_fold(name.pascal))
            result[index] = name
    return tuple(result)


def _pascal(name: Name | None) -> str:
    return "" if name is None else name.pascal


def _numbered(wish: Wish, kind: Kind, number: int) -> Name | None:
    """The first usable text of a wish with a number behind it."""
    for text in wish.texts:
        name = derive(text, kind, (str(number),))
        if name is not None:
            raw = Text(wish.texts[0])
            return Name(raw, name.snake, name.pascal, name.kebab, name.const)
    return None


def _cut(parts: tuple[str, ...], whole: str) -> tuple[str, ...]:
    """The first words, as many as fit, and a few digits that stand for the rest."""
    kept: list[str] = []
    room = LONGEST - len("_x000000")
    for part in parts:
        if len(part) + 1 > room:
            break
        kept.append(part)
        room -= len(part) + 1
    digest = hashlib.sha256(whole.encode()).hexdigest()[:6]
    return (*(kept or [parts[0][: LONGEST // 2]]), f"X{digest}")


def _fold(pascal: str) -> str:
    """What two names have in common when any of their spellings is the same."""
    return pascal.casefold()


def _spell(raw: str, parts: tuple[str, ...]) -> Name:
    lower = [unicodedata.normalize("NFKC", part.lower()) for part in parts]
    pascal = unicodedata.normalize("NFKC", "".join(parts))
    snake = "_".join(lower)
    return Name(Text(raw), snake, pascal, "-".join(lower), snake.upper())


def _is_reserved(name: Name, kind: Kind) -> bool:
    return (
        name.snake in _KEYWORDS
        or name.snake in _BUILTIN
        or name.snake in kind.reserved
        or name.pascal in _KEYWORDS
        or name.pascal in _BUILTIN
        or name.pascal in _TAKEN_CLASSES
    )


def _is_word_character(character: str) -> bool:
    """Letters, digits and the marks that belong to letters, as far as identifiers allow them."""
    return unicodedata.category(character)[0] in "LMN" and ("a" + character).isidentifier()


def _plain_letters(text: str) -> str:
    """The text with accents taken off Latin letters; other scripts are kept as they are."""
    characters = []
    for character in text.translate(_LETTERS):
        apart = unicodedata.normalize("NFKD", character)
        if apart[0].isascii():
            characters.append("".join(part if part.isascii() else "" for part in apart))
        else:
            characters.append(unicodedata.normalize("NFKC", character))
    return "".join(characters)


def _split_capitals(run: str) -> list[str]:
    """The words of camelCase and of acronyms: `orderIDs` has order and IDs."""
    found: list[str] = []
    start = 0
    for at in range(1, len(run)):
        before, here = run[at - 1], run[at]
        if not here.isupper():
            continue
        after = run[at + 1 : at + 2]
        is_plural = after == "s" and not run[at + 2 : at + 3].islower()
        if not before.isupper() or (after.islower() and not is_plural):
            found.append(run[start:at])
            start = at
    return [*found, run[start:]]
