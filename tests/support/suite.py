"""The official JSON-Schema-Test-Suite, as the source archive of `jsonschema` ships it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.packages import unpacked

_VERSION = "4.26.0"


@dataclass(frozen=True, slots=True)
class Group:
    """One schema, and values with the verdict on each."""

    file: str  # `items`, `optional/bignum`
    description: str
    schema: Any
    tests: tuple[tuple[str, Any, bool], ...]  # description, value, whether it is valid


def groups(draft: str) -> Iterator[Group]:
    """Every schema of one draft, as `draft7`, with what is optional, in a fixed order."""
    folder = _archive() / f"jsonschema-{_VERSION}" / "json" / "tests" / draft
    for path in sorted(folder.rglob("*.json")):
        name = path.relative_to(folder).with_suffix("").as_posix()
        for group in json.loads(path.read_text(encoding="utf-8")):
            tests = tuple((one["description"], one["data"], one["valid"]) for one in group["tests"])
            yield Group(name, group["description"], group["schema"], tests)


def _archive() -> Path:
    return unpacked(
        f"jsonschema-{_VERSION}",
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
        *("--no-deps", "--no-binary", "jsonschema", "--dest", ".", f"jsonschema=={_VERSION}"),
    )
