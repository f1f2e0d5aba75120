"""Formats rendered Python with ruff: one process for all files, blind to any configuration."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from ruff import find_ruff_bin

_OPTIONS = ("--isolated", "--no-cache", "--quiet", "--line-length", "100")


def tidy(files: Mapping[str, str]) -> Mapping[str, str]:
    """The same files with their Python sorted and formatted; other files as they are.

    Raises RuntimeError when ruff cannot read what a template printed, which is a bug of ours.
    """
    python = {path: text for path, text in files.items() if path.endswith((".py", ".pyi"))}
    if not python:
        return files
    with tempfile.TemporaryDirectory(prefix="eventgen-") as folder:
        root = Path(folder)
        for path, text in python.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8", newline="\n")
        own = f"lint.isort.known-first-party={json.dumps(_packages(python))}"
        fixes = ("--select", "I,F401", "--fix", "--exit-zero", "--target-version", "py311")
        _ruff(root, "check", *fixes, "--config", own)
        _ruff(root, "format", "--target-version", "py311")
        done = {path: (root / path).read_text(encoding="utf-8") for path in python}
    return {**files, **done}


def _packages(paths: Iterable[str]) -> list[str]:
    """The service's own packages: their imports stand apart from other people's."""
    return sorted({path.split("/")[1] for path in paths if path.startswith("src/")})


def _ruff(root: Path, *arguments: str) -> None:
    command = [find_ruff_bin(), arguments[0], *_OPTIONS, *arguments[1:], "."]
    run = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if run.returncode:
        raise RuntimeError(f"ruff could not read rendered Python:\n{run.stderr or run.stdout}")
