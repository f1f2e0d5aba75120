"""Paths of a project -> places on disk, which are never outside it."""

from __future__ import annotations

from pathlib import Path

from eventgen.write import manifest

STAGE = ".eventgen/tmp"


class OutsideProjectError(OSError):
    """A path would leave the project, by its name or through a symbolic link."""


def resolve(root: Path, path: str) -> Path:
    """Where a path of the project is on disk. Raises OutsideProjectError."""
    if not manifest.is_inside(path):
        raise OutsideProjectError(f"`{path}` is not a path inside the project")
    target = root / path
    if not target.parent.resolve().is_relative_to(root.resolve()):
        raise OutsideProjectError(f"`{path}` leads out of the project through a symbolic link")
    return target


def content(path: Path) -> bytes | None:
    """What stands there; None when nothing does. Of a symbolic link, as in git, where it leads.

    So a link that somebody put in the place of a generated file counts as an edit.
    """
    try:
        return bytes(path.readlink()) if path.is_symlink() else path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
