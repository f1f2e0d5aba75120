"""`--allow-remote`: what a command may read from other machines, and what it locks."""

from __future__ import annotations

from pathlib import Path

from eventgen.commands import project
from eventgen.commands.exits import Exit, Stop
from eventgen.plan.kinds import Owner
from eventgen.remote import lock
from eventgen.remote.reader import Reader
from eventgen.spec.addresses import Fetch
from eventgen.write.put import put
from eventgen.write.reconcile import Deed, Step


def place(spec: Path) -> Path:
    """The folder whose lock counts for a specification: its project's, or else its own."""
    return project.around(spec.parent) or spec.parent


def reader(folder: Path, *, allowed: bool) -> Reader:
    """What reads remote files for the specification or project in `folder`."""
    cache = project.cache_folder()
    return Reader(
        locked=_locked(folder / project.LOCK),
        cache=None if cache is None else cache / "remote",
        web=_web() if allowed else None,
    )


def _web() -> Fetch:
    from eventgen.remote import web  # noqa: PLC0415  - HTTP and TLS, which few runs need

    return web.get


def step(reader: Reader, folder: Path) -> tuple[Step, ...]:
    """The step that makes the lock of `folder` hold what was read, if it does not yet."""
    path = folder / project.LOCK
    before = path.read_bytes() if path.is_file() else None
    known = {} if before is None else reader.locked
    if reader.used.items() <= known.items():
        return ()
    deed = Deed.CREATE if before is None else Deed.UPDATE
    return (Step(project.LOCK, deed, Owner.GIFT, before, lock.dump({**known, **reader.used})),)


def keep(reader: Reader, folder: Path) -> None:
    """Lock what was read for a specification that has no project."""
    for one in step(reader, folder):
        put(folder / one.path, (one.after or "").encode())


def _locked(path: Path) -> dict[str, lock.Locked]:
    if not path.is_file():
        return {}
    try:
        return dict(lock.parse(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise Stop(
            Exit.INVALID,
            f"{path.name} cannot be used: {error}",
            "take it from git again, or remove it and lock anew with `--allow-remote`",
        ) from error
