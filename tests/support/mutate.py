"""Breaks a document in one place, chosen by a seed."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_VALUES: tuple[Any, ...] = (7, True, None, "words", ["words"], {"words": 1})


@dataclass(frozen=True, slots=True)
class Mutation:
    """One edit: what was done, at which path, and the document after it."""

    what: str
    path: tuple[str | int, ...]
    document: Any
    value: Any = None  # what stands there now

    @property
    def keys(self) -> str:
        """The path as text, to look for keys in."""
        return "/" + "/".join(str(part) for part in self.path) + "/"


def mutations(document: Any, seed: str, count: int) -> Iterator[Mutation]:
    """Some of the ways to rename or drop a key, or to give its value another kind."""
    chance = random.Random(seed)
    places = list(_places(document, ()))
    for _ in range(count):
        path = chance.choice(places)
        what = chance.choice(("rename", "drop", "kind"))
        broken = copy.deepcopy(document)
        holder = broken
        for part in path[:-1]:
            holder = holder[part]
        value = _edit(chance, holder, path[-1], what)
        if broken != document:
            yield Mutation(what, path, broken, value)


def _edit(chance: random.Random, holder: Any, key: str | int, what: str) -> Any:
    if what == "kind" or isinstance(holder, list):
        kinds = [one for one in _VALUES if type(one) is not type(holder[key])]
        holder[key] = chance.choice(kinds)
        return holder[key]
    if what == "drop":
        del holder[key]
    else:
        holder[f"{key}s"] = holder.pop(key)
    return None


def _places(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, child in items:
        yield (*path, key)
        yield from _places(child, (*path, key))
