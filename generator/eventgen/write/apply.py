"""Steps -> disk. Everything is staged first; then each file takes its place in one rename.

Whatever goes wrong on the way, and be it the death of the process, the tree is the old one or the
new one: see `journal`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from eventgen.plan.kinds import Owner
from eventgen.write import journal, manifest
from eventgen.write.paths import STAGE, content, resolve
from eventgen.write.put import put
from eventgen.write.reconcile import CHANGES, Deed, Read, Step, entries_after


class ChangedMeanwhileError(OSError):
    """A file is not as it was when the steps were computed."""


def reader(root: Path) -> Read:
    """How `reconcile` sees the project in `root`."""
    return lambda path: content(resolve(root, path))


def load_manifest(root: Path) -> Mapping[str, manifest.Entry]:
    """What eventgen wrote into this project before; nothing when it never did."""
    text = content(root / manifest.PATH)
    return manifest.parse(text.decode(errors="replace")) if text else {}


def write_manifest(root: Path, known: Mapping[str, manifest.Entry]) -> None:
    """Replace the manifest alone."""
    put(root / manifest.PATH, manifest.dump(known.values()).encode())


def apply(root: Path, steps: Iterable[Step], known: Mapping[str, manifest.Entry]) -> None:
    """Carry the steps out, all of them or none; the manifest is written last.

    Raises OSError (disk full, not allowed, outside the project, edited meanwhile), and has changed
    nothing then.
    """
    steps = tuple(steps)
    moved = [*_in_order(steps), *_manifest_step(root, manifest.dump(entries_after(steps, known)))]
    if not moved:
        return
    moves = [_move(number, step) for number, step in enumerate(moved)]
    stage = resolve(root, f"{STAGE}/0").parent
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(parents=True)
    try:
        for number, step in enumerate(moved):
            _stage(root, stage / f"{number}.new", stage / f"{number}.old", step)
        journal.begin(root, moves)
        for number, step in enumerate(moved):
            _carry_out(root, stage / f"{number}.new", step)
        journal.commit(root)
    except BaseException:
        if journal.is_pending(root):
            journal.roll_back(root)
        shutil.rmtree(stage, ignore_errors=True)
        raise


def _in_order(steps: tuple[Step, ...]) -> list[Step]:
    """The changes, removals first: where case does not count, a new name may be the old file's."""
    changes = [step for step in steps if step.deed in CHANGES]
    return sorted(changes, key=lambda step: step.deed is not Deed.REMOVE)


def _manifest_step(root: Path, text: str) -> list[Step]:
    before = content(resolve(root, manifest.PATH))
    if before == text.encode():
        return []
    deed = Deed.CREATE if before is None else Deed.UPDATE
    return [Step(manifest.PATH, deed, Owner.TOOL, before, text)]


def _move(number: int, step: Step) -> journal.Move:
    before = None if step.before is None else manifest.digest(step.before)
    after = None if step.after is None else manifest.digest(step.after.encode())
    return journal.Move(step.path, before, after, f"{STAGE}/{number}.old")


def _stage(root: Path, new: Path, old: Path, step: Step) -> None:
    target = resolve(root, step.path)
    if content(target) != step.before:
        raise ChangedMeanwhileError(f"`{step.path}` was changed just now; run the command again")
    if step.after is not None:
        journal.flush(new, step.after)
    if step.before is None:
        return
    if step.after is not None and not target.is_symlink():
        shutil.copymode(target, new)
    try:
        os.link(target, old, follow_symlinks=False)
    except (OSError, NotImplementedError):  # a file system without hard links
        shutil.copy2(target, old, follow_symlinks=False)


def _carry_out(root: Path, new: Path, step: Step) -> None:
    target = resolve(root, step.path)
    if step.after is None:
        target.unlink(missing_ok=True)
        _prune(target.parent, root)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    new.replace(target)


def _prune(folder: Path, root: Path) -> None:
    """Folders that a removal left empty go too."""
    while folder != root and {one.name for one in folder.iterdir()} <= {"__pycache__"}:
        shutil.rmtree(folder / "__pycache__", ignore_errors=True)
        folder.rmdir()
        folder = folder.parent
