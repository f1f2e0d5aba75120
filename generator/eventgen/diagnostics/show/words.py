"""Text of unknown origin, made fit for a terminal."""

from __future__ import annotations

import unicodedata

LONGEST = 400  # characters of one sentence; it may quote a specification
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# Unicode has a picture of each control character of ASCII.
_PICTURES = {chr(code): chr(0x2400 + code) for code in range(0x20)} | {
    "\x7f": "\N{SYMBOL FOR DELETE}"
}


def sentence(text: str) -> str:
    """One line of bounded length, in which control characters are written as escapes."""
    safe = "".join(
        character if _is_shown(character) else _escape(character) for character in text[:LONGEST]
    )
    return safe if len(text) <= LONGEST else safe + "…"


def cell(character: str) -> tuple[str, int]:
    """What to print for one character of a source line, and how many columns it takes."""
    if character == "\t":
        return "    ", 4
    if not _is_shown(character):
        return _PICTURES.get(character, _REPLACEMENT), 1
    if unicodedata.category(character) in ("Mn", "Me"):  # a mark on the character before it
        return character, 0
    return character, 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _is_shown(character: str) -> bool:
    """Letters, marks, signs and spaces; not what moves the cursor or turns the line around."""
    return character == " " or unicodedata.category(character)[0] in "LMNPS"


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii") if character != " " else " "
