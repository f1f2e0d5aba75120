"""Documents in the short form, made at random: each says whatever it may."""

from __future__ import annotations

from typing import Any

from eventgen.spec.native_fields import WORDS
from hypothesis import strategies as st

_NAMED = ("Money", "Line", "Kind")
_NAME = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
_PHRASE = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n"), min_size=1, max_size=30
)
_VALUE = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8))
_WORD = st.sampled_from([*(word for word in WORDS if word != "null"), *_NAMED])


def _described(base: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {key: st.just(value) for key, value in base.items()},
        optional={"$title": _PHRASE, "$description": _PHRASE, "$deprecated": st.booleans()},
    )


_LIMITED = st.sampled_from(
    [
        {"$type": "integer", "$minimum": 0, "$maximum": 9},
        {"$type": "number", "$exclusiveMinimum": -0.5, "$multipleOf": 0.25},
        {"$type": "string", "$minLength": 1, "$pattern": "^[a-z: #]+$"},
        {"$type": "string[]", "$maxItems": 3, "$uniqueItems": True},
        {"$type": "Money", "$default": None},
        {"$type": "string | null", "$default": None},
        {"$const": "yes"},
        {"$const": 1e100},
        {"$union": ["Money", "string", None]},
    ]
)


def types(deep: int = 2) -> st.SearchStrategy[Any]:
    """A type of any kind."""
    shallow = [
        _WORD,
        _WORD.map(lambda word: f"{word}[]"),
        st.lists(_WORD, min_size=2, max_size=3).map(" | ".join),
        _WORD.map(lambda word: f"{word} | null"),
        st.lists(st.text(max_size=8), min_size=1, max_size=4, unique=True).map(
            lambda values: {"$enum": values}
        ),
        _LIMITED.flatmap(_described),
    ]
    if not deep:
        return st.one_of(shallow)
    inner = types(deep - 1)
    return st.one_of(
        *shallow,
        inner.map(lambda one: [one]),
        inner.map(lambda one: {"$map": one}),
        inner.flatmap(lambda one: _described({"$type": one})),
        properties(deep - 1),
    )


def properties(deep: int = 2) -> st.SearchStrategy[dict[str, Any]]:
    """An object; some of its properties may be absent."""
    name = st.tuples(_NAME, st.sampled_from(["", "?"])).map("".join)
    return st.dictionaries(name, types(deep), max_size=4).filter(
        lambda found: (
            len({key.rstrip("?") for key in found}) == len(found)
            and not ("type" in found and found.keys() & {"format", "properties", "items"})
        )
    )


def _event() -> st.SearchStrategy[dict[str, Any]]:
    data = properties().map(lambda found: {"id": "uuid", **found})
    words = {"title": _PHRASE, "description": _PHRASE}
    return st.fixed_dictionaries(
        {"data": data, "key": st.just("id")},
        optional={
            **words,
            "version": st.sampled_from(["1.0.0", "2.1", "yes"]),
            "headers": properties(0),
            "examples": st.lists(st.dictionaries(_NAME, _VALUE, max_size=2), max_size=2),
            "versions": st.fixed_dictionaries({"7.0.0": st.fixed_dictionaries({"data": data})}),
            "ordering": st.sampled_from(["key", "none"]),
            "retry": st.fixed_dictionaries({"attempts": st.integers(1, 9)}),
            "address": st.sampled_from(["a.b", "a/{id}", "1.5"]),
            "x-team": _VALUE,
        },
    )


_EVENTS = st.dictionaries(
    st.from_regex(r"[a-z]{1,6}[./~ %][a-z]{1,6}", fullmatch=True), _event(), min_size=1, max_size=3
)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """A whole document."""
    publishes = draw(_EVENTS)
    subscribes = {name: event for name, event in draw(_EVENTS).items() if name not in publishes}
    mentioned = draw(st.lists(st.sampled_from(sorted(publishes)), max_size=1))
    return {
        "eventgen": 1,
        "service": draw(_NAME),
        "publishes": publishes,
        "subscribes": {**subscribes, **dict.fromkeys(mentioned)},
        "types": {name: draw(types(1)) for name in _NAMED if name != "Kind"}
        | {"Kind": {"$enum": ["a", "b"]}},
    }
