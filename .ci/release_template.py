"""Adds the template of the version in copier.yml to `templates/history/`.

    python .ci/release_template.py [ROOT]

Part of a release, before its tag: `eventgen update` needs the template of every version that a
project may have been made with. ROOT is the folder with copier.yml, usually this repository.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_VERSION = re.compile(
    r'^template_version:\n(?:  .*\n)*?  default: "(\d+\.\d+\.\d+)"$', re.MULTILINE
)


def release(root: Path) -> str:
    """Write the patch; what was done. Raises ValueError when it must not be written."""
    version = version_of((root / "copier.yml").read_text(encoding="utf-8"))
    history = root / "templates" / "history"
    released = sorted((path.stem for path in history.glob("*.patch")), key=order)
    if version in released:
        raise ValueError(f"{version} is released; raise the version in copier.yml")
    if released and order(version) < order(released[-1]):
        raise ValueError(f"{version} is older than {released[-1]}, which is released")
    with tempfile.TemporaryDirectory(prefix="eventgen-") as folder:
        repository = Path(folder)
        git(repository, "init", "--quiet")
        for one in released:
            patch = (history / f"{one}.patch").resolve()
            git(repository, "apply", "--whitespace=nowarn", str(patch))
        before = tree(repository)
        copy_template(root, repository)
        change = ("--no-renames", before, tree(repository))
        gone = git(repository, "diff", "--name-only", "--diff-filter=D", "-z", *change).split(b"\0")
        if gone[:-1] and order(version)[0] == order(released[-1])[0]:
            names = ", ".join(name.decode() for name in gone[:-1])
            raise ValueError(
                f"{names}: files are renamed and removed in major versions only, because plain "
                "`copier update` drops what people wrote into them"
            )
        made = git(repository, "diff-tree", "--patch", "--full-index", "--binary", *change)
    (history / f"{version}.patch").write_bytes(made)
    return f"templates/history/{version}.patch: {len(made)} bytes"


def version_of(text: str) -> str:
    """The version that a template gives to what is made from it."""
    found = _VERSION.search(text)
    if found is None:
        raise ValueError("copier.yml has no template_version such as 1.2.3")
    return found[1]


def order(version: str) -> tuple[int, ...]:
    """What versions are sorted by."""
    return tuple(int(part) for part in version.split("."))


def copy_template(root: Path, folder: Path) -> None:
    """Replace the template in a folder by that of a checkout."""
    shutil.rmtree(folder / "templates", ignore_errors=True)
    shutil.copy(root / "copier.yml", folder)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(
        root / "templates" / "service", folder / "templates" / "service", ignore=ignored
    )


def tree(repository: Path) -> str:
    """The hash of all that is in a repository's folder."""
    git(repository, "add", "--all", "--force", ".")
    return git(repository, "write-tree").decode().strip()


def git(repository: Path, *arguments: str) -> bytes:
    """Run git as if its user had configured nothing: what it writes is the same everywhere."""
    plain = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    outside = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    made = subprocess.run(
        ["git", *arguments],
        cwd=repository,
        env=outside | plain,
        check=True,
        capture_output=True,
    )
    return made.stdout


if __name__ == "__main__":
    try:
        print(release(Path(sys.argv[1] if sys.argv[1:] else Path(__file__).parents[1])))
    except ValueError as problem:
        sys.exit(f"error: {problem}")
