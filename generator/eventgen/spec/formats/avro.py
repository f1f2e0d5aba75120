"""Avro schemas as JSON Schemas: the shape their values have in Python, and in JSON on the way.

Works on what `avro_reading` accepts: schemas that are complete in themselves, whose names are full
and whose logical types are valid.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from eventgen.spec.formats.avro_defaults import json_default
from eventgen.spec.formats.avro_types import (
    BYTES,
    LOGICAL,
    TYPES,
    Named,
    Schema,
    full_name,
    is_tagged,
    tag,
    types_of,
)
from eventgen.spec.formats.converted import NamedType, reference


def converted(schema: Any) -> tuple[Any, Mapping[str, NamedType]]:
    """The JSON Schema of a payload, and those of the records and enums it consists of."""
    converter = _Converter(types_of(schema))
    root = converter.convert(schema)
    return root, converter.types


_LONGEST_SAMPLE = 4096  # bytes


def _small(schema: Schema) -> dict[str, Any]:
    """An example for a decimal that has no room for the usual one, `19.99`."""
    scale = schema.get("scale", 0)
    if scale >= 2 and schema["precision"] - scale >= 2:
        return {}
    return {"examples": [format(Decimal(1).scaleb(-scale), "f")]}


@dataclass(slots=True)
class _Converter:
    named: Named
    types: dict[str, NamedType] = field(default_factory=dict)

    def convert(self, schema: Any) -> dict[str, Any]:
        """The JSON Schema of one Avro schema."""
        if isinstance(schema, list):
            return self._union(schema)
        if isinstance(schema, str):
            schema = self.named.get(schema, {"type": schema})
        kind = schema["type"]
        logical = schema.get("logicalType", "")
        made = LOGICAL.get((kind, logical), TYPES.get(kind, {}))
        if made:
            return {**made, **(_small(schema) if logical == "decimal" else {})}
        match kind:
            case "array":
                made = {"type": "array", "items": self.convert(schema["items"])}
            case "map":
                made = {"type": "object", "additionalProperties": self.convert(schema["values"])}
            case "fixed":
                zeros = bytes(min(schema["size"], _LONGEST_SAMPLE))
                made = {**BYTES, "examples": [base64.b64encode(zeros).decode()]}
            case _:
                made = self._named(schema)
        return {**made}

    def _named(self, schema: Schema) -> dict[str, Any]:
        name = full_name(schema)
        if name not in self.types:
            parts = name.split(".")
            texts = tuple(" ".join(parts[-count:]) for count in range(1, len(parts) + 1))
            self.types[name] = NamedType(texts, {})  # it may contain itself
            made = self._enum(schema) if schema["type"] == "enum" else self._record(schema)
            self.types[name] = NamedType(texts, {**_described(schema), **made})
        return reference(name)

    @staticmethod
    def _enum(schema: Schema) -> dict[str, Any]:
        return {"type": "string", "enum": list(schema["symbols"])}

    def _record(self, schema: Schema) -> dict[str, Any]:
        properties: dict[str, Any] = {}
        required = []
        for part in schema["fields"]:
            made = {**self.convert(part["type"]), **_described(part)}
            if "default" in part:
                made["default"] = json_default(part["type"], part["default"], self.named)
            else:
                required.append(part["name"])
            properties[part["name"]] = made
        return {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        }

    def _union(self, branches: list[Any]) -> dict[str, Any]:
        parts = [(branch, self.convert(branch)) for branch in branches]
        if is_tagged(branches, self.named):
            parts = [(one, _tagged(tag(one), part)) for one, part in parts if one != "null"]
            parts += [("null", {**TYPES["null"]})] if "null" in branches else []
        different = list({json.dumps(part): part for _, part in parts}.values())
        return different[0] if len(different) == 1 else {"anyOf": different}


def _described(schema: Schema) -> dict[str, str]:
    words = schema.get("doc")
    return {"description": words} if isinstance(words, str) and words.strip() else {}


def _tagged(name: str, schema: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: schema},
        "required": [name],
        "additionalProperties": False,
    }
