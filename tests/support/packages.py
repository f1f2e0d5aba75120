"""What packages of a registry hold beside code, fetched by its own client into a cache."""

from __future__ import annotations

import os
import subprocess
import tarfile
import tempfile
from fcntl import LOCK_EX, flock
from pathlib import Path

import pytest


def unpacked(name: str, *command: str) -> Path:
    """The folder with what a package holds. `command` puts its archive where it is run.

    `name` is the folder's, in a cache; with the version in it, what is there is never stale.
    """
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = home / "eventgen-tests" / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{name}.lock").open("w") as lock:
        flock(lock, LOCK_EX)  # several workers may come at once
        if not folder.is_dir():
            _fetch(folder, command)
    return folder


def _fetch(folder: Path, command: tuple[str, ...]) -> None:
    environment = {**os.environ, "PIP_NO_COMPILE": "1"}  # of what only builds an archive's metadata
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        part = Path(name) / folder.name
        part.mkdir()
        try:
            subprocess.run(command, cwd=part, check=True, capture_output=True, env=environment)
        except (OSError, subprocess.CalledProcessError) as problem:
            missing = pytest.fail if os.environ.get("CI") else pytest.skip
            missing(f"{folder.name} cannot be fetched: {problem}; `make servers` installs npm")
        for archive in (*part.glob("*.tgz"), *part.glob("*.tar.gz")):
            with tarfile.open(archive) as packed:
                packed.extractall(part, filter="data")
        part.rename(folder)
