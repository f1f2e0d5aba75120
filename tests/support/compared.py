"""Comparing two texts as two versions of a specification."""

from __future__ import annotations

from pathlib import Path

from eventgen.compat.report import Mode, findings
from eventgen.compat.service import compare
from eventgen.diagnostics import Diagnostic
from eventgen.model import Service
from eventgen.model.config import Config, Database
from eventgen.spec.load import load

CONFIG = Config(spec="", broker="", database=Database.SQLITE)
_SHORT = "eventgen: 1\nservice: orders\n"
_LONG = "asyncapi: 3.0.0\ninfo: {title: Orders, version: 1.0.0}\n"


def whole(text: str) -> str:
    """A part of a document as a document; a whole one as it is."""
    first = text.partition(":")[0].strip()
    if first in ("publishes", "subscribes", "types"):
        return _SHORT + text
    if first in ("channels", "components", "operations", "servers"):
        return _LONG + text
    return text


def compared(folder: Path, old: str, new: str, mode: Mode = Mode.FULL) -> tuple[Diagnostic, ...]:
    """What is found between two texts, each a whole document or a part of one."""
    before, after = _read(folder, "old.yaml", old), _read(folder, "new.yaml", new)
    return findings(compare(before, after), mode)


def _read(folder: Path, name: str, text: str) -> Service:
    path = folder / name
    path.write_text(whole(text), encoding="utf-8")
    loaded = load(path, CONFIG, name)
    assert loaded.service is not None, loaded.findings
    return loaded.service
