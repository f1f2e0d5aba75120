"""Two versions of an Avro schema, by the specification's rules of schema resolution.

https://avro.apache.org/docs/current/specification/#schema-resolution, and two rules that it leaves
out: a decimal keeps its scale, and a moment its unit, or the same bytes mean something else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from eventgen.compat.avro_schema import (
    NAMED,
    PRIMITIVES,
    Point,
    aliases,
    fields,
    full_name,
    is_same_name,
    kind,
    meaning,
    names_in,
    sample,
    short,
    symbols,
)
from eventgen.compat.change import Break, Change, Party
from eventgen.compat.places import place
from eventgen.compat.words import remedy
from eventgen.model import Avro

if TYPE_CHECKING:
    from eventgen.compat.words import About
    from eventgen.model import Foreign

# What a reader takes for what was written.
_PROMOTED = {
    "int": {"long", "float", "double"},
    "long": {"float", "double"},
    "float": {"double"},
    "string": {"bytes"},
    "bytes": {"string"},
}
_MISREAD = {"unit-changed": "numbers are taken for others"}


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a reader cannot take what was written. `path` leads to it by fields, the ways by keys."""

    name: str
    text: str
    path: tuple[str, ...]
    writer_way: tuple[str, ...]
    reader_way: tuple[str, ...]
    shown: Any = None  # the symbol that is not read


def compare(old: Foreign, new: Foreign, about: About) -> Iterator[Change]:
    """What keeps one version from reading the other one's events."""
    before, after = _whole(old), _whole(new)
    sides = {Party.PRODUCERS: problems(before, after), Party.CONSUMERS: problems(after, before)}
    written = {Party.PRODUCERS: before, Party.CONSUMERS: after}
    found: dict[tuple[str, tuple[str, ...]], dict[Party, Problem]] = {}
    for party, several in sides.items():
        for one in several:
            found.setdefault((one.name, one.path), {}).setdefault(party, one)
    for (name, path), by in found.items():
        party, one = next(iter(by.items()))
        ways = (one.writer_way, one.reader_way)
        was, now = ways if party is Party.PRODUCERS else ways[::-1]
        where = f"`{'.'.join(path)}` of {about.subject}" if path else about.subject
        yield Change(
            name,
            f"{where}: {one.text}",
            place(old.span, was),
            place(new.span, now),
            {
                which: Break(
                    (sample(written[which], each.writer_way, each.shown),), _MISREAD.get(name, "")
                )
                for which, each in by.items()
            },
            help=remedy(name, about.event, about.version),
            event=about.event,
            details={"path": ".".join(path), "pointer": "".join(f"/{part}" for part in now)},
        )
    if not found:
        yield Change(
            "values-changed",
            f"the schema of {about.subject} is not what it was",
            old.span,
            new.span,
            event=about.event,
        )


def _whole(found: Foreign) -> Any:
    """The schema with what other files define; as it is written where that is not known."""
    return found.wire.schema if isinstance(found.wire, Avro) else found.document


def problems(writer: Any, reader: Any) -> tuple[Problem, ...]:
    """Why data of one schema cannot be read by another; empty when it can."""
    resolution = _Resolution(names_in(writer), names_in(reader))
    return tuple(resolution.at(Point(writer), Point(reader), ()))


@dataclass(frozen=True, slots=True)
class _Resolution:
    writers: Mapping[str, Any]
    readers: Mapping[str, Any]
    seen: set[tuple[str, str]] = field(default_factory=set)

    def at(self, writer: Point, reader: Point, path: tuple[str, ...]) -> Iterator[Problem]:
        writer = self._named(writer, self.writers)
        reader = self._named(reader, self.readers)
        if isinstance(writer.schema, list):
            for index, branch in enumerate(writer.schema):
                yield from self.at(writer.step(branch, str(index)), reader, path)
            return
        if isinstance(reader.schema, list):
            yield from self._into_union(writer, reader, path)
            return
        kinds = kind(writer.schema), kind(reader.schema)
        if kinds[0] != kinds[1]:
            if kinds[1] not in _PROMOTED.get(kinds[0], ()):
                text = f"`{kinds[0]}` cannot be read as `{kinds[1]}`"
                yield self._problem("type-changed", text, writer, reader, path)
            return
        yield from self._of_kind(kinds[0], writer, reader, path)

    def _of_kind(
        self, named: str, writer: Point, reader: Point, path: tuple[str, ...]
    ) -> Iterator[Problem]:
        if named in NAMED and not is_same_name(writer, reader):
            names = [short(one.schema.get("name", "")) for one in (writer, reader)]
            text = f"`{names[0]}` cannot be read as `{names[1]}`"
            yield self._problem("type-changed", text, writer, reader, path)
            return
        match named:
            case "record" | "error":
                yield from self._record(writer, reader, path)
            case "enum":
                yield from self._enum(writer, reader, path)
            case "fixed" if writer.schema.get("size") != reader.schema.get("size"):
                text = f"`size` {writer.schema.get('size')} cannot be read as another"
                yield self._problem("type-changed", text, writer, reader, path)
            case "array" | "map":
                key = "items" if named == "array" else "values"
                inner = [one.step(one.schema.get(key, "null"), key) for one in (writer, reader)]
                yield from self.at(inner[0], inner[1], (*path, "[]" if named == "array" else "*"))
        yield from self._logical(writer, reader, path)

    def _into_union(self, writer: Point, reader: Point, path: tuple[str, ...]) -> Iterator[Problem]:
        branches = [reader.step(one, str(index)) for index, one in enumerate(reader.schema)]
        tried = [list(replace(self, seen=set(self.seen)).at(writer, one, path)) for one in branches]
        if any(not found for found in tried):
            return
        wanted = kind(writer.schema)
        alike = [
            found
            for one, found in zip(branches, tried, strict=True)
            if kind(self._named(one, self.readers).schema) == wanted
        ]
        if alike:
            yield from alike[0]
            return
        text = f"`{wanted}` is not among the types that are read"
        yield self._problem("values-changed", text, writer, reader, path)

    def _record(self, writer: Point, reader: Point, path: tuple[str, ...]) -> Iterator[Problem]:
        names = (full_name(writer), full_name(reader))
        if names in self.seen:
            return
        self.seen.add(names)
        written = {one["name"]: (index, one) for index, one in fields(writer.schema)}
        for index, one in fields(reader.schema):
            name = one["name"]
            called = (each for each in (name, *aliases(one)) if each in written)
            at, its = written.get(next(called, ""), (0, None))
            if its is not None:
                other = writer.step(its.get("type", "null"), "fields", str(at), "type")
                point = reader.step(one.get("type", "null"), "fields", str(index), "type")
                yield from self.at(other, point, (*path, name))
            elif "default" not in one:
                text = f"`{name}` is not written, and has no default to be read as"
                here = reader.step(one, "fields", str(index), "name")
                yield self._problem("property-required", text, writer, here, (*path, name))

    def _enum(self, writer: Point, reader: Point, path: tuple[str, ...]) -> Iterator[Problem]:
        known = symbols(reader.schema)
        gone = [one for one in symbols(writer.schema) if one not in known]
        if gone and "default" not in reader.schema:
            text = f"`{gone[0]}` is not among the symbols that are read"
            here = [one.step(one.schema, "symbols") for one in (writer, reader)]
            yield Problem("values-changed", text, path, here[0].way, here[1].way, gone[0])

    def _logical(self, writer: Point, reader: Point, path: tuple[str, ...]) -> Iterator[Problem]:
        kept = [meaning(one.schema) for one in (writer, reader)]
        if kept[0] == kept[1] or not any(kept):
            return
        told = [" ".join(map(str, one)) or "no logical type" for one in kept]
        text = f"`{told[0]}` would be read as `{told[1]}`, and mean something else"
        yield self._problem("unit-changed", text, writer, reader, path)

    @staticmethod
    def _named(point: Point, names: Mapping[str, Any]) -> Point:
        """What a name stands for; a type that is written as `{type: ...}` is that type."""
        while isinstance(point.schema, dict) and isinstance(point.schema.get("type"), (dict, list)):
            point = point.step(point.schema["type"], "type")
        schema = point.schema
        if isinstance(schema, str) and schema not in PRIMITIVES:
            full = schema if schema in names else f"{point.space}.{schema}"
            return Point(names.get(full, schema), point.way, full.rpartition(".")[0])
        return point

    @staticmethod
    def _problem(
        name: str, text: str, writer: Point, reader: Point, path: tuple[str, ...]
    ) -> Problem:
        return Problem(name, text, path, writer.way, reader.way)
