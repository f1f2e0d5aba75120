"""Steps -> disk. Everything is staged first; then each file takes its place in one rename."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from eventgen.write import manifest
from eventgen.write.reconcile import CHANGES, Deed, Read, Step, entries_after

_STAGE = ".eventgen/tmp"


class OutsideProjectError(OSError):
    """A path would leave the project, by its name or through a symbolic link."""


def reader(root: Path) -> Read:
    """How `reconcile` sees the project in `root`."""
    return lambda path: _read(_resolve(root, path))


def load_manifest(root: Path) -> Mapping[str, manifest.Entry]:
    """What eventgen wrote into this project before; nothing when it never did."""
    content = _read(root / manifest.PATH)
    return manifest.parse(content.decode(errors="replace")) if content else {}


def apply(root: Path, steps: Iterable[Step], known: Mapping[str, manifest.Entry]) -> None:
    """Carry the steps out; the manifest is written last.

    Raises OSError (disk full, read-only, outside the project) before the first file is touched
    whenever the cause can be seen that early.
    """
    steps = tuple(steps)
    changes = [step for step in steps if step.deed in CHANGES]
    text = manifest.dump(entries_after(steps, known))
    if not changes and _read(root / manifest.PATH) == text.encode():
        return
    targets = {step.path: _resolve(root, step.path) for step in changes}
    stage = root / _STAGE
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(parents=True)
    try:
        staged = {
            step.path: _stage(stage / str(number), step.after)
            for number, step in enumerate(changes)
            if step.after is not None
        }
        _stage(stage / "manifest", text)
        for step in changes:
            _carry_out(step, targets[step.path], staged.get(step.path), root)
        (stage / "manifest").replace(root / manifest.PATH)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _carry_out(step: Step, target: Path, staged: Path | None, root: Path) -> None:
    if step.deed is Deed.REMOVE or staged is None:
        target.unlink()
        _prune(target.parent, root)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    staged.replace(target)


def _stage(path: Path, text: str) -> Path:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return path


def _prune(folder: Path, root: Path) -> None:
    """Folders that a removal left empty go too."""
    while folder != root and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _resolve(root: Path, path: str) -> Path:
    if not manifest.is_inside(path):
        raise OutsideProjectError(f"`{path}` is not a path inside the project")
    target = root / path
    if not target.parent.resolve().is_relative_to(root.resolve()):
        raise OutsideProjectError(f"`{path}` leads out of the project through a symbolic link")
    return target


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
