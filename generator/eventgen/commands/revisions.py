"""Reads a repository's files at a revision, through git's own command."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from eventgen.commands.exits import Exit, Stop
from eventgen.git import Git, MissingGitError
from eventgen.spec.source import LARGEST

# What a specification, or a project's configuration, consists of.
_ENDINGS = frozenset(
    (".avdl", ".avsc", ".json", ".lock", ".proto", ".raml", ".xsd", ".yaml", ".yml")
)
_REGULAR = (b"100644", b"100755")


def repository(folder: Path) -> Path | None:
    """The top folder of the repository that a folder is in; None when it is in none."""
    found = _git(folder, "rev-parse", "--show-toplevel")
    return None if found is None else Path(found.decode().rstrip("\n")).resolve()


def commit(root: Path, revision: str) -> str | None:
    """The commit that a branch, tag or hash names; None when it names none."""
    wanted = f"{revision}^{{commit}}"
    found = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", wanted)
    return None if found is None else found.decode().strip()


def tags(root: Path, pattern: str) -> tuple[str, ...]:
    """The tags that a pattern matches, the newest first."""
    found = _git(root, "tag", "--list", "--sort=-creatordate", "--", pattern)
    return tuple((found or b"").decode().split())


def write_files(root: Path, revision: str, folder: Path) -> None:
    """Put what specifications consist of into a folder, as it was in a commit."""
    (folder / ".git").touch()  # where the repository ends, for those who read the files
    listed = _git(root, "ls-tree", "-r", "-z", "--full-tree", "--long", revision) or b""
    wanted = dict(_wanted(listed))
    blobs = _git(root, "cat-file", "--batch", given="".join(f"{one}\n" for one in wanted.values()))
    position = 0
    for path in wanted:
        end = (blobs or b"").index(b"\n", position)
        size = int(blobs[position:end].split()[2]) if blobs else 0
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((blobs or b"")[end + 1 : end + 1 + size])
        position = end + size + 2


def _wanted(listed: bytes) -> Iterator[tuple[str, str]]:
    """Path and hash of each regular file that may be part of a specification."""
    for entry in listed.split(b"\0"):
        described, _, name = entry.partition(b"\t")
        mode, _, blob, size = described.split() or (b"", b"", b"", b"")
        path = name.decode(errors="surrogateescape")
        is_ours = PurePosixPath(path).suffix.lower() in _ENDINGS
        if mode in _REGULAR and is_ours and int(size) <= LARGEST:
            yield path, blob.decode()


def _git(folder: Path, *arguments: str, given: str = "") -> bytes | None:
    """What git answers; None when it says no."""
    try:
        made = Git(folder).ask(*arguments, given=given.encode())
    except MissingGitError as problem:
        raise Stop(
            Exit.ENVIRONMENT,
            "there is no `git`, which reads revisions",
            "install git, or compare files or folders",
        ) from problem
    return made.stdout if made.returncode == 0 else None
