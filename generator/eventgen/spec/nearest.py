"""Finds what somebody probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_SHORT = 4  # letters; in a short word one other letter is much
_TELLING = 3  # letters that a part of a word needs to stand for it


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The word most like `word`, or None.

    Case and signs count for nothing, so that `content_type` is `contentType`. Then the same letters
    in another order are nearest, then the one word that `word` is a part of, then likeness.
    """
    known = {_fold(other): other for other in sorted(words, reverse=True)}
    meant = _fold(word)
    if meant in known:
        return known[meant]
    letters = sorted(meant)
    mixed = [other for other in known if len(other) == len(meant) and sorted(other) == letters]
    wider = [other for other in known if meant in other] if len(meant) >= _TELLING else []
    close = difflib.get_close_matches(
        meant, known, n=1, cutoff=0.7 if len(meant) <= _SHORT else 0.6
    )
    found = mixed[:1] or (wider if len(wider) == 1 else close)
    return known[found[0]] if found else None


def did_you_mean(word: str, words: Iterable[str]) -> str | None:
    """A line of help that suggests the nearest word, or None."""
    near = nearest(word, words)
    return None if near is None else f"did you mean `{near}`?"


def _fold(word: str) -> str:
    return "".join(filter(str.isalnum, word)).casefold() or word
