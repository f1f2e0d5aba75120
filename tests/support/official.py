"""The official JSON Schemas of AsyncAPI, fetched by npm into a cache; never a part of eventgen."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jsonschema_rs

from tests.support.packages import unpacked

_PACKAGE = "@asyncapi/specs@6.11.1"


@cache
def official_schema(version: str) -> Any:
    """The schema of one version, as `3.0.0`."""
    folder = unpacked("asyncapi-specs-6.11.1", "npm", "pack", "--silent", _PACKAGE)
    path = folder / "package" / "schemas" / f"{version}-without-$id.json"
    return json.loads(path.read_text(encoding="utf-8"))


@cache
def definitions(version: str) -> dict[str, Any]:
    """The objects of one version.

    What has a `$ref` of its own is both a reference and that object to the official schemas, which
    ask for exactly one of the two; here it may be both.
    """
    found: dict[str, Any] = _either(official_schema(version)["definitions"])
    return found


@cache
def official(version: str, name: str = "") -> jsonschema_rs.Draft7Validator:
    """What checks a whole document, or the object that the official schemas call `name`."""
    if name:
        whole = {"$ref": f"#/definitions/{name}", "definitions": definitions(version)}
    else:
        whole = {**_either(official_schema(version)), "definitions": definitions(version)}
    return jsonschema_rs.Draft7Validator(whole, validate_formats=True)


def _either(value: Any) -> Any:
    if isinstance(value, list):
        return [_either(one) for one in value]
    if not isinstance(value, dict):
        return value
    made = {key: _either(one) for key, one in value.items()}
    choices = made.get("oneOf")
    if isinstance(choices, list) and {"$ref": "#/definitions/Reference"} in choices:
        made["anyOf"] = made.pop("oneOf")
    return made
