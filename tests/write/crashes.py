"""`eventgen generate`, killed 500 times; the next command must find the old tree or the new one.

    python -m tests.write.crashes [RUNS [SEED]]

Half of the runs are killed before one of the times that they write in the project, by
turns; the others at a random moment of the time that a run takes, or that its writing takes.
"""

from __future__ import annotations

import io
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from eventgen import cli
from eventgen.write import journal

from tests.support.generate import new_service
from tests.write.projects import at_touch, killed_after, killed_at, tree

OLD = """\
eventgen: 1
service: tills
publishes:
  till.opened: {version: 1.0.0, key: till_id, data: {till_id: uuid}}
subscribes:
  shop.opened: {version: 1.0.0, key: shop_id, data: {shop_id: uuid}}
  shop.closed: {version: 1.0.0, key: shop_id, data: {shop_id: uuid}}
"""
# One event is another, one is gone, two are new: files are created, updated and removed.
NEW = """\
eventgen: 1
service: tills
publishes:
  till.opened: {version: 1.0.0, key: till_id, data: {till_id: uuid, at: date-time}}
  till.closed: {version: 1.0.0, key: till_id, data: {till_id: uuid}}
subscribes:
  shop.opened: {version: 1.0.0, key: shop_id, data: {shop_id: uuid}}
  shift.began: {version: 1.0.0, key: shop_id, data: {shop_id: uuid}}
"""

_FIRST = 2  # the first change; before it comes the lock
_STRIDE = 37  # a prime: few runs are killed all over the place, many everywhere

Tree = dict[str, str | None]


@dataclass
class Trial:
    """A project whose specification was edited, and how it is before and after a generation."""

    folder: Path
    old: Tree
    new: Tree
    touches: int = 0  # how often a generation writes in the project
    seconds: float = 0.0  # how long it takes
    writing: float = 0.0  # how much of that is between its first change and its last

    @property
    def root(self) -> Path:
        return self.folder / "project"

    def again(self) -> Path:
        """The project as it is before the generation."""
        shutil.rmtree(self.root, ignore_errors=True)
        return shutil.copytree(self.folder / "service", self.root)

    def outcome(self) -> str:
        """What the next command finds after a crash; raises when it is a mixture."""
        found = "died before it wrote"
        if journal.is_pending(self.root):
            found = "was taken back"
        code = command(self.root, "generate", "--check")
        stands = tree(self.root)
        assert not journal.is_pending(self.root)
        assert (stands, code) in ((self.old, 1), (self.new, 0)), differences(self, stands)
        assert command(self.root, "generate") == 0
        assert tree(self.root) == self.new
        return "was done" if code == 0 else found


def prepare(folder: Path) -> Trial:
    """Make the project, and generate once to see what that does."""
    (folder / "tills.yaml").write_text(OLD, encoding="utf-8")
    root = new_service(folder, "--spec", folder / "tills.yaml", "--broker", "embedded")
    (root / "tills.yaml").write_text(NEW, encoding="utf-8")
    trial = Trial(folder, tree(root), {})
    generation(trial.again())()  # what is imported and cached once
    trial.new = tree(trial.root)
    assert trial.old != trial.new
    work, below = generation(trial.again()), str(trial.root)
    began = time.monotonic()
    wrote: list[float] = []
    trial.touches = at_touch(_FIRST, lambda: wrote.append(time.monotonic()), work, below)
    trial.seconds = time.monotonic() - began
    trial.writing = time.monotonic() - wrote[0]
    return trial


def crash(trial: Trial, number: int, chance: random.Random) -> str:
    """One crash; what the next command found."""
    work, below = generation(trial.again()), str(trial.root)
    if number % 2 == 0:
        assert killed_at(number // 2 * _STRIDE % trial.touches + 1, work, below)
    elif number % 4 == 1:
        killed_after(chance.uniform(0, trial.seconds), work)
    else:
        killed_after(chance.uniform(0, trial.writing), work, _FIRST, below)
    return trial.outcome()


def generation(root: Path) -> Callable[[], object]:
    return lambda: command(root, "generate")


def command(root: Path, *arguments: str) -> int:
    """Run a command in the project; its exit code."""
    said = io.StringIO()
    with chdir(root), redirect_stdout(said), redirect_stderr(said):
        return cli.run(arguments)


def differences(trial: Trial, stands: Tree) -> str:
    """Which files are as before, which as after, and which neither."""
    said = {}
    for path in sorted({*trial.old, *trial.new, *stands}):
        now, before, after = (one.get(path) for one in (stands, trial.old, trial.new))
        if not now == before == after:
            said[path] = "old" if now == before else "new" if now == after else "neither"
    return "\n".join(f"{word:<7} {path}" for path, word in said.items())


def main(runs: int, seed: int) -> None:
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="eventgen-crashes-") as folder:
        trial = prepare(Path(folder))
        outcomes = Counter(crash(trial, number, chance) for number in range(runs))
    print(f"{runs} crashes, {trial.touches} places; mixtures: 0")
    for outcome, times in outcomes.most_common():
        print(f"{times:>6}  {outcome}")


if __name__ == "__main__":
    main(*(int(one) for one in (*sys.argv[1:], *("500", "1")[len(sys.argv) - 1 :])))
