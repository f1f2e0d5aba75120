"""The shape of every object of AsyncAPI, as `spec/shapes` says it, for one version.

A file of `shapes/objects` describes an object of the specification, one of `shapes/bindings` the
bindings of a protocol. A field is a JSON Schema, with these keywords of our own beside it:

* `object`: the value is that object, or a reference to one where the object may be referred to
* `refers`: the value is a reference to that object
* `list`, `map`: the value holds such values; `fields`: it is an object that has no name
* `or`: what the value may also be, told apart by being a list or a mapping
* `since`, `until`: the versions that have the field; a list describes it version by version
* `required`, and `example`: what to type for it
* `instead`: the field that another version has for it, and `advice`: what to write there
* `when`: the field is checked only if the schema format, in the field named here, is AsyncAPI's
* `only`: the values of the object's `by` field with which the field may stand

Of an object they say what it `is` in a sentence, its `fields` (or with `map` what all its keys
hold), since which version a `reference` may stand for it, whether it may be a `boolean`, whether
it is `open` to other keys, and that it takes no `extensions`. `Shape` explains the rest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from eventgen.spec.tree import Node

Spec: TypeAlias = Mapping[str, Any]  # a field, or the place of a whole object

_FOLDER = Path(__file__).parents[1] / "shapes"
_LEVELS = ("server", "channel", "operation", "message")


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """One object. `elsewhere` are the fields that only other versions have.

    `having` names the object that this one is if it has a certain key, `otherwise` if it has none
    of those, and `by` the field whose value tells between objects called `<name>/<value>`.
    """

    title: str
    fields: Mapping[str, Spec] = field(default_factory=dict)
    elsewhere: Mapping[str, Spec] = field(default_factory=dict)
    values: Spec | None = None  # what the keys hold that are not fields
    either: tuple[str, ...] = ()  # fields of which one at least is there
    referable: bool = False
    extensible: bool = True
    is_open: bool = False  # other keys may stand in it; of variants, in those that `open` lists
    may_be_boolean: bool = False
    is_binding: bool = False
    having: Mapping[str, str] = field(default_factory=dict)
    otherwise: str = ""
    by: str = ""

    @property
    def required(self) -> tuple[str, ...]:
        """The fields that may not be left out."""
        return tuple(key for key, spec in self.fields.items() if spec.get("required"))


@dataclass(frozen=True, slots=True)
class Shapes:
    """The objects of one version, by name."""

    version: str
    objects: Mapping[str, Shape]

    def alternatives(self, name: str) -> tuple[tuple[str, str], ...]:
        """A key, and the object that stands where `name` is expected if it has that key."""
        having = self.objects[name].having
        return tuple((key, other) for key, other in having.items() if other in self.objects)

    def variants(self, name: str) -> tuple[tuple[str, str], ...]:
        """A value of the object's `by` field, and the object that it then is."""
        by = self.objects[name].by
        values = self.objects[name].fields[by]["enum"] if by else ()
        return tuple((value, f"{name}/{value}") for value in values)

    def told(self, name: str, node: Node) -> str:
        """The name of the object that a mapping is, which stands where `name` is expected."""
        shape = self.objects[name]
        if not (shape.having or shape.otherwise or shape.by):
            return name
        for key, other in self.alternatives(name):
            if node.get(key) is not None:
                return other
        if shape.otherwise:
            return shape.otherwise
        by = node.get(shape.by) if shape.by else None
        return dict(self.variants(name)).get(by.words if by else "", name)


@cache
def of_version(version: str) -> Shapes:
    """The objects of a version, which is written as `2.6`."""
    objects: dict[str, Shape] = {}
    for name, raw in _read("objects"):
        if _has(raw, version):
            _add(objects, name, raw, version)
    for level in _LEVELS:
        protocols = {}
        for protocol, raw in _read("bindings"):
            fields = {**raw.get(level, {}), "bindingVersion": {"enum": raw["versions"]}}
            binding = {"is": f"{protocol} binding", "fields": fields, "binding": True}
            _add(objects, f"{protocol}.{level}", binding, version)
            protocols[protocol] = {"object": f"{protocol}.{level}"}
        objects[f"{level}-bindings"] = Shape("bindings", protocols, referable=True, is_binding=True)
    return Shapes(version, objects)


def _add(objects: dict[str, Shape], name: str, raw: dict[str, Any], version: str) -> None:
    """Add an object, the variants of it, and the objects without a name that it holds."""
    described = {key: _versions(spec) for key, spec in raw.get("fields", {}).items()}
    by, either = raw.get("by", ""), raw.get("either", {})
    shape = Shape(
        title=raw["is"],
        fields=_fields(objects, name, described, version, ""),
        elsewhere={
            key: specs[0]
            for key, specs in described.items()
            if not any(_has(spec, version) for spec in specs)
        },
        values=raw.get("map"),
        either=tuple(either["fields"]) if either and _has(either, version) else (),
        referable="reference" in raw and not _before(version, raw["reference"]),
        extensible=raw.get("extensions", True),
        is_open="open" in raw,
        may_be_boolean=raw.get("boolean", False),
        is_binding=raw.get("binding", False),
        having=raw.get("having", {}),
        otherwise=raw.get("otherwise", ""),
        by=by,
    )
    objects[name] = shape
    for value in shape.fields[by]["enum"] if by else ():
        fields = _fields(objects, name, described, version, value)
        is_open = value in raw["open"]
        objects[f"{name}/{value}"] = replace(shape, fields=fields, is_open=is_open, by="")


def _fields(
    objects: dict[str, Shape],
    name: str,
    described: Mapping[str, list[dict[str, Any]]],
    version: str,
    variant: str,
) -> dict[str, Spec]:
    found: dict[str, Spec] = {}
    for key, specs in described.items():
        for spec in specs:
            fits = "only" not in spec or variant in spec["only"]
            if fits and _has(spec, version):
                found[key] = _field(objects, f"{name}.{key}", spec, version)
    return found


def _field(objects: dict[str, Shape], name: str, spec: dict[str, Any], version: str) -> Spec:
    """A field as this version has it. An object that it holds and that has no name gets one."""
    made = {key: value for key, value in spec.items() if key not in ("since", "until", "only")}
    if "fields" in made:
        raw = {"is": name.rpartition(".")[2], "fields": made.pop("fields"), "binding": True}
        _add(objects, name, raw, version)
        made["object"] = name
    if "list" in made:
        made["list"] = _field(objects, f"{name}.item", made["list"], version)
    required = made.pop("required", False)
    if required is True or (required and _has(required, version)):
        made["required"] = True
    return made


def _versions(spec: Any) -> list[dict[str, Any]]:
    return spec if isinstance(spec, list) else [spec]


def _has(raw: Mapping[str, Any], version: str) -> bool:
    return not _before(version, raw.get("since", version)) and not _before(
        raw.get("until", version), version
    )


def _before(one: str, other: str) -> bool:
    return _numbers(one) < _numbers(other)


@cache
def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _read(folder: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(_FOLDER.joinpath(folder).glob("*.json")):
        yield path.stem, json.loads(path.read_text(encoding="utf-8"))
