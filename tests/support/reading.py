"""Reading specifications in tests, and looking into what came of them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from eventgen.diagnostics import Diagnostic, Span
from eventgen.model import Places, Service, Text
from eventgen.model.config import Config, Database
from eventgen.spec.load import Loaded, load

CONFIG = Config(spec="", broker="", database=Database.SQLITE)


def strip_spans(value: Any) -> Any:
    """A model as plain data that can be compared, without places."""
    if isinstance(value, (Places, Span)):
        return None
    if isinstance(value, Text):
        return value.value
    if dataclasses.is_dataclass(value):
        return {
            field.name: strip_spans(getattr(value, field.name))
            for field in dataclasses.fields(value)
        }
    if isinstance(value, (tuple, list)):
        return [strip_spans(item) for item in value]
    if isinstance(value, dict):
        return {key: strip_spans(item) for key, item in value.items()}
    return value


def read(tmp_path: Path, text: str, config: Config = CONFIG, **others: str) -> Loaded:
    for name, content in others.items():
        (tmp_path / f"{name}.yaml").write_text(content, encoding="utf-8")
    path = tmp_path / "spec.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path, config, "spec.yaml")


def service(tmp_path: Path, text: str, config: Config = CONFIG, **others: str) -> Service:
    loaded = read(tmp_path, text, config, **others)
    assert loaded.service is not None, loaded.findings
    return loaded.service


def named(findings: tuple[Diagnostic, ...], name: str) -> Diagnostic:
    return next(found for found in findings if found.name == name)


def schema(of: Service, name: str) -> Any:
    return next(schema.document for schema in of.schemas if schema.name == name)
