"""Schemas as the payloads of one generated service, and what goes over its wire."""

from __future__ import annotations

import importlib
import itertools
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any

from eventgen.diagnostics import Diagnostic, Severity

from tests.support import runtime
from tests.support.generate import compile_spec, texts, write

DRAFT_07 = "application/schema+json;version=draft-07"
DRAFT_2020_12 = "application/schema+json;version=2020-12"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0.0"
_numbers = itertools.count()


class RefusedError(Exception):
    """The generator refuses schemas: their names, each with its first error."""

    def __init__(self, findings: tuple[Diagnostic, ...]) -> None:
        super().__init__("\n".join(one.message for one in findings))
        self.names = {
            PurePosixPath(one.primary.span.source.path).stem: one.message
            for one in reversed(findings)
            if one.primary is not None and one.primary.span.source.path.startswith("schemas/")
        }


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a service, with the codec that the service has."""

    type: Any  # the service's own EventType
    codec: ModuleType
    undecodable: type[Exception]

    @property
    def is_checked(self) -> bool:
        """Whether the schema itself is held against the bytes too."""
        return self.type.check is not None

    def by_model_alone(self) -> Event:
        """The same event without that check."""
        return replace(self, type=replace(self.type, check=None))

    def accepts(self, body: bytes) -> bool:
        """Whether a consumer takes these bytes, and does not send them to the dead letters."""
        try:
            self.codec.decode(self.type, body)
        except self.undecodable:
            return False
        return True

    def sent_on(self, body: bytes) -> Any:
        """The JSON value that is published of the event in these bytes."""
        return json.loads(self.codec.encode(self.type, self.codec.decode(self.type, body)))


def service(root: Path, schemas: Mapping[str, tuple[Any, str]]) -> dict[str, Event]:
    """An event of each schema, all of one service that is generated below `root` and imported.

    With each schema stands its language. It is a file of its own, so that `#` is the schema, and
    one refers to another as `./<name>.json`. Raises RefusedError.
    """
    number = next(_numbers)
    home = root / f"made{number}"
    files = {f"schemas/{name}.json": json.dumps(schema) for name, (schema, _) in schemas.items()}
    write({**files, "asyncapi.json": json.dumps(_document(schemas))}, home)
    compilation = compile_spec(home / "asyncapi.json", "embedded")
    if not compilation.files:
        findings = compilation.checked.findings
        raise RefusedError(tuple(one for one in findings if one.severity is Severity.ERROR))
    package = f"eventgen_wire_{number}"
    generated = {
        f"{package}/_generated/{path.rpartition('/')[2]}": text
        for path, text in texts(compilation).items()
        if "/_generated/" in path
    }
    write({**generated, f"{package}/__init__.py": ""}, home)
    runtime.assemble(home).rename(home / package / "_runtime")
    sys.path.insert(0, str(home))
    return _events(package, [*schemas])


def _events(package: str, names: list[str]) -> dict[str, Event]:
    topology, codec, envelope, kinds = (
        importlib.import_module(f"{package}.{module}")
        for module in (
            "_generated.topology",
            "_runtime.codec",
            "_runtime.envelope",
            "_runtime.service",
        )
    )
    types = {one.type: one for one in vars(topology).values() if isinstance(one, kinds.EventType)}
    return {name: Event(types[name], codec, envelope.Undecodable) for name in names}


def _document(schemas: Mapping[str, tuple[Any, str]]) -> Any:
    messages = {
        name: {
            "name": name,
            "payload": {"schemaFormat": language, "schema": {"$ref": f"./schemas/{name}.json"}},
        }
        for name, (_, language) in schemas.items()
    }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Wire", "version": "1.0.0"},
        "channels": {"all": {"address": "all", "messages": messages}},
        "operations": {"send": {"action": "send", "channel": {"$ref": "#/channels/all"}}},
    }


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal; numbers of which one has a fraction are so as doubles."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, float) or isinstance(other, float):
        return float(one) == float(other)
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)
