"""Hypothesis strategies: random schemas of 2020-12, and values that nearly fit one."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

_NAMES = ("a", "b", "orderId", "order_id", "class", "x-y", "1st", "é", "schema", "")
_PATTERNS = ("^[a-z]+$", "b", "^x-", r"^\d{2}$", "^(?!a)")
# Texts that the patterns and formats tell apart, and some others.
_TEXTS = ("", "a", "b", "ab", "x-1", "42", "Straße", "🎉", "2024-02-29", "2024-02-30", "a\n")
_IDS = ("12345678-1234-1234-1234-123456789abc", "12345678")

names = st.sampled_from(_NAMES)
texts = st.one_of(st.sampled_from(_TEXTS + _IDS), st.text(st.characters(codec="utf-8"), max_size=6))
wholes = st.one_of(st.integers(-3, 12), st.integers())
numbers = st.one_of(wholes, st.floats(-1e6, 1e6, width=32))  # larger, doubles have no fractions
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
anything = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)),
    max_leaves=5,
)


def _keywords(**optional: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Some of the keywords, each with a value of its own."""
    return st.fixed_dictionaries({}, optional=optional)


def _of(kind: str, **optional: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return _keywords(**optional).map(lambda keywords: {"type": kind, **keywords})


_counts = st.integers(0, 3)
_leaves: st.SearchStrategy[Any] = st.one_of(
    _of("string", minLength=_counts, maxLength=st.integers(1, 8)),
    _of("string", pattern=st.sampled_from(_PATTERNS)),
    _of("string", format=st.sampled_from(("date", "uuid"))),
    _of("integer", minimum=st.integers(-2, 3), exclusiveMaximum=st.integers(4, 20)),
    _of("integer", multipleOf=st.integers(1, 3)),
    _of("number", exclusiveMinimum=st.integers(-2, 3), maximum=st.integers(4, 20)),
    _of("boolean"),
    _of("null"),
    st.builds(lambda kind: {"type": [kind, "null"]}, st.sampled_from(("string", "integer"))),
    st.builds(lambda value: {"const": value}, scalars),
    st.builds(lambda members: {"enum": members}, st.lists(scalars, min_size=1, max_size=4)),
    _keywords(minLength=_counts, minimum=st.integers(0, 3), maxItems=_counts),
    st.booleans(),
)


def _larger(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=3)
    objects = _of(
        "object",
        properties=st.dictionaries(names, inner, max_size=4),
        required=st.lists(names, max_size=2, unique=True),
        additionalProperties=inner,
        patternProperties=st.dictionaries(st.sampled_from(("^x-", "^[a-c]")), inner, max_size=1),
        minProperties=st.integers(0, 2),
        propertyNames=st.just({"maxLength": 7}),
        dependentRequired=st.dictionaries(names, st.lists(names, max_size=1), max_size=1),
        unevaluatedProperties=inner,
    )
    arrays = _of(
        "array",
        items=inner,
        prefixItems=several,
        minItems=_counts,
        maxItems=st.integers(2, 4),
        uniqueItems=st.booleans(),
        contains=inner,
    )
    plain = _of("object", properties=st.dictionaries(names, inner, min_size=1, max_size=5))
    combined = st.one_of(
        *(several.map(lambda parts, key=key: {key: parts}) for key in ("allOf", "anyOf", "oneOf")),
        inner.map(lambda part: {"not": part}),
        st.builds(lambda a, b, c: {"if": a, "then": b, "else": c}, inner, inner, inner),
    )
    return st.one_of(plain, objects, arrays, combined)


parts = st.recursive(_leaves, _larger, max_leaves=4)
schemas = st.recursive(st.one_of(_leaves, st.just({"$ref": "#/$defs/Part"})), _larger, max_leaves=6)


@st.composite
def values(draw: st.DrawFn, schema: Any, part: Any) -> Any:
    """A value that looks like what the schema describes; it need not be valid.

    `part` is the schema that references are to.
    """
    if not isinstance(schema, dict) or draw(st.integers(0, 19)) == 0:
        return draw(anything)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return draw(st.sampled_from(schema["enum"]))
    if inner := _alternatives(schema, part):
        return draw(values(draw(st.sampled_from(inner)), part))
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = draw(st.sampled_from(kind))
    return draw(_SHAPED[kind](schema, part)) if kind in _SHAPED else draw(anything)


def _alternatives(schema: dict[str, Any], part: Any) -> list[Any]:
    """The schemas that a value is of which this one describes; none if it does so itself."""
    if "$ref" in schema:
        return [part]
    found = [schema[key] for key in ("if", "then", "else") if key in schema]
    return found + [one for key in ("anyOf", "oneOf", "allOf") for one in schema.get(key, ())]


@st.composite
def _object(draw: st.DrawFn, schema: dict[str, Any], part: Any) -> Any:
    properties = schema.get("properties", {})
    required = schema.get("required", [])
    chosen = [name for name in properties if name in required or draw(st.booleans())]
    found = {name: draw(values(properties[name], part)) for name in chosen}
    for name in (*required, *draw(st.lists(st.sampled_from((*_NAMES, "x-1")), max_size=1))):
        if name not in found:
            found[name] = draw(values(schema.get("additionalProperties", {}), part))
    return found


@st.composite
def _array(draw: st.DrawFn, schema: dict[str, Any], part: Any) -> Any:
    first = schema.get("prefixItems", [])
    rest = schema.get("contains" if draw(st.booleans()) else "items", {})
    least = schema.get("minItems", 0)
    size = draw(st.integers(least, max(least, schema.get("maxItems", 4))))
    return [draw(values(first[n] if n < len(first) else rest, part)) for n in range(size)]


_SHAPED = {
    "object": _object,
    "array": _array,
    "string": lambda *_: texts,
    "integer": lambda *_: wholes,
    "number": lambda *_: numbers,
    "boolean": lambda *_: st.booleans(),
    "null": lambda *_: st.none(),
}
