"""Whoever has copier and not eventgen makes and updates the same projects, from the repository."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.support import releases
from tests.support.generate import Run, run
from tests.support.releases import (
    EDITORCONFIG,
    EDITS,
    Installed,
    commit,
    edit,
    git,
    repository,
)

Copier = Callable[..., Run]


@pytest.fixture
def copier(tmp_path: Path) -> Copier:
    """Runs copier with eventgen's own repository where its address leads; nothing is renamed."""
    source = repository(releases.checkout(tmp_path / "home"))
    for version in ("0.1.0", "0.2.0", "0.3.0"):
        if version == "0.2.0":
            (source / releases.TEMPLATE / ".editorconfig.jinja").write_text(EDITORCONFIG)
        releases.release(source, version, EDITS[version])
        git(commit(source), "tag", f"v{version}")
    config = tmp_path / "gitconfig"
    config.write_text(
        f'[url "{source}"]\n\tinsteadOf = https://github.com/eventgen/eventgen.git\n'
        "[user]\n\tname = ada\n\temail = ada@example.org\n"
    )
    env = {
        "GIT_CONFIG_GLOBAL": str(config),
        "COPIER_CACHE_DIR": str(tmp_path / "cache"),
        "HOME": str(tmp_path),
        "GIT_ALLOW_PROTOCOL": "file",
    }
    return lambda *words, cwd: run(sys.executable, "-m", "copier", *words, cwd=cwd, env=env)


def skeleton(root: Path, like: Path) -> dict[str, bytes]:
    """The files of a project that a rendering of the template has too."""
    names = git(like, "ls-files", "-z").split("\0")[:-1]
    return {name: (root / name).read_bytes() for name in names}


def test_it_makes_the_same_project(
    copier: Copier, pristine: Mapping[str, Path], tmp_path: Path
) -> None:
    made = pristine["0.1.0"]
    title = ("--data", "title=Orders Service", "--data", "service=orders", "--data", "broker=kafka")
    about = "description=Takes orders, and marks them as paid when their payment arrives."
    how = ("--defaults", "--vcs-ref", "v0.1.0", *title, "--data", about)

    copied = copier("copy", *how, "gh:eventgen/eventgen", "orders", cwd=tmp_path)

    assert copied.returncode == 0, copied.stderr
    plain = repository(tmp_path / "orders")
    assert skeleton(plain, plain) == skeleton(made, plain)


def test_it_updates_to_the_same_project(
    copier: Copier, released: Mapping[str, Installed], project: Path, tmp_path: Path
) -> None:
    edit(project / "README.md", "## What is generated", "Mine.\n\n## What is generated")
    edit(project / "Makefile", "down: ##", "mine: ## mine\n\techo mine\n\ndown: ##")
    commit(project)
    git(tmp_path, "clone", "--quiet", str(project), "ours")
    ours = tmp_path / "ours"

    theirs = copier("update", "--defaults", cwd=project)
    made = released["0.3.0"].eventgen("update", cwd=ours)

    assert theirs.returncode == 0, theirs.stderr
    assert made.returncode == 0, made.stderr
    generated = released["0.3.0"].eventgen("generate", cwd=commit(project))
    assert generated.returncode == 0, generated.stderr
    assert skeleton(commit(project), commit(ours)) == skeleton(ours, ours)
    assert git(project, "ls-files") == git(ours, "ls-files")
    assert "Mine." in (project / "README.md").read_text("utf-8")


def test_either_goes_on_where_the_other_has_been(
    copier: Copier, released: Mapping[str, Installed], project: Path
) -> None:
    made = released["0.2.0"].eventgen("update", cwd=project)
    assert made.returncode == 0, made.stderr
    theirs = copier("update", "--defaults", cwd=commit(project))
    assert theirs.returncode == 0, theirs.stderr

    checked = released["0.3.0"].eventgen("update", "--check", cwd=project)
    newer = released["1.0.0"].eventgen("update", cwd=commit(project))

    assert checked.returncode == 0, checked.stdout
    assert newer.returncode == 0, newer.stderr
    assert "renamed  Makefile -> tasks.mk" in newer.stderr
