"""The difference between two renderings of the template -> a project, by git's own merge.

The renderings become commits that nothing refers to; then git picks the second one's changes into
the project, as `git cherry-pick --no-commit` does for anyone: it follows files that the template
renamed, and what does not fit is a conflict in the index.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from eventgen.git import Git, GitError

_RENAMED = "40%"  # as much of a file must be as it was for it to count as renamed
NOBODY = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "eventgen"), ("EMAIL", "eventgen@localhost"), ("DATE", "@1 +0000"))
}
_HOW = (
    *("-c", "merge.conflictStyle=diff3"),
    # A file of the user's own stays where it is, also when the template moved all of its folder.
    *("-c", "merge.directoryRenames=false"),
)


@dataclass(frozen=True, slots=True)
class Rendering:
    """The template as one version renders it for a project."""

    version: str
    folder: Path

    def paths(self) -> frozenset[str]:
        """Its files, relative to the project."""
        found = (path for path in self.folder.rglob("*") if path.is_file())
        return frozenset(path.relative_to(self.folder).as_posix() for path in found)


@dataclass(frozen=True, slots=True)
class Touched:
    """What a merge did to one path of the project."""

    deed: str  # created, updated, removed, renamed, conflict
    path: str
    before: str = ""  # what the file was called, when it was renamed


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge did. `left_out` are files that the user had deleted, and does not get back."""

    changes: tuple[Touched, ...]
    left_out: tuple[str, ...]

    @property
    def conflicts(self) -> tuple[str, ...]:
        """The files that only a person can finish."""
        return tuple(change.path for change in self.changes if change.deed == "conflict")


def in_the_way(root: Path, new: Rendering) -> tuple[str, ...]:
    """Files that git does not know, and that a merge would therefore overwrite."""
    tracked = _tracked(root)
    folders = {parent for path in tracked for parent in _parents(path)}
    return tuple(
        sorted(
            {
                part
                for path in new.paths() - tracked
                for part in (path, *_parents(path))
                if os.path.lexists(root / part) and part not in tracked and part not in folders
                if part == path or not (root / part).is_dir()
            }
        )
    )


def merge(root: Path, old: Rendering, new: Rendering) -> Merged:
    """Bring what changed from one rendering to the other into the project, and stage it.

    The project is committed, and nothing is in the way. Raises GitError, with nothing changed.
    """
    left_out = _leave_out(root, old, new)
    base = _commit(root, old, ())
    theirs = _commit(root, new, ("-p", base))
    git = Git(root, NOBODY)
    if not git.says("diff", "--quiet", base, theirs):
        how = ("--no-commit", f"-Xfind-renames={_RENAMED}", "-Xignore-cr-at-eol")
        picked = git.ask(*_HOW, "cherry-pick", *how, theirs)
        if picked.returncode and not unmerged(git):
            raise GitError(os.fsdecode(picked.stderr).strip())
    return Merged(_changes(git), left_out)


def stage(root: Path) -> None:
    """Stage what else has changed in the project, but for the files that are in conflict."""
    git = Git(root, {"GIT_LITERAL_PATHSPECS": "1"})
    how = ("--modified", "--deleted", "--others", "--exclude-standard", "-z")
    changed = set(git.paths("ls-files", *how)) - set(unmerged(git))
    if changed:
        listed = os.fsencode("\0".join(sorted(changed)))
        git.run("add", "--all", "--pathspec-from-file=-", "--pathspec-file-nul", given=listed)


def _leave_out(root: Path, old: Rendering, new: Rendering) -> tuple[str, ...]:
    """A file that the user has deleted takes no part."""
    deleted = sorted(old.paths() - _tracked(root))
    for path in deleted:
        (old.folder / path).unlink()
        (new.folder / path).unlink(missing_ok=True)
    return tuple(deleted)


def _commit(root: Path, rendering: Rendering, parents: tuple[str, ...]) -> str:
    """A commit in the project's repository with a rendering in the project's place."""
    git = Git(root)
    index = f"{rendering.folder}.index"
    repository = git.run("rev-parse", "--absolute-git-dir").rstrip("\n")
    place = git.run("rev-parse", "--show-prefix").rstrip("\n")
    environment = {
        "GIT_DIR": repository,
        "GIT_WORK_TREE": str(rendering.folder),
        "GIT_INDEX_FILE": index,
    }
    inside = replace(git, folder=rendering.folder, environment=environment | NOBODY)
    inside.run("add", "--all", "--force", ".")
    tree = inside.run("write-tree").strip()
    if place:
        inside.run("read-tree", "--empty")
        inside.run("read-tree", f"--prefix={place}", tree)
        tree = inside.run("write-tree").strip()
    return inside.run("commit-tree", tree, *parents, "-m", f"template {rendering.version}").strip()


_DEEDS = {"A": "created", "M": "updated", "T": "updated", "D": "removed", "U": "conflict"}


def _changes(git: Git) -> tuple[Touched, ...]:
    """What is staged, and what is in conflict."""
    how = ("--cached", "--name-status", f"--find-renames={_RENAMED}", "--relative", "-z")
    words = iter(git.paths("diff", *how, "HEAD"))
    changes: list[Touched] = []
    conflicts = set(unmerged(git))
    for status in words:
        path = next(words)
        before, path = (path, next(words)) if status.startswith("R") else ("", path)
        if path not in conflicts:
            changes.append(Touched("renamed" if before else _DEEDS[status], path, before))
    changes += [Touched("conflict", path) for path in conflicts]
    return tuple(sorted(changes, key=lambda change: change.path))


def unmerged(git: Git) -> tuple[str, ...]:
    """The files below git's folder that are in conflict."""
    entries = git.paths("ls-files", "--unmerged", "-z")  # one for each side of a conflict
    return tuple(sorted({entry.partition("\t")[2] for entry in entries}))


def _tracked(root: Path) -> frozenset[str]:
    return frozenset(Git(root).paths("ls-files", "-z"))


def _parents(path: str) -> tuple[str, ...]:
    parts = path.split("/")
    return tuple("/".join(parts[:number]) for number in range(1, len(parts)))
