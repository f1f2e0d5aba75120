"""Releases of eventgen that never were: installed ones, each with a template of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.generate import ROOT, Run, run

RELEASE = ROOT / ".ci" / "release_template.py"
TEMPLATE = "templates/service"
README = f"{TEMPLATE}/README.md.jinja"
DOCKERFILE = f"{TEMPLATE}/Dockerfile.jinja"
PYPROJECT = f"{TEMPLATE}/pyproject.toml.jinja"

# What changes in the template from release to release; 0.2.0 also has one file more.
EDITS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "0.1.0": {},
    "0.2.0": {
        README: ("## First steps", "## In the first minute"),
        DOCKERFILE: ("useradd --system", "useradd --system --no-log-init"),
        "copier.yml": ("python:\n", 'region:\n  type: str\n  default: "eu"\n\npython:\n'),
    },
    "0.3.0": {
        README: ("## Where your code goes", "## Your code"),
        PYPROJECT: ('"uvicorn>=0.40,<1"', '"uvicorn>=0.41,<1"'),
    },
    "1.0.0": {},
}
EDITORCONFIG = "# {{ region }}\nroot = true\n"


@dataclass(frozen=True)
class Installed:
    """One release, installed as a wheel installs it; its history ends with itself."""

    folder: Path
    version: str

    @property
    def data(self) -> Path:
        """Where its templates are."""
        return self.folder / "eventgen" / "_data"

    def eventgen(self, *arguments: str | Path, cwd: Path, **environment: str) -> Run:
        """Run its command line, with a git that nobody has configured."""
        env = {"PYTHONPATH": str(self.folder), "HOME": str(self.folder), **environment}
        return run(sys.executable, "-m", "eventgen", *arguments, cwd=cwd, env=env)


def checkout(folder: Path) -> Path:
    """What of this repository a release of the template is made from, before the first one."""
    shutil.copytree(ROOT / "templates", folder / "templates")
    shutil.copytree(ROOT / "specs" / "good", folder / "specs" / "good")
    shutil.copy(ROOT / "copier.yml", folder)
    for patch in (folder / "templates" / "history").glob("*.patch"):
        patch.unlink()
    return folder


def release(source: Path, version: str, edits: Mapping[str, tuple[str, str]]) -> None:
    """Change a checkout's template and make it a release.

    `edits`: what is replaced by what in each of the skeleton's files, or in copier.yml.
    """
    current = re.search(r'default: "(\d+\.\d+\.\d+)"', (source / "copier.yml").read_text())
    assert current
    edit(source / "copier.yml", f'default: "{current[1]}"', f'default: "{version}"')
    for path, (before, after) in edits.items():
        edit(source / path, before, after)
    made = add_to_history(source)
    assert made.returncode == 0, made.stderr


def add_to_history(source: Path) -> Run:
    """Run the script that a release runs."""
    return run(sys.executable, RELEASE, source, cwd=source)


def edit(path: Path, before: str, after: str) -> None:
    """Replace text that must be there."""
    text = path.read_text("utf-8")
    assert before in text, (path, before)
    path.write_text(text.replace(before, after), encoding="utf-8", newline="\n")


def install(source: Path, folder: Path, version: str) -> Installed:
    """Install eventgen with a checkout's templates, as the wheel of that version does."""
    package = folder / "eventgen"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "generator" / "eventgen", package, ignore=ignored)
    (package / "__init__.py").write_text(f'"""eventgen."""\n\n__version__ = "{version}"\n')
    shutil.copytree(source, package / "_data")
    return Installed(folder, version)


def repository(folder: Path) -> Path:
    """Make a folder a git repository with all that it holds in one commit."""
    git(folder, "init", "--quiet", "--initial-branch=main")
    return commit(folder)


def commit(folder: Path) -> Path:
    """Commit everything, as a person does."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "work")
    return folder


def git(folder: Path, *arguments: str) -> str:
    """Run git as a user whose name is known and who has configured nothing else."""
    settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    names = {
        f"GIT_{who}_{what}": f"ada@{what.lower()}.example"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    made = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **settings, **names},
        check=True,
        capture_output=True,
        text=True,
    )
    return made.stdout
