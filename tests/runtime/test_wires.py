"""What a payload that is not JSON needs: when it is not installed, the service says so."""

from __future__ import annotations

import sys

import pytest

from tests.support.generate import run
from tests.support.runtime import importable


@pytest.mark.parametrize(
    ("module", "missing", "line"),
    [
        ("avro", "fastavro", "fastavro>=1.12,<2"),
        ("protobuf", "google.protobuf", "protobuf>=6.31,<8"),
    ],
)
def test_what_is_not_installed_is_named(module: str, missing: str, line: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None; import runtime.{module}"
    path = {"PYTHONPATH": str(importable())}
    found = run(sys.executable, "-c", code, cwd=importable(), env=path)
    assert found.returncode == 1
    assert f"add `{line}` to the dependencies in pyproject.toml" in found.stderr.splitlines()[-1]
