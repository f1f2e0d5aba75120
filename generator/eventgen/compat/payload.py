"""Two versions of a JSON Schema: what changed, whom it breaks, and by which value."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

from eventgen.compat import policy
from eventgen.compat.change import Break, Party
from eventgen.compat.containment import Schema, Verdict
from eventgen.compat.structure import same
from eventgen.compat.values import candidates
from eventgen.compat.walk import Difference, Step, differences

_MOST_TRIED = 6  # values that are refused in the right place, of which the whole may be allowed


@dataclass(frozen=True, slots=True)
class Judged:
    """A difference, and whom it breaks. Without one: the whole, where no part is to blame."""

    difference: Difference | None
    breaks: Mapping[Party, Break]


class Side:
    """One version of a schema, by its name among its definitions, as it is and by the policy."""

    def __init__(self, name: str, definitions: Mapping[str, Any]) -> None:
        self.name = name
        self.definitions = definitions
        self.root = {"$ref": f"{policy.PREFIX}{name}"}

    @cached_property
    def written(self) -> Schema:
        """What a writer writes."""
        return self.writing(self.root)

    @cached_property
    def taken(self) -> Schema:
        """What a reader takes."""
        return self.taking(self.root)

    @cached_property
    def whole(self) -> Schema:
        """As its author wrote it."""
        return Schema(policy.document_of(self.root, self.definitions))

    def writing(self, schema: Any) -> Schema:
        """The same of a part."""
        return Schema(self._closing(schema))

    def taking(self, schema: Any) -> Schema:
        """The same of a part."""
        return Schema(self._opening(schema))

    @cached_property
    def _closing(self) -> Any:
        return policy.closing(self.definitions)

    @cached_property
    def _opening(self) -> Any:
        return policy.opening(self.definitions)


def judge(old: Side, new: Side) -> tuple[Judged, ...]:
    """Every difference between two versions, and whom it breaks."""
    if same(old.root, new.root, (old.definitions, new.definitions)):
        return ()
    found = differences((old.name, old.definitions), (new.name, new.definitions))
    pairs = {Party.PRODUCERS: _Pair(old, new, 0), Party.CONSUMERS: _Pair(new, old, 1)}
    broken = {party: pair for party, pair in pairs.items() if pair.verdict is not Verdict.YES}
    breaks: list[dict[Party, Break]] = [{} for _ in found]
    for party, pair in broken.items():
        judged = [pair.example_of(one) for one in found]
        shown = {one.route for one, by in zip(found, judged, strict=True) if by is not None}
        for index, (one, example) in enumerate(zip(found, judged, strict=True)):
            if example is not None:
                breaks[index][party] = Break(examples=(example.value,))
            elif pair.suspects(one, shown):
                breaks[index][party] = Break(proven=False)
    unexplained = {
        party: pair.blame_whole()
        for party, pair in broken.items()
        if not any(party in one for one in breaks)
    }
    judged_all = [Judged(one, by) for one, by in zip(found, breaks, strict=True)]
    return (*judged_all, *([Judged(None, unexplained)] if unexplained else []))


@dataclass(frozen=True, slots=True)
class _Example:
    """A value, which may be null."""

    value: Any


class _Pair:
    """A writer of one version and a reader of the other."""

    def __init__(self, writer: Side, reader: Side, index: int) -> None:
        self._writer = writer
        self._reader = reader
        self._index = index  # of the writer among old and new

    @cached_property
    def verdict(self) -> Verdict:
        return self._reader.taken.covers(self._writer.written)

    def example_of(self, difference: Difference) -> _Example | None:
        """A value that is written, and is refused because of this difference."""
        mask = self._mask(difference)
        if mask is None:
            return None
        local = self._writer.writing(difference.within[self._index])
        tried = 0
        for value in _pool(local, mask):
            if local.accepts(value) and mask.accepts(value) is False:
                whole = self._around(value, difference.route)
                if whole is not None and self._breaks(whole.value):
                    return whole
                tried += 1
                if tried == _MOST_TRIED:
                    break
        return None

    def suspects(self, difference: Difference, shown: Collection[tuple[Step, ...]]) -> bool:
        """Whether a difference without an example must be taken for a break.

        Not where another one is `shown` to break at the same place, nor in one of several
        alternatives, where another one may take what this one refuses.
        """
        mask = self._mask(difference)
        if mask is None or difference.route in shown:
            return False
        if shown and any(step.kind == "branch" for step in difference.route):
            return False
        local = self._writer.writing(difference.within[self._index])
        return mask.covers(local) is not Verdict.YES

    def blame_whole(self) -> Break:
        for value in _pool(self._writer.written, self._reader.taken):
            if self._breaks(value):
                return Break(examples=(value,))
        return Break(proven=False)

    def _mask(self, difference: Difference) -> Schema | None:
        ask = (difference.new, difference.old)[self._index]
        return None if ask is None else self._reader.taking(ask.mask)

    def _breaks(self, value: Any) -> bool:
        """Whether a value is written and refused, by the policy and by the schemas as they are."""
        return (
            self._writer.written.accepts(value) is True
            and self._writer.whole.accepts(value) is True
            and self._reader.taken.accepts(value) is False
            and self._reader.whole.accepts(value) is False
        )

    def _around(self, value: Any, route: tuple[Step, ...]) -> _Example | None:
        """The value with what must be around it."""
        for step in reversed(route):
            if step.kind == "branch":
                continue
            schema = self._writer.writing((step.old, step.new)[self._index])
            around = _put(value, step, schema)
            if around is None:
                return None
            value = around.value
        return _Example(value)


def _pool(writer: Schema, reader: Schema) -> Iterator[Any]:
    left = writer.without(reader)
    documents = [one for one in (left, writer.document) if isinstance(one, dict)]
    return chain.from_iterable(map(candidates, documents))


def _put(value: Any, step: Step, schema: Schema) -> _Example | None:
    """A value of the schema that has the given one behind the step."""
    for base in candidates(schema.document):
        for whole in _variants(base, value, step):
            if schema.accepts(whole):
                return _Example(whole)
    return None


def _variants(base: Any, value: Any, step: Step) -> Iterator[Any]:
    if isinstance(base, dict) and step.kind == "property":
        yield {**base, step.name: value}
    elif isinstance(base, dict) and step.kind == "other":
        yield {**base, "other": value}
    elif isinstance(base, list) and step.kind in ("item", "prefix"):
        index = int(step.name or 0)
        yield [*base[:index], value, *base[index + 1 :]]
        yield [value]
