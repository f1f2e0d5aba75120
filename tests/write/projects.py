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
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_hook: list[Callable[[str, tuple[object, ...]], None] | None] = [None]


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if (hook := _hook[0]) is not None and event in TOUCHES:
        hook(event, arguments)


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


def at_touch(
    number: int, happens: Callable[[], None], work: Callable[[], object], below: str = ""
) -> int:
    """Let something happen before the n-th time that `work` touches the disk; how often it did.

    With `below`, only what is written in that folder counts.
    """
    count = 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        if below and not _is_written(event, arguments, below):
            return
        count += 1
        if count == number:
            happens()

    _hook[0] = hook
    try:
        work()
    finally:
        _hook[0] = None
    return count


def _is_written(event: str, arguments: tuple[object, ...], below: str) -> bool:
    path = arguments[0]
    if event == "open" and not int(str(arguments[2])) & _WRITING:
        return False
    name = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else ""
    return not name.startswith("/") or name.startswith(below)  # relative: to an open folder


def killed_at(number: int, work: Callable[[], object], below: str = "") -> bool:
    """Do the work in a process of its own that is killed at its n-th touch; whether it was."""
    child = os.fork()
    if child == 0:
        at_touch(number, _kill, work, below)
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def killed_after(
    seconds: float, work: Callable[[], object], number: int = 0, below: str = ""
) -> None:
    """The same, killed from outside at a moment that nobody chose; counted from its n-th touch."""
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        at_touch(number, lambda: os.write(tell, b"."), work, below)
        os._exit(0)
    os.close(tell)
    if number:
        os.read(ready, 1)
    os.close(ready)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
