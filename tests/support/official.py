<<<<<<< HEAD
"""The official JSON Schemas of AsyncAPI, fetched by npm into a cache; never a part of eventgen."""
=======
"""The official JSON Schemas of AsyncAPI, fetched with npm into the user's cache.

They are the project's own measure only in tests: nothing of them is a part of it.
"""
>>>>>>> 5f49d21 (wip: shapes of bindings)

from __future__ import annotations

import json
import os
<<<<<<< HEAD
=======
import shutil
>>>>>>> 5f49d21 (wip: shapes of bindings)
import subprocess
import tarfile
from functools import cache
from pathlib import Path
from typing import Any

<<<<<<< HEAD
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
=======
import jsonschema_rs
import pytest

VERSIONS = ("2.0", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "3.0", "3.1")
_PACKAGE = "@asyncapi/specs@6.11.1"
_SECONDS = 120


@cache
def folder() -> Path:
    """Where the schemas of the package are. They are fetched once for all runs."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    found = base / "eventgen-tests" / _PACKAGE.replace("/", "-")
    if not found.is_dir():
        _fetch(found)
    return found / "package" / "schemas"


def _fetch(found: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing("npm is missing, which fetches the official schemas; run `make servers`")
    partial = found.with_name(f"{found.name}.{os.getpid()}")
    partial.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [npm, "pack", "--silent", "--pack-destination", str(partial), _PACKAGE],
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"npm pack {_PACKAGE}: {done.stderr.strip()}")
    (archive,) = partial.glob("*.tgz")
    with tarfile.open(archive) as packed:
        packed.extractall(partial, filter="data")
    try:
        partial.rename(found)
    except OSError:  # another worker was faster
        shutil.rmtree(partial)


@cache
def schema(version: str) -> dict[str, Any]:
    """The whole schema of a version, which is written as `2.6`.

    An object that has a `$ref` of its own is both a reference and that object to the official
    schemas, which demand one of the two; here it may be both.
    """
    path = folder() / f"{version}.0-without-$id.json"
    made: dict[str, Any] = _either(json.loads(path.read_text(encoding="utf-8")))
    return made


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


@cache
def validator(version: str, name: str = "") -> jsonschema_rs.Draft7Validator:
    """What checks a whole document, or the object that the official schemas call `name`."""
    whole = schema(version)
    if name:
        whole = {"$ref": f"#/definitions/{name}", "definitions": whole["definitions"]}
    return jsonschema_rs.Draft7Validator(whole, validate_formats=True)
>>>>>>> 5f49d21 (wip: shapes of bindings)
