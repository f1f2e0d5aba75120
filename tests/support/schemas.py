"""Schemas, and the models made of them, as live classes."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from eventgen.diagnostics import Source, Span
from eventgen.model import Places, Schema
from eventgen.render.schemas import Models, models

ROOT = Path(__file__).parents[2]
NOWHERE = Span(Source("test.yaml", ""), 1, 1, 1, 1)
BASE = "eventgen_test_event.EventModel"
_numbers = itertools.count()


def schemas(documents: Mapping[str, Any]) -> tuple[Schema, ...]:
    """A schema of each document."""
    return tuple(
        Schema(name, document, Places(NOWHERE, {})) for name, document in documents.items()
    )


def made(documents: Mapping[str, Any], base: str = ".._runtime.event.EventModel") -> Models:
    """The models of some documents, without a cache."""
    return models(schemas(documents), base=base, cache=None)


def imported(text: str) -> ModuleType:
    """The module with this source, and the runtime's own base class. Importing it may fail."""
    _base()
    module = ModuleType(f"eventgen_test_events_{next(_numbers)}")
    sys.modules[module.__name__] = module  # where pydantic looks for names in annotations
    exec(compile(text, module.__name__, "exec"), module.__dict__)
    return module


@cache
def _base() -> None:
    name = BASE.rpartition(".")[0]
    spec = importlib.util.spec_from_file_location(name, ROOT / "templates" / "runtime" / "event.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
