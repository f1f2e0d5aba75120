"""The official JSON Schemas of AsyncAPI, fetched by npm into a cache; never a part of eventgen."""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest

_PACKAGE = "@asyncapi/specs@6.11.1"


@cache
def official_schema(version: str) -> Any:
    """The schema of one version, as `3.0.0`."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = home / "eventgen-tests" / "asyncapi-specs-6.11.1"
    path = folder / "package" / "schemas" / f"{version}-without-$id.json"
    if not path.is_file():
        _fetch(folder)
    return json.loads(path.read_text(encoding="utf-8"))


def _fetch(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(
            ["npm", "pack", "--silent", _PACKAGE], cwd=folder, check=True, capture_output=True
        )
    except (OSError, subprocess.CalledProcessError) as problem:
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing(f"npm cannot fetch {_PACKAGE}: {problem}")
    for archive in folder.glob("*.tgz"):
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
