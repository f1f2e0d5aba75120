"""The parts of an Avro schema: names, kinds, and a value that it describes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# With what a value of each looks like in JSON.
PRIMITIVES: Mapping[str, Any] = {
    "null": None,
    "boolean": True,
    "int": 1,
    "long": 1,
    "float": 0.5,
    "double": 0.5,
    "bytes": "\0",
    "string": "example",
}
NAMED = frozenset(("record", "error", "enum", "fixed"))
# Logical types whose numbers mean something else in another one. A `uuid` is also plain text.
_UNITS = frozenset(
    (
        "date", "decimal", "local-timestamp-micros", "local-timestamp-millis",
        "local-timestamp-nanos", "time-micros", "time-millis", "timestamp-micros",
        "timestamp-millis", "timestamp-nanos",
    )
)  # fmt: skip
_UUID = "5c0a7e8e-3a52-4f0e-9a4b-1f6d2c9b7e11"
_DEEPEST = 30


@dataclass(frozen=True, slots=True)
class Point:
    """A schema, the way to it by keys, and the namespace it stands in."""

    schema: Any
    way: tuple[str, ...] = ()
    space: str = ""

    def step(self, schema: Any, *parts: str) -> Point:
        """A schema inside of it."""
        named = self.schema if isinstance(self.schema, dict) else {}
        space = space_of(named, self.space) if kind(named) in NAMED else self.space
        return Point(schema, (*self.way, *parts), space)


def kind(schema: Any) -> str:
    """Its type in one word."""
    if isinstance(schema, dict):
        schema = schema.get("type", "")
    return "union" if isinstance(schema, list) else str(schema)


def fields(record: Mapping[str, Any]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The fields of a record that have a name, with their indices."""
    for index, one in enumerate(_list(record, "fields")):
        if isinstance(one, dict) and isinstance(one.get("name"), str):
            yield index, one


def symbols(schema: Mapping[str, Any]) -> list[str]:
    """The symbols of an enum."""
    return [one for one in _list(schema, "symbols") if isinstance(one, str)]


def aliases(schema: Mapping[str, Any]) -> list[str]:
    """The other names of a type or a field."""
    return [one for one in _list(schema, "aliases") if isinstance(one, str)]


def _list(schema: Mapping[str, Any], key: str) -> list[Any]:
    """A list in a schema that nobody has checked."""
    found = schema.get(key)
    return found if isinstance(found, list) else []


def meaning(schema: Any) -> tuple[Any, ...]:
    """What the bytes mean beyond their type: a unit, or the digits of a decimal."""
    logical = schema.get("logicalType") if isinstance(schema, dict) else None
    if not isinstance(logical, str) or logical not in _UNITS:
        return ()
    if logical == "decimal":
        return (logical, schema.get("precision"), schema.get("scale", 0))
    return (logical,)


def space_of(schema: Mapping[str, Any], around: str) -> str:
    """The namespace of a named type."""
    head = str(schema.get("name", "")).rpartition(".")[0]
    return head or str(schema.get("namespace", around))


def full_name(point: Point) -> str:
    """The name with its namespace."""
    own = short(point.schema.get("name", ""))
    space = space_of(point.schema, point.space)
    return f"{space}.{own}" if space else own


def short(name: Any) -> str:
    """A name without its namespace."""
    return str(name).rpartition(".")[2]


def is_same_name(writer: Point, reader: Point) -> bool:
    """Whether a named type can be read as another: by its name without namespace, or an alias."""
    known = [reader.schema.get("name", ""), *aliases(reader.schema)]
    return short(writer.schema.get("name", "")) in map(short, known)


def names_in(schema: Any) -> dict[str, Any]:
    """Every named type in a schema, by its full name."""
    found: dict[str, Any] = {}
    waiting = [Point(schema)]
    while waiting:
        here = waiting.pop()
        if isinstance(here.schema, list):
            waiting += [here.step(one) for one in here.schema]
        elif isinstance(here.schema, dict):
            if kind(here.schema) in NAMED:
                found.setdefault(full_name(here), here.schema)
                waiting += [here.step(one.get("type")) for _, one in fields(here.schema)]
            waiting += [
                here.step(here.schema[key]) for key in ("items", "values") if key in here.schema
            ]
            if isinstance(here.schema.get("type"), (dict, list)):
                waiting.append(here.step(here.schema["type"]))
    return found


def sample(schema: Any, way: tuple[str, ...], shown: Any) -> Any:
    """A value in JSON in which the part at `way` is present; it is `shown` where that is given."""
    return _sample(Point(schema), way, shown, names_in(schema))


def _sample(point: Point, way: tuple[str, ...], shown: Any, names: Mapping[str, Any]) -> Any:
    schema = point.schema
    if isinstance(schema, str) and schema not in PRIMITIVES:
        schema = names.get(schema, names.get(f"{point.space}.{schema}"))
        point = Point(schema, point.way, point.space)
    if len(point.way) > _DEEPEST:
        return None
    inside = _behind(point, way)
    if inside is not None:
        return _sample(inside, way[1:], shown, names)
    return _made(point, way, shown, names)


def _behind(point: Point, way: tuple[str, ...]) -> Point | None:
    """The branch of a union that is on the way, or the type that is written as `{type: ...}`."""
    schema = point.schema
    if isinstance(schema, list) and schema:
        index = int(way[0]) if way else 0
        return point.step(schema[index], str(index))
    if isinstance(schema, dict) and isinstance(schema.get("type"), (dict, list)):
        return point.step(schema["type"], "type")
    return None


def _made(point: Point, way: tuple[str, ...], shown: Any, names: Mapping[str, Any]) -> Any:
    schema = point.schema
    if kind(schema) in ("record", "error"):
        return {
            one["name"]: _sample(
                point.step(one.get("type"), "fields", str(index)),
                way[3:] if way[:2] == ("fields", str(index)) else (),
                shown,
                names,
            )
            for index, one in fields(schema)
        }
    key = {"array": "items", "map": "values"}.get(kind(schema))
    if key is None:
        return _scalar(schema, shown if way else None)
    is_shown = way[:1] == (key,)
    inner = _sample(point.step(schema.get(key), key), way[1:], shown, names) if is_shown else None
    if key == "items":
        return [inner] if is_shown else []
    return {"key": inner} if is_shown else {}


def _scalar(schema: Any, shown: Any) -> Any:
    """A value without parts. Bytes are text of as many characters, as in Avro's JSON."""
    if kind(schema) == "enum":
        return next(iter(symbols(schema)), "") if shown is None else shown
    if kind(schema) == "fixed":
        size = schema.get("size")
        return "\0" * size if isinstance(size, int) else ""
    is_uuid = isinstance(schema, dict) and schema.get("logicalType") == "uuid"
    return _UUID if is_uuid else PRIMITIVES.get(kind(schema))
