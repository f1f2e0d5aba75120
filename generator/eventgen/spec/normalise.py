"""Writes any JSON Schema that documents hold (draft 04 to 2020-12, OpenAPI's) as 2020-12 data."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from eventgen.spec.keywords import (
    ANNOTATIONS,
    DATA,
    DROPPED,
    FORMATS,
    KINDS,
    LISTS,
    MAPS,
    MEANT,
    SINGLE,
    TYPES,
)
from eventgen.spec.nearest import nearest
from eventgen.spec.shape import kind
from eventgen.spec.tree import Node, plain
from eventgen.spec.validate import is_pattern, plain_braces

if TYPE_CHECKING:
    from eventgen.diagnostics import Span
    from eventgen.spec.shape import Reading

# Gives what will stand for a reference, or None when it names nothing.
Refer: TypeAlias = Callable[[Node], Any]


class Normaliser:
    """Converts the schemas of one document. Every finding carries its place."""

    def __init__(self, reading: Reading, refer: Refer, *, modern: bool) -> None:
        """`modern`: a reference may have siblings that count, as after draft 07."""
        self._reading = reading
        self._refer = refer
        self._modern = modern
        self._open: list[Node] = []  # properties that stand elsewhere, being converted

    def convert(self, node: Node) -> Any:
        """One schema as plain data. What stands for references is put there by `refer`."""
        if isinstance(node.value, bool):
            return node.value
        if not isinstance(node.value, dict):
            text = f"a schema is a mapping, and this is {kind(node.value)}"
            remedy = None
            if node.words in TYPES:
                remedy = f"write `type: {node.words}`"
            self._reading.error("wrong-kind", text, node.span, help=remedy)
            return {}
        if node.reference is not None:
            return self._reference(node)
        return self._finish(node, self._keywords(node))

    def _reference(self, node: Node) -> Any:
        siblings = {key: value for key, value in node.value.items() if key != "$ref"}
        kept = siblings
        if not self._modern:
            kept = {
                key: value
                for key, value in siblings.items()
                if key in ANNOTATIONS or key.startswith("x-")
            }
            ignored = sorted(siblings.keys() - kept.keys() - DROPPED)
            if ignored:
                names = ", ".join(f"`{key}`" for key in ignored)
                self._reading.warn(
                    "ref-siblings-ignored",
                    f"{names} beside a `$ref` {'counts' if len(ignored) == 1 else 'count'}"
                    " for nothing",
                    node.place(ignored[0]),
                    help="put both into an `allOf`: `allOf: [{$ref: ...}, {...}]`",
                )
        result = self._keywords(Node(kept, node.span, node.keys))
        target = self._refer(node)
        if target is None:
            return result
        result = {"$ref": target, **result}
        return self._finish(node, result)

    def _keywords(self, node: Node) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, child in node.value.items():
            if key in _DYNAMIC:
                self._reading.error(
                    "dynamic-reference",
                    f"what a `{key}` means depends on who refers to it, which is not supported",
                    node.place(key),
                    help="name the schema that is meant: `$ref: '#/$defs/...'`",
                )
            if key in DROPPED or key.startswith("x-python-"):
                continue
            if child.value is None and key not in DATA:
                continue
            converted = self._keyword(node, key, child)
            if converted is not _NOTHING:
                result[key] = converted
        return result

    def _keyword(self, node: Node, key: str, child: Node) -> Any:
        if key in SINGLE:
            return self.convert(child)
        if key in LISTS:
            return self._list(node, key, child)
        if key in MAPS:
            return self._map(node, key, child)
        special = _SPECIAL.get(key)
        if special is not None:
            return special(self, node, child)
        for keys, expected, is_right in KINDS:
            if key in keys and not is_right(child.value):
                return self._wrong(node, key, expected, child)
        return plain(child)

    def _list(self, node: Node, key: str, child: Node) -> Any:
        if isinstance(child.value, list) and child.value:
            return [self.convert(item) for item in child.value]
        return self._wrong(node, key, "a list of schemas", child)

    def _map(self, node: Node, key: str, child: Node) -> Any:
        if not isinstance(child.value, dict):
            return self._wrong(node, key, "a mapping of schemas", child)
        if key == "patternProperties":
            names = {name: self._regular(name, child.place(name)) for name in child.value}
        else:
            names = {name: name for name in child.value}
        return {
            names[name]: self.convert(schema)
            for name, schema in child.value.items()
            if names[name] is not _NOTHING
        }

    def _properties(self, node: Node, child: Node) -> Any:
        """The properties; `required: true` on one of them belongs to this object's `required`."""
        if child.reference is not None:
            target = self._reading.target(child)
            if target is None:
                return _NOTHING
            if target in self._open or len(self._open) >= _MOST_OPEN:
                text = "these properties contain themselves"
                self._reading.error("reference-to-itself", text, node.place("properties"))
                return _NOTHING
            self._open.append(target)
            found = self._map(node, "properties", target)
            self._open.pop()
            return found
        return self._map(node, "properties", child)

    def _required(self, node: Node, child: Node) -> Any:
        if isinstance(child.value, bool):
            self._reading.warn(
                "required-on-property",
                "`required` lists properties of an object, and this is a single property",
                node.place("required"),
                help="write the property's name into `required: [...]` of the object around it",
            )
            return _NOTHING
        if isinstance(child.value, list):
            names = [item.value for item in child.value if isinstance(item.value, str)]
            if len(names) == len(child.value):
                return list(dict.fromkeys(names))
        return self._wrong(node, "required", "a list of property names", child)

    def _type(self, _node: Node, child: Node) -> Any:
        items = child.value if isinstance(child.value, list) else [child]
        found = []
        for item in items:
            word = "null" if item.value is None else item.value
            if word in TYPES:
                found.append(word)
            else:
                self._unknown_type(item)
        if not found:
            return _NOTHING
        return list(dict.fromkeys(found)) if isinstance(child.value, list) else found[0]

    def _unknown_type(self, item: Node) -> None:
        word = item.words
        meant = MEANT.get(word.lower()) or nearest(word, TYPES)
        self._reading.error(
            "unknown-type",
            f"`{word}` is not a type of JSON Schema",
            item.span,
            help=f"did you mean `{meant}`?" if meant else "types are: " + ", ".join(TYPES),
        )

    def _format(self, node: Node, child: Node) -> Any:
        if not isinstance(child.value, str):
            return self._wrong(node, "format", "text", child)
        if child.value not in FORMATS:
            meant = nearest(child.value, FORMATS)
            self._reading.warn(
                "unknown-format",
                f"`{child.value}` is not a known format, and is not checked",
                child.span,
                help=f"did you mean `{meant}`?" if meant else None,
            )
        return child.value

    def _enum(self, node: Node, child: Node) -> Any:
        if isinstance(child.value, list) and child.value:
            return plain(child)
        return self._wrong(node, "enum", "a list with at least one value", child)

    def _items(self, node: Node, child: Node) -> Any:
        """A list of one schema is what authors write for `items: {...}`; more make a tuple.

        So does one with `additionalItems` beside it, which only tuples have.
        """
        if not isinstance(child.value, list):
            return self.convert(child)
        if len(child.value) == 1 and node.get("additionalItems") is None:
            self._reading.warn(
                "items-in-list",
                "`items` is a list of one schema, which is read as the schema of every item",
                node.place("items"),
                help="write the schema itself, without the `-` or the `[ ]`",
            )
            return self.convert(child.value[0])
        return [self.convert(item) for item in child.value] or _NOTHING

    def _additional_items(self, _node: Node, child: Node) -> Any:
        return self.convert(child)

    def _dependencies(self, node: Node, child: Node) -> Any:
        if not isinstance(child.value, dict):
            return self._wrong(node, "dependencies", "a mapping", child)
        return {
            name: plain(one) if isinstance(one.value, list) else self.convert(one)
            for name, one in child.value.items()
        }

    def _discriminator(self, _node: Node, child: Node) -> Any:
        """OpenAPI's form maps values to references; AsyncAPI's is the name of a property."""
        result = plain(child)
        mapping = child.get("mapping")
        if mapping is None or not isinstance(mapping.value, dict):
            return result
        result["mapping"] = {}
        for value, target in mapping.value.items():
            if isinstance(target.value, str) and "#" in target.value:
                target_ = self._refer(Node({"$ref": target}, target.span))
                if target_ is not None:
                    result["mapping"][value] = target_
            else:
                result["mapping"][value] = plain(target)
        return result

    def _pattern(self, node: Node, child: Node) -> Any:
        if not isinstance(child.value, str):
            return self._wrong(node, "pattern", "text", child)
        return self._regular(child.value, child.span)

    def _regular(self, pattern: str, span: Span) -> Any:
        if not is_pattern(plain_braces(pattern)):
            text = f"`{pattern}` is not a regular expression"
            self._reading.error("pattern-not-valid", text, span)
            return _NOTHING
        return plain_braces(pattern)

    def _examples(self, _node: Node, child: Node) -> Any:
        values = plain(child)
        return values if isinstance(values, list) else [values]

    def _wrong(self, node: Node, key: str, expected: str, child: Node) -> Any:
        text = f"`{key}` is {expected}, and this is {kind(child.value)}"
        if isinstance(child.value, (list, dict)) and not child.value:
            text = f"`{key}` is {expected}, and this is empty"
        elif isinstance(child.value, list):
            text = f"`{key}` is {expected}"
        elif isinstance(child.value, (int, float)) and "number" in expected:
            text = f"`{key}` is {expected}, not {child.words}"
        self._reading.error("wrong-kind", text, node.place(key))
        return _NOTHING

    def _finish(self, node: Node, schema: dict[str, Any]) -> dict[str, Any]:
        """Rewrite what 2020-12 says in other words than the older drafts."""
        _lift_required(node, schema)
        _tuples(schema)
        _exclusive(schema, "exclusiveMinimum", "minimum")
        _exclusive(schema, "exclusiveMaximum", "maximum")
        _split_dependencies(schema)
        if "example" in schema:
            example = schema.pop("example")
            schema.setdefault("examples", [example])
        _infer_type(schema)
        return _nullable(schema)


_DYNAMIC = ("$dynamicRef", "$recursiveRef")
_NOTHING: Any = object()
_MOST_OPEN = 10  # properties that refer to properties that refer to properties ...
_SPECIAL: dict[str, Callable[[Normaliser, Node, Node], Any]] = {
    "additionalItems": Normaliser._additional_items,  # noqa: SLF001 - a table of its own methods
    "dependencies": Normaliser._dependencies,  # noqa: SLF001
    "discriminator": Normaliser._discriminator,  # noqa: SLF001
    "enum": Normaliser._enum,  # noqa: SLF001
    "examples": Normaliser._examples,  # noqa: SLF001
    "format": Normaliser._format,  # noqa: SLF001
    "pattern": Normaliser._pattern,  # noqa: SLF001
    "items": Normaliser._items,  # noqa: SLF001
    "properties": Normaliser._properties,  # noqa: SLF001
    "required": Normaliser._required,  # noqa: SLF001
    "type": Normaliser._type,  # noqa: SLF001
}


def _lift_required(node: Node, schema: dict[str, Any]) -> None:
    properties = node.get("properties")
    if properties is None or not isinstance(properties.value, dict):
        return
    for name, child in properties.value.items():
        flag = child.get("required")
        if flag is not None and flag.value is True and name not in schema.get("required", ()):
            schema["required"] = [*schema.get("required", ()), name]


def _tuples(schema: dict[str, Any]) -> None:
    rest = schema.pop("additionalItems", None)
    if isinstance(schema.get("items"), list):
        schema["prefixItems"] = schema.pop("items")
        if rest is not None:
            schema["items"] = rest


def _exclusive(schema: dict[str, Any], key: str, bound: str) -> None:
    flag = schema.get(key)
    if isinstance(flag, bool):
        del schema[key]
        if flag and bound in schema:
            schema[key] = schema.pop(bound)


def _split_dependencies(schema: dict[str, Any]) -> None:
    for name, one in schema.pop("dependencies", {}).items():
        key = "dependentRequired" if isinstance(one, list) else "dependentSchemas"
        schema.setdefault(key, {})[name] = one


def _infer_type(schema: dict[str, Any]) -> None:
    """Properties mean an object and items an array, also where the author did not say so."""
    if schema.keys() & {"type", "$ref", "allOf", "anyOf", "oneOf", "enum", "const"}:
        return
    if "properties" in schema:
        schema["type"] = "object"
    elif "items" in schema or "prefixItems" in schema:
        schema["type"] = "array"


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """Write OpenAPI's `nullable: true` as a type or an alternative."""
    if schema.pop("nullable", None) is not True:
        return schema
    type_ = schema.get("type")
    if type_ is not None and "enum" not in schema and "const" not in schema:
        types = type_ if isinstance(type_, list) else [type_]
        schema["type"] = list(dict.fromkeys((*types, "null")))
        return schema
    inner = {key: value for key, value in schema.items() if key not in ANNOTATIONS}
    outer = {key: value for key, value in schema.items() if key in ANNOTATIONS}
    return {"anyOf": [inner, {"type": "null"}], **outer} if inner else outer
