"""Events as a service would send and take them: a generated model, and the runtime's codec."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from eventgen.plan import asserting, exact
from eventgen.render.schemas import models

from tests.support.runtime import importable
from tests.support.schemas import BASE, imported, schemas

importable()

from runtime.check import Check  # noqa: E402  - assembled just now
from runtime.codec import decode, encode  # noqa: E402
from runtime.envelope import Undecodable  # noqa: E402
from runtime.errors import ConfigurationError  # noqa: E402
from runtime.service import EventType  # noqa: E402

__all__ = ["ConfigurationError", "Wire", "encode", "wire"]


@dataclass(frozen=True)
class Wire:
    """The codec of one service's events, each by the name of its schema."""

    events: Mapping[str, EventType]
    text: str  # of the module with the models

    def accepts(self, name: str, value: Any) -> bool:
        """Whether an event of this value would be handled, and not become a dead letter."""
        return self.refusal(name, json.dumps(value).encode()) is None

    def refusal(self, name: str, body: bytes) -> str | None:
        """Why a body becomes a dead letter; None when it is handled."""
        try:
            decode(self.events[name], body)
        except Undecodable as error:
            return str(error)
        return None

    def read(self, name: str, value: Any) -> Any:
        """The model of a value that came over the wire."""
        return decode(self.events[name], json.dumps(value).encode())

    def through(self, name: str, value: Any) -> Any:
        """What a value is on the wire again after it was taken from there."""
        return json.loads(encode(self.events[name], self.read(name, value)))


@contextmanager
def wire(documents: Mapping[str, Any], roots: frozenset[str]) -> Iterator[Wire]:
    """The codec of events with these schemas. `documents` refer to each other by `#/$defs/`."""
    text = models(schemas(documents), base=BASE, cache=None, roots=roots).text
    module = imported(text)
    with TemporaryDirectory(prefix="eventgen-wire-") as folder:
        file = Path(folder, "schemas.json")
        checked = {name: asserting.asserted(document) for name, document in documents.items()}
        file.write_text(json.dumps({"$defs": checked}), encoding="utf-8")
        events = {
            name: EventType(
                type=name,
                version="1.0.0",
                model=getattr(module, name),
                check=Check(file, name) if exact.inexact(name, documents) else None,
            )
            for name in roots
        }
        yield Wire(events, text)
