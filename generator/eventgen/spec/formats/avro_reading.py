"""Reads an Avro schema out of a document, with all that it refers to in other files.

Source: the Avro 1.12 specification, "Schema Declaration". What comes out is complete in itself: a
type is defined where it is used first, and named in full everywhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from eventgen.diagnostics import Span
from eventgen.model import Avro
from eventgen.spec.formats.avro import converted
from eventgen.spec.formats.avro_defaults import json_default
from eventgen.spec.formats.avro_types import LOGICAL, NAMED, PRIMITIVES, tag, types_of
from eventgen.spec.formats.converted import Converted
from eventgen.spec.nearest import did_you_mean
from eventgen.spec.tree import plain

if TYPE_CHECKING:
    from eventgen.spec.formats.converted import Asked
    from eventgen.spec.shape import Reading
    from eventgen.spec.tree import Node

_COMPLEX = ("array", "enum", "error", "fixed", "map", "record")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_FULL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*\Z")
_SIZES = {"duration": 12, "uuid": 16}


class _Fault(Exception):  # noqa: N818 - the end of a reading; what is wrong has been reported
    """The schema is none."""


def convert(reading: Reading, asked: Asked) -> Converted | None:
    """An Avro payload, with the schemas that other versions of the event were written with."""
    schema = read(reading, asked.schema)
    older = None if asked.settings is None else reading.mapping(asked.settings, "writer_schemas")
    writers = {version: read(reading, node) for version, node in reading.entries(older)}
    if schema is None or None in writers.values():
        return None
    root, types = converted(schema)
    return Converted(root, types, Avro(schema, writers), asked.schema)


def read(reading: Reading, node: Node) -> Any | None:
    """The Avro schema at a node, as plain data; None, with what is wrong, when it is none."""
    reader = _Reader(reading)
    try:
        schema = reader.schema(node, "")
    except _Fault:
        return None
    reader.check_defaults(schema)
    return schema


@dataclass(slots=True)
class _Reader:
    reading: Reading
    _names: set[str] = field(default_factory=set)
    _of_node: dict[Node, str] = field(default_factory=dict)
    _defaults: list[tuple[dict[str, Any], Node]] = field(default_factory=list)
    _open: list[Node] = field(default_factory=list)

    def schema(self, node: Node, space: str) -> Any:
        """One schema, read where names without a namespace belong to `space`."""
        if node.reference is not None:
            return self._referred(node, space)
        if isinstance(node.value, list):
            return self._union(node, space)
        if isinstance(node.value, dict):
            known = self._of_node.get(node)  # a YAML alias is the value it names
            return self._complex(node, space) if known is None else known
        if not isinstance(node.value, str) and node.words != "null":
            raise self._fault(node, "this is no Avro type", "write its name, such as `string`")
        return node.words if node.words in PRIMITIVES else self._by_name(node, space)

    def _referred(self, node: Node, space: str) -> Any:
        target = self.reading.target(node)
        if target is None:
            raise _Fault
        return self._followed(node, target, space)

    def _followed(self, node: Node, target: Node, space: str) -> Any:
        """What stands at `target`, where `node` names it."""
        if target in self._open and target not in self._of_node:
            raise self._fault(node, "this leads back to itself", "name a record, enum or fixed")
        self._open.append(target)
        found = self.schema(target, space)
        self._open.pop()
        return found

    def _by_name(self, node: Node, space: str) -> Any:
        """A name of a type: one that was defined before, or one that has a file of its own.

        Of the latter the definition takes the place of the name.
        """
        name = _qualified(node.words, space)
        if name in self._names:
            return name
        own = [f"{one}.avsc" for one in dict.fromkeys((name, name.rpartition(".")[2]))]
        found = next((one for one in own if self.reading.files.beside(node, one)), None)
        document = None if found is None else self.reading.files.beside(node, found)
        if document is None:
            # A warning: whoever builds with it may have the file elsewhere.
            self.reading.warn(
                "avro-type-missing",
                f"the Avro type `{node.words}` is not defined",
                node.span,
                help=did_you_mean(node.words, [*PRIMITIVES, *_COMPLEX, *self._names])
                or f"define it where it is used first, or beside this file in `{own[0]}`",
            )
            raise _Fault
        schema = self._followed(node, document.root, name.rpartition(".")[0])
        if name not in self._names:
            raise self._fault(node, f"`{found}` does not define the Avro type `{name}`", None)
        return schema

    def _union(self, node: Node, space: str) -> list[Any]:
        branches: list[Any] = []
        seen: set[str] = set()
        for item in node.value:
            branch = self.schema(item, space)
            if isinstance(branch, list):
                raise self._fault(
                    item, "a union stands directly in another one", "put its types into the outer"
                )
            what = tag(branch)
            if what in seen:
                raise self._fault(item, f"`{what}` is in this union twice", "remove one of the two")
            seen.add(what)
            branches.append(branch)
        if not branches:
            raise self._fault(node, "this union has no types", "write for example [null, string]")
        return branches

    def _complex(self, node: Node, space: str) -> Any:
        kind = node.get("type")
        if kind is None:
            raise self._fault(
                node, "an Avro schema needs a `type`", "write for example type: record"
            )
        if isinstance(kind.value, (dict, list)):
            return self.schema(kind, space)
        made: dict[str, Any] = {"type": kind.words}
        if kind.words in NAMED:
            made |= self._named(node, kind.words, space)
        elif kind.words == "array":
            made["items"] = self.schema(self._part(node, "items", kind.words), space)
        elif kind.words == "map":
            made["values"] = self.schema(self._part(node, "values", kind.words), space)
        elif kind.words not in PRIMITIVES:
            return self.schema(kind, space)
        made |= self._logical(node, kind.words)
        read = {*made, "logicalType", "namespace"}
        return made | {key: plain(one) for key, one in node.value.items() if key not in read}

    def _named(self, node: Node, kind: str, space: str) -> dict[str, Any]:
        """The name of a type, and what only types with a name have."""
        written = self._part(node, "name", kind)
        own = node.get("namespace")
        given = space if own is None or own.value is None else own.words
        name = _qualified(written.words, given)
        if not _FULL_NAME.match(name):
            raise self._fault(
                written, f"`{name}` is no Avro name", "use letters, digits and `_` between dots"
            )
        if name in self._names:
            raise self._fault(
                written, f"`{name}` is defined twice", f"write its name where it is used: {name}"
            )
        self._names.add(name)
        self._of_node[node] = name
        self._check_aliases(node)
        inner, _, short = name.rpartition(".")
        made: dict[str, Any] = {"name": short, "namespace": inner}
        if kind == "enum":
            return {**made, "symbols": self._symbols(self._part(node, "symbols", kind))}
        if kind == "fixed":
            size = self._part(node, "size", kind)
            if not isinstance(size.value, int) or isinstance(size.value, bool) or size.value < 0:
                raise self._fault(size, "`size` is a number of bytes", "write for example size: 16")
            return made
        return {**made, "fields": self._fields(self._part(node, "fields", kind), inner)}

    def _symbols(self, node: Node) -> list[str]:
        items = node.value if isinstance(node.value, list) else []
        symbols = [item.words for item in items]
        if not symbols or len(symbols) != len({*symbols}) or not all(map(_NAME.match, symbols)):
            raise self._fault(
                node,
                "`symbols` is a list of different names",
                "use letters, digits and `_`: [NEW, PAID]",
            )
        return symbols

    def _fields(self, node: Node, space: str) -> list[dict[str, Any]]:
        if not isinstance(node.value, list):
            raise self._fault(
                node, "`fields` is a list", "write for example [{name: id, type: long}]"
            )
        fields: list[dict[str, Any]] = []
        for item in node.value:
            name = self._part(item, "name", "field")
            if not _NAME.match(name.words):
                raise self._fault(
                    name, f"`{name.words}` is no Avro name", "use letters, digits and `_`"
                )
            if any(name.words == other["name"] for other in fields):
                raise self._fault(
                    name, f"the field `{name.words}` is described twice", "remove one of the two"
                )
            type_ = self.schema(self._part(item, "type", "field"), space)
            self._check_aliases(item)
            others = {key: plain(one) for key, one in item.value.items()}
            fields.append({**others, "name": name.words, "type": type_})
            if "default" in item.value:
                self._defaults.append((fields[-1], item))
        return fields

    def _check_aliases(self, node: Node) -> None:
        aliases = node.get("aliases")
        if aliases is None:
            return
        items = aliases.value if isinstance(aliases.value, list) else [aliases]
        if aliases in items or not all(_FULL_NAME.match(item.words) for item in items):
            raise self._fault(
                aliases, "`aliases` is a list of Avro names", "write for example [order_number]"
            )

    def _part(self, node: Node, key: str, what: str) -> Node:
        found = node.get(key)
        if found is None:
            raise self._fault(node, f"an Avro {what} needs `{key}`", f"add `{key}`")
        return found

    def _logical(self, node: Node, kind: str) -> dict[str, str]:
        """The logical type, where it fits; any other counts for nothing, as Avro says."""
        written = node.get("logicalType")
        if written is None:
            return {}
        fits = (kind, written.words) in LOGICAL
        if written.words == "decimal":
            precision = plain(node.get("precision"))
            scale = plain(node.get("scale")) if "scale" in node.value else 0
            fits = fits and type(scale) is type(precision) is int and 0 <= scale <= precision > 0
        if kind == "fixed" and written.words in _SIZES:
            fits = fits and plain(node.get("size")) == _SIZES[written.words]
        if not fits:
            self.reading.warn(
                "avro-not-valid",
                f"`{written.words}` is no logical type of this `{kind}`, and counts for nothing",
                written.span,
                help="give its `precision`, and a `scale` that is not larger"
                if written.words == "decimal"
                else "see the logical types of Avro 1.12, or remove it",
            )
        return {"logicalType": written.words} if fits else {}

    def check_defaults(self, schema: Any) -> None:
        """Tell of the defaults that are no values of their fields, and leave them out."""
        named = types_of(schema)
        for part, item in self._defaults:
            try:
                json_default(part["type"], part["default"], named)
            except (OverflowError, ValueError):
                del part["default"]
                self.reading.warn(
                    "avro-not-valid",
                    f"the default of `{item.value['name'].words}` is no value of its type",
                    item.place("default"),
                    help="correct it, or remove it",
                )

    def _fault(self, node: Node, message: str, help_: str | None) -> _Fault:
        self.reading.error("avro-not-valid", message, _pointed(node), help=help_)
        return _Fault()


def _pointed(node: Node) -> Span:
    """A scalar as a whole; of anything larger where it begins."""
    at = node.span
    if isinstance(node.value, (dict, list)):
        return Span(at.source, at.line, at.column, at.line, at.column + 1)
    return at


def _qualified(name: str, space: str) -> str:
    return f"{space}.{name}" if space and "." not in name else name
