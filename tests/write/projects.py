"""Small projects, and ways for the process that writes one to die."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from eventgen.plan.kinds import Owner, RenderedFile
from eventgen.write.apply import apply, load_manifest, reader
from eventgen.write.reconcile import REFUSED, Step, reconcile

TOUCHES = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.chmod")
_hook: list[Callable[[], None] | None] = [None]


def _audit(event: str, _arguments: object) -> None:
    if (hook := _hook[0]) is not None and event in TOUCHES:
        hook()


sys.addaudithook(_audit)

OLD = (
    RenderedFile("src/a.py", "a = 1\n", Owner.TOOL),
    RenderedFile("src/gone/b.py", "b = 1\n", Owner.TOOL),
    RenderedFile("src/handlers/on_x.py", "x = 1\n", Owner.PERSON),
    RenderedFile("same.txt", "same\n", Owner.TOOL),
)
NEW = (
    RenderedFile("src/a.py", "a = 2\n", Owner.TOOL),
    RenderedFile("src/new/deep/c.py", "c = 1\n", Owner.TOOL),
    RenderedFile("src/handlers/on_y.py", "y = 1\n", Owner.PERSON),
    RenderedFile("same.txt", "same\n", Owner.TOOL),
)


def plan(root: Path, files: Iterable[RenderedFile]) -> tuple[Step, ...]:
    return reconcile(files, load_manifest(root), reader(root))


def generate(root: Path, files: Iterable[RenderedFile]) -> tuple[Step, ...]:
    """What the command does, without its words. Refused steps are returned, and nothing done."""
    steps = plan(root, files)
    if not any(step.deed in REFUSED for step in steps):
        apply(root, steps, load_manifest(root))
    return steps


def tree(root: Path) -> dict[str, str | None]:
    """Files with their contents, and folders, without what git ignores."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if not name.startswith(".eventgen/") or name == ".eventgen/manifest":
            found[name] = path.read_text("utf-8") if path.is_file() else None
    return found


def again(root: Path) -> Path:
    """The same folder with OLD freshly generated, and a file of somebody else."""
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    (root / "mine.txt").write_text("mine\n", encoding="utf-8")
    generate(root, OLD)
    return root


def at_touch(number: int, happens: Callable[[], None], work: Callable[[], object]) -> int:
    """Let something happen before the n-th time that `work` touches the disk; how often it did."""
    count = 0

    def hook() -> None:
        nonlocal count
        count += 1
        if count == number:
            happens()

    _hook[0] = hook
    try:
        work()
    finally:
        _hook[0] = None
    return count


def killed_at(number: int, work: Callable[[], object]) -> bool:
    """Do the work in a process of its own that is killed at its n-th touch; whether it was."""
    child = os.fork()
    if child == 0:
        at_touch(number, _kill, work)
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def killed_after(seconds: float, work: Callable[[], object]) -> None:
    """The same, killed from outside at a moment that nobody chose."""
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
