"""Values that a JSON Schema allows, or nearly: the candidates for an example that breaks.

Each seed gives another value, always the same one. Which of them the schema really allows is for a
validator to say, so that what cannot be expressed here (`not`, `if`) only costs candidates.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from eventgen.plan.sample_merge import limit, merged, without
from eventgen.plan.sample_text import text

_SEEDS = 48
_DEEPEST = 12
_MANY = 40  # items or characters beyond which nothing is made up
_KINDS = ("null", "boolean", "integer", "number", "string", "array", "object")
# What a schema without a type is about, by its keywords.
_MEANT = {
    "object": {"properties", "required", "propertyNames", "patternProperties", "minProperties"},
    "array": {"items", "prefixItems", "contains", "minItems", "maxItems"},
    "number": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
    "string": {"pattern", "format", "minLength", "maxLength"},
}
_NUMBERS = (0, 1, -1, 0.5, 2, 3, 100)


def candidates(document: Mapping[str, Any]) -> Iterator[Any]:
    """Values for a schema with its definitions, the smallest and the largest first."""
    definitions = document.get("$defs", {})
    for seed in range(_SEEDS):
        try:
            yield _Maker(definitions, seed, random.Random(seed)).value(document, "", 0)  # noqa: S311 - to vary, not to hide
        except (_NoValueError, ArithmeticError, RecursionError, ValueError):
            continue


class _NoValueError(Exception):
    """Nothing is allowed here, or it lies too deep."""


@dataclass(frozen=True, slots=True)
class _Maker:
    definitions: Mapping[str, Any]
    seed: int
    chance: random.Random

    def value(self, schema: Any, name: str, deep: int) -> Any:
        if schema is False or deep > _DEEPEST:
            raise _NoValueError
        whole = self._whole(schema, deep)
        if "const" in whole:
            return whole["const"]
        if whole.get("enum"):
            return self._one_of(whole["enum"])
        return self._of_kind(self._kind(whole), whole, name, deep)

    def _of_kind(self, kind: str, whole: dict[str, Any], name: str, deep: int) -> Any:
        match kind:
            case "object":
                made: Any = self._object(whole, deep)
            case "array":
                made = self._array(whole, name, deep)
            case "integer" | "number":
                made = self._number(whole, whole_number=kind == "integer")
            case "string":
                made = self._text(whole, name)
            case "boolean":
                made = self._one_of([True, False])
            case _:
                made = None
        return made

    def _one_of(self, choices: list[Any]) -> Any:
        return choices[self.seed] if self.seed < len(choices) else self.chance.choice(choices)

    def _whole(self, schema: Any, deep: int) -> dict[str, Any]:
        """The schema with its references, parts and one of its alternatives in one."""
        if not isinstance(schema, Mapping):
            return {}
        if deep > _DEEPEST:
            raise _NoValueError
        here = without(schema, "$ref", "allOf", "anyOf", "oneOf", "$defs")
        name = str(schema.get("$ref", "")).removeprefix("#/$defs/")
        parts = [self.definitions[name]] if name in self.definitions else []
        parts += schema.get("allOf", ())
        parts += [self._one_of(schema[key]) for key in ("anyOf", "oneOf") if schema.get(key)]
        if "then" in schema and self.chance.random() < 1 / 2:
            parts += [schema.get("if", True), schema["then"]]
        for part in parts:
            here = merged(here, self._whole(part, deep + 1))
        return here

    def _kind(self, schema: Mapping[str, Any]) -> str:
        named = schema.get("type")
        if isinstance(named, list):
            return str(self._one_of(named))
        if named is not None:
            return str(named)
        meant = [kind for kind, keys in _MEANT.items() if schema.keys() & keys]
        return meant[0] if meant else self.chance.choice(_KINDS)

    def _object(self, schema: Mapping[str, Any], deep: int) -> dict[str, Any]:
        described = schema.get("properties", {})
        needed = [name for name in schema.get("required", ()) if isinstance(name, str)]
        made: dict[str, Any] = {}
        for name in dict.fromkeys((*needed, *described)):
            if name not in needed and not self._fills():
                continue
            try:
                inner = described.get(name, schema.get("additionalProperties", True))
                made[name] = self.value(inner, name, deep + 1)
            except _NoValueError:
                if name in needed:
                    raise
        others = schema.get("additionalProperties", True)
        least = int(limit(schema, "minProperties", 0))
        if others is not False and (len(made) < least or (not described and self._fills())):
            for number in range(min(max(1, least - len(made)), _MANY)):
                name = self._one_of(["other", "OTHER 1", "other-1"]) + "x" * number
                made[name] = self.value(others, "other", deep + 1)
        for pattern, inner in schema.get("patternProperties", {}).items():
            if self._fills():
                made[text({"pattern": pattern}, "", 0)] = self.value(inner, "", deep + 1)
        return made

    def _fills(self) -> bool:
        """Whether what may be left out is there: not in the first value, always in the second."""
        return self.seed == 1 or (self.seed > 1 and self.chance.random() < 1 / 2)

    def _array(self, schema: Mapping[str, Any], name: str, deep: int) -> list[Any]:
        first = list(schema.get("prefixItems", ()))
        rest = [schema[key] for key in ("contains", "items") if key in schema]
        if len(rest) > 1:
            rest = [merged(*rest), rest[1]]
        least = int(limit(schema, "minItems", 1 if "contains" in schema else 0))
        most = int(limit(schema, "maxItems", max(least, len(first)) + 2))
        count = self._one_of([least, min(most, max(least, len(first) + 1)), most])
        made: list[Any] = []
        for number in range(min(count, _MANY)):
            options = first[number : number + 1] or rest[: 1 if not made else None] or [True]
            made.append(self.value(options[-1 if made else 0], name, deep + 1))
        if schema.get("uniqueItems") and len(made) > 1:
            made = [one for index, one in enumerate(made) if one not in made[:index]]
        return made

    def _number(self, schema: Mapping[str, Any], *, whole_number: bool) -> float:
        low = limit(schema, "minimum", limit(schema, "exclusiveMinimum", -math.inf))
        high = limit(schema, "maximum", limit(schema, "exclusiveMaximum", math.inf))
        step = limit(schema, "multipleOf", 1)
        options = [step * one for one in _NUMBERS]
        options += [low, low + step, (low + high) / 2, high - step, high, low + 0.5, high - 0.5]
        allowed = [
            one
            for one in options
            if math.isfinite(one) and low <= one <= high and (one == int(one) or not whole_number)
        ]
        if not allowed:
            raise _NoValueError
        chosen = self._one_of(list(dict.fromkeys(allowed)))
        return int(chosen) if chosen == int(chosen) else float(chosen)

    def _text(self, schema: Mapping[str, Any], name: str) -> str:
        least = int(limit(schema, "minLength", 0))
        most = limit(schema, "maxLength", math.inf)
        if least > 10_000:
            raise _NoValueError
        plain = "x" * min(max(least, 1), int(min(most, _MANY * 250)))
        if "pattern" in schema or "format" in schema:
            return text(schema, name, self.seed)
        longest = "x" * int(min(most, max(least, _MANY)))
        return str(self._one_of([text(schema, name, 0), plain, longest, "x" * least]))
