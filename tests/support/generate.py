"""Generating services in tests: through the pure pipeline, and through the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from eventgen import pipeline
from eventgen.brokers import discover
from eventgen.model.config import Config, Database, Versions
from eventgen.pipeline import Compilation

ROOT = Path(__file__).parents[2]
SPECS = ROOT / "specs" / "good"
# What eventgen.yaml says beside these: one handler takes all versions of an event.
UPCAST = ("short-envelopes",)


def compile_spec(
    spec: Path, broker: str, database: Database | None = None, *, example: bool = False
) -> Compilation:
    """The files of one generation, without writing any."""
    chosen = discover()[broker]
    default = Database.POSTGRES if chosen.requires else Database.SQLITE
    versions = Versions.UPCAST if spec.stem in UPCAST else Versions.SEPARATE
    config = Config(spec.name, broker, database or default, versions=versions)
    checked = pipeline.check(spec, config, chosen, spec.name)
    return pipeline.compile(checked, config, chosen, example=example, cache=None)


def texts(compilation: Compilation) -> dict[str, str]:
    """Paths and contents."""
    return {file.path: file.text for file in compilation.files}


def write(files: Mapping[str, str], root: Path) -> None:
    """Put files below a folder."""
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="\n")


def eventgen(*arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> Run:
    """Run the command line as a user does."""
    return run(sys.executable, "-m", "eventgen", *arguments, cwd=cwd, env=env)


Run = subprocess.CompletedProcess[str]


def run(
    *command: str | Path, cwd: Path, env: Mapping[str, str] | None = None, timeout: float = 300
) -> Run:
    """Run a program to its end; never raises for its exit code."""
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**_clean_environment(), **(env or {})},
        capture_output=True,
        text=True,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def new_service(root: Path, *arguments: str | Path) -> Path:
    """`eventgen new service` into a folder below `root`; the project's path."""
    made = eventgen("new", "service", root / "service", *arguments, cwd=root)
    assert made.returncode == 0, made.stderr
    return root / "service"


def _clean_environment() -> dict[str, str]:
    kept: Iterable[str] = (
        *("PATH", "HOME", "LANG", "TMPDIR", "XDG_CACHE_HOME", "VIRTUAL_ENV", "PYTHONPATH"),
    )
    return {name: os.environ[name] for name in kept if name in os.environ}
