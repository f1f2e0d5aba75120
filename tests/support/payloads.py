"""Schemas as payloads of one generated service, and what goes over its wire."""

from __future__ import annotations

import importlib
import itertools
import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from eventgen.diagnostics import Severity

from tests.support import runtime
from tests.support.generate import compile_spec, texts, write

DRAFT_07 = "application/schema+json;version=draft-07"
DRAFT_2020_12 = "application/schema+json;version=2020-12"
_numbers = itertools.count()


class Refused(Exception):
    """The generator refuses a specification. `findings` are its errors."""

    def __init__(self, findings: tuple[Any, ...]) -> None:
        super().__init__("\n".join(f"{one.primary}: {one.message}" for one in findings))
        self.findings = findings


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the service, with the service's own codec."""

    kind: Any
    codec: ModuleType
    undecodable: type[Exception]

    def accepts(self, body: bytes) -> bool:
        """Whether a consumer takes these bytes."""
        try:
            self.codec.decode(self.kind, body)
        except self.undecodable:
            return False
        return True

    def model_accepts(self, body: bytes) -> bool:
        """The same with the model alone."""
        ...

    def sent_on(self, body: bytes) -> bytes:
        """What a publisher writes of the event in these bytes."""
        written: bytes = self.codec.encode(self.kind, self.codec.decode(self.kind, body))
        return written


def service(schemas: Mapping[str, Any], language: str) -> dict[str, Event]:
    """An event of each schema, all of one service that is generated, imported and ready.

    Every schema is a file of its own, so that `#` means the schema. Raises Refused.
    """
    root = Path(tempfile.mkdtemp(prefix="eventgen-wire-"))
    files = {f"schemas/{name}.json": json.dumps(schema) for name, schema in schemas.items()}
    write({**files, "asyncapi.json": json.dumps(_document(schemas, language))}, root)
    compilation = compile_spec(root / "asyncapi.json", "embedded")
    errors = tuple(one for one in compilation.checked.findings if one.severity is Severity.ERROR)
    if not compilation.files:
        raise Refused(errors)
    package = f"eventgen_wire_{next(_numbers)}"
    home = root / "made"
    generated = {
        f"{package}/_generated/{path.rpartition('/')[2]}": text
        for path, text in texts(compilation).items()
        if "/_generated/" in path
    }
    write({**generated, f"{package}/__init__.py": ""}, home)
    runtime.assemble(home).rename(home / package / "_runtime")
    sys.path.insert(0, str(home))
    topology = importlib.import_module(f"{package}._generated.topology")
    codec = importlib.import_module(f"{package}._runtime.codec")
    undecodable = importlib.import_module(f"{package}._runtime.envelope").Undecodable
    kinds = {one.type: one for one in vars(topology).values() if hasattr(one, "content_type")}
    return {name: Event(kinds[name], codec, undecodable) for name in schemas}


def _document(schemas: Mapping[str, Any], language: str) -> Any:
    messages = {
        name: {
            "name": name,
            "payload": {
                "schemaFormat": language,
                "schema": {"$ref": f"./schemas/{name}.json"},
            },
        }
        for name in schemas
    }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Wire", "version": "1.0.0"},
        "channels": {"all": {"address": "all", "messages": messages}},
        "operations": {"send": {"action": "send", "channel": {"$ref": "#/channels/all"}}},
    }
