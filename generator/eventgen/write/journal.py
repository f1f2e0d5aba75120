"""What an apply is about to do, on disk before it does it, so that the next run can take it back.

    {"moves": [{"path": .., "before": digest|null, "after": digest|null, "backup": ..}],
     "folders": [..]}

The journal is there from the moment when everything is staged and backed up until the last file
has taken its place. To remove it is to commit.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from eventgen.write import JOURNAL
from eventgen.write.manifest import digest
from eventgen.write.paths import STAGE, content, resolve


@dataclass(frozen=True, slots=True)
class Move:
    """One path on its way from one content to another, by their digests; None: no file."""

    path: str
    before: str | None
    after: str | None
    backup: str  # a path of the project, where what stood there before is kept


def is_pending(root: Path) -> bool:
    """Whether a run was interrupted half-way."""
    return os.path.lexists(root / JOURNAL)


def begin(root: Path, moves: Iterable[Move]) -> None:
    """Write the journal. Whatever happens from now on can be taken back."""
    moves = tuple(moves)
    folders = sorted({folder for move in moves for folder in _missing_folders(root, move.path)})
    text = json.dumps({"moves": [asdict(move) for move in moves], "folders": folders})
    staged = root / STAGE / "journal"
    flush(staged, text)
    staged.replace(root / JOURNAL)
    _sync_folder(root / ".eventgen")


def commit(root: Path) -> None:
    """All is in its place: from here on there is nothing to take back."""
    (root / JOURNAL).unlink()
    shutil.rmtree(root / STAGE, ignore_errors=True)


def roll_back(root: Path) -> None:
    """Put everything back as it was before. It may be interrupted too, and run again.

    A file that somebody edited since is left as it is.
    """
    noted = json.loads((root / JOURNAL).read_text(encoding="utf-8"))
    for move in reversed([Move(**raw) for raw in noted["moves"]]):
        _put_back(root, move)
    for folder in reversed(noted["folders"]):
        with suppress(OSError):  # somebody put a file there, or it was never made
            resolve(root, folder).rmdir()
    commit(root)


def flush(path: Path, text: str) -> Path:
    """Write a file through to the disk."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return path


def _put_back(root: Path, move: Move) -> None:
    target, backup = resolve(root, move.path), resolve(root, move.backup)
    stands = content(target)
    if stands is not None and digest(stands) != move.after:
        return
    if move.before is None:
        target.unlink(missing_ok=True)
    elif os.path.lexists(backup):
        target.parent.mkdir(parents=True, exist_ok=True)
        backup.replace(target)


def _missing_folders(root: Path, path: str) -> list[str]:
    parents = list((root / path).relative_to(root).parents)[:-1]
    return [one.as_posix() for one in parents if not (root / one).exists()]


def _sync_folder(folder: Path) -> None:
    """Renames are durable once their folder is. Windows cannot open one, and needs it not."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
