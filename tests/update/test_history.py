"""The template of every release is kept, and never changes again."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from eventgen.update import history

from tests.support import releases
from tests.support.generate import ROOT
from tests.support.releases import TEMPLATE, commit, edit, git, release, repository

HISTORY = "templates/history"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A checkout with a release."""
    source = releases.checkout(tmp_path / "checkout")
    release(source, "1.0.0", {})
    return source


def template(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in (root / "copier.yml", *(root / TEMPLATE).rglob("*"))
        if path.is_file()
    }


def test_every_release_comes_out_as_it_went_in(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    skeleton = source / TEMPLATE
    went_in = {"1.0.0": template(source)}
    (skeleton / "empty.jinja").touch()
    (skeleton / "blob.bin").write_bytes(bytes(range(256)))
    (skeleton / "windows.txt").write_bytes(b"two\r\nlines \r\n")
    (skeleton / "no end").write_bytes("caf\N{LATIN SMALL LETTER E WITH ACUTE}".encode())
    release(source, "1.1.0", {})
    went_in["1.1.0"] = template(source)
    (skeleton / "Makefile.jinja").rename(skeleton / "tasks.mk.jinja")
    (skeleton / "Dockerfile.jinja").unlink()
    release(source, "2.0.0", {})
    release(source, "10.0.0", {f"{TEMPLATE}/tasks.mk.jinja": ("down", "stop")})
    went_in["10.0.0"] = template(source)
    repository(tmp_path)  # somebody's, with the folder for temporary files inside
    (tmp_path / "gitconfig").write_text("[core]\nautocrlf = true\n[apply]\nwhitespace = fix\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setattr(history, "data_root", lambda: source)

    assert history.versions()[-4:] == ("1.0.0", "1.1.0", "2.0.0", "10.0.0")
    for version, files in went_in.items():
        history.check_out(version, tmp_path / version)
        assert template(tmp_path / version) == files


def test_a_release_is_made_once_and_in_order(source: Path) -> None:
    again = releases.add_to_history(source)
    assert again.returncode == 1
    assert "1.0.0 is released" in again.stderr
    with pytest.raises(AssertionError, match=r"older than 1\.0\.0"):
        release(source, "0.9.0", {})
    assert [path.name for path in (source / HISTORY).glob("*.patch")] == ["1.0.0.patch"]


def test_files_are_renamed_in_major_versions_only(source: Path) -> None:
    (source / TEMPLATE / "Makefile.jinja").rename(source / TEMPLATE / "tasks.mk.jinja")

    with pytest.raises(AssertionError, match="in major versions only"):
        release(source, "1.1.0", {})
    edit(source / "copier.yml", '"1.1.0"', '"1.0.0"')
    release(source, "2.0.0", {})


def changed_since_released(root: Path) -> list[str]:
    """The patches that a commit, or somebody just now, has changed or removed."""
    how = ("--diff-filter=MDRT", "--name-only", "--format=", "--no-renames")
    committed = git(root, "log", *how, "--", f"{HISTORY}/*.patch")
    now = git(root, "diff", "HEAD", *how[:2], "--", f"{HISTORY}/*.patch")
    return sorted({*committed.split(), *now.split()})


def test_what_was_released_is_as_it_was() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout: there are no commits to compare with")
    assert changed_since_released(ROOT) == []


def test_a_change_of_what_was_released_is_seen(source: Path) -> None:
    repository(source)
    assert changed_since_released(source) == []
    patch = source / HISTORY / "1.0.0.patch"
    edit(patch, "Makefile", "makefile")
    assert changed_since_released(source) == [f"{HISTORY}/1.0.0.patch"]
    commit(source)
    assert changed_since_released(source) == [f"{HISTORY}/1.0.0.patch"]


def test_the_history_holds_what_the_changelog_calls_released() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    named = re.findall(r"^## (\d+\.\d+\.\d+)(.*)$", changelog, re.MULTILINE)
    released = {version for version, how in named if "unreleased" not in how}

    assert {path.stem for path in (ROOT / HISTORY).glob("*.patch")} == released


def test_the_template_of_a_release_is_the_one_that_is_here(tmp_path: Path) -> None:
    """Else what `new` makes is not what `update` takes it for."""
    source = releases.checkout(tmp_path / "checkout")
    version = history.versions()[-1]
    patch = ROOT / HISTORY / f"{version}.patch"
    if not patch.exists():  # it is yet to be released
        return
    for path in (ROOT / HISTORY).glob("*.patch"):
        if path != patch:
            shutil.copy(path, source / HISTORY)
    made = releases.add_to_history(source)
    assert made.returncode == 0, made.stderr
    assert (source / HISTORY / patch.name).read_bytes() == patch.read_bytes()
