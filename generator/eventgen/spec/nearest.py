"""Finds what somebody probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The word most like `word`, or None. Differences of case count for nothing."""
    lowered = {other.lower(): other for other in sorted(words, reverse=True)}
    close = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    return lowered[close[0]] if close else None


def did_you_mean(word: str, words: Iterable[str]) -> str | None:
    """A line of help that suggests the nearest word, or None."""
    near = nearest(word, words)
    return None if near is None else f"did you mean `{near}`?"
