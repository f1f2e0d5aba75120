"""The merge alone, on renderings made by hand."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from eventgen.git import GitError
from eventgen.update.merge import Merged, Rendering, Touched, in_the_way, merge, stage

from tests.support.releases import commit, git, repository

LINES = "".join(f"line {number}\n" for number in range(20))


def write(folder: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


class Case:
    """A project made from a template `old`, and a template `new`."""

    def __init__(self, folder: Path, old: Mapping[str, str], new: Mapping[str, str]) -> None:
        self.root, self.old, self.new = folder / "p", folder / "old", folder / "new"
        for rendering, files in ((self.root, old), (self.old, old), (self.new, new)):
            rendering.mkdir()
            write(rendering, files)
        repository(self.root)

    def merge(self) -> Merged:
        commit(self.root)
        return merge(self.root, Rendering("1.0.0", self.old), Rendering("2.0.0", self.new))

    def in_the_way(self) -> tuple[str, ...]:
        return in_the_way(self.root, Rendering("2.0.0", self.new))

    def text(self, path: str) -> str:
        return (self.root / path).read_text("utf-8")


def test_files_with_any_name_are_merged(tmp_path: Path) -> None:
    names = ["a b", 'say "hi"', "caf\N{LATIN SMALL LETTER E WITH ACUTE}", "*.py", ":(top)x", "-n"]
    old = {f"{name}/{name}": LINES for name in names}
    case = Case(tmp_path, old, {path: f"first\n{text}" for path, text in old.items()})

    merged = case.merge()

    assert merged.changes == tuple(Touched("updated", path) for path in sorted(old))
    assert all(case.text(path) == f"first\n{LINES}" for path in old)


def test_a_folder_that_the_template_moved_leaves_a_persons_files_where_they_are(
    tmp_path: Path,
) -> None:
    old = {f"jobs/{name}.py": f"{name}\n{LINES}" for name in "abc"}
    case = Case(tmp_path, old, {path.replace("jobs", "tasks"): text for path, text in old.items()})
    write(case.root, {"jobs/mine.py": "mine\n"})

    merged = case.merge()

    assert merged.conflicts == ()
    assert case.text("jobs/mine.py") == "mine\n"
    assert case.text("tasks/a.py") == old["jobs/a.py"]


def test_what_the_template_renamed_and_a_person_edited_is_followed(tmp_path: Path) -> None:
    new = {"after.txt": LINES.replace("line 3", "theirs")}
    case = Case(tmp_path, {"before.txt": LINES}, new)
    write(case.root, {"before.txt": LINES.replace("line 15", "mine")})

    merged = case.merge()

    assert merged.changes == (Touched("renamed", "after.txt", "before.txt"),)
    assert case.text("after.txt") == LINES.replace("line 15", "mine").replace("line 3", "theirs")


def test_what_the_template_removed_and_a_person_edited_is_a_conflict(tmp_path: Path) -> None:
    case = Case(tmp_path, {"gone.txt": LINES}, {"other.txt": "else\n"})
    write(case.root, {"gone.txt": LINES + "mine\n"})

    assert case.merge().conflicts == ("gone.txt",)
    assert "mine" in case.text("gone.txt")


def test_a_file_that_both_added_is_a_conflict(tmp_path: Path) -> None:
    case = Case(tmp_path, {"a": LINES}, {"a": LINES, "new": "theirs\n"})
    write(case.root, {"new": "mine\n"})

    assert case.merge().conflicts == ("new",)
    assert {"mine", "theirs"} <= set(case.text("new").splitlines())


def test_a_folder_where_the_template_has_a_file_now_keeps_what_is_in_it(tmp_path: Path) -> None:
    case = Case(tmp_path, {"a": LINES}, {"a": LINES, "new": "theirs\n"})
    write(case.root, {"new/mine": "mine\n"})

    assert case.merge().conflicts
    assert case.text("new/mine") == "mine\n"


@pytest.mark.parametrize("mine", ["new/deep/file", "new/deep", "new", "new/deep/file/in it"])
def test_what_git_does_not_know_is_seen_before_it_is_overwritten(mine: str, tmp_path: Path) -> None:
    case = Case(tmp_path, {"a": LINES}, {"a": LINES, "new/deep/file": "theirs\n"})
    write(case.root, {".gitignore": "new\n", mine: "mine\n"})
    commit(case.root)

    blocking = case.in_the_way()

    assert blocking == (min(mine, "new/deep/file", key=len),)
    (case.root / blocking[0]).rename(case.root / "away")
    assert case.in_the_way() == ()
    write(case.root, {"new/deep/other": "mine\n"})
    assert case.in_the_way() == ()


def test_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    case = Case(tmp_path, {"docs/a": LINES}, {"docs/a": "changed\n", "docs/b": "new\n"})
    (case.root / "docs/a").unlink()
    (case.root / "docs").rmdir()
    (case.root / "docs").symlink_to(outside)

    try:
        merged = case.merge()
    except GitError:
        merged = Merged((), ())

    assert list(outside.iterdir()) == []
    assert (case.root / "docs").is_symlink() or merged.conflicts


def test_a_file_a_person_made_executable_stays_so(tmp_path: Path) -> None:
    case = Case(tmp_path, {"run.sh": LINES}, {"run.sh": LINES.replace("line 3", "theirs")})
    (case.root / "run.sh").chmod(0o755)

    assert case.merge().conflicts == ()
    assert os.access(case.root / "run.sh", os.X_OK)
    assert "theirs" in case.text("run.sh")


def test_a_merge_leaves_no_reference_and_no_commit(tmp_path: Path) -> None:
    case = Case(tmp_path, {"a": LINES}, {"a": LINES + "last\n"})
    commit(case.root)
    before = git(case.root, "for-each-ref"), git(case.root, "log", "--oneline", "--all")

    merge(case.root, Rendering("1.0.0", case.old), Rendering("2.0.0", case.new))

    after = git(case.root, "for-each-ref"), git(case.root, "log", "--oneline", "--all")
    assert after == before
    state = {path.name for path in (case.root / ".git").iterdir()}
    assert not state & {"CHERRY_PICK_HEAD", "MERGE_HEAD", "sequencer"}


def test_what_is_in_conflict_is_not_staged_with_the_rest(tmp_path: Path) -> None:
    case = Case(tmp_path, {"a": LINES, "b": LINES}, {"a": "theirs\n", "b": LINES})
    write(case.root, {"a": "mine\n"})
    assert case.merge().conflicts == ("a",)
    write(case.root, {"b": "generated\n", "c/*": "generated\n"})
    (case.root / ".gitignore").write_text("ignored\n")
    write(case.root, {"ignored": "x"})

    stage(case.root)

    assert git(case.root, "diff", "--name-only", "--diff-filter=U") == "a\n"
    staged = git(case.root, "diff", "--cached", "--name-only", "--diff-filter=AM").split()
    assert staged == [".gitignore", "b", "c/*"]
