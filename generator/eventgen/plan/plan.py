"""(Subject, Broker) -> the files of one generation, each with its template, view and owner."""

from __future__ import annotations

from eventgen.plan import build
from eventgen.plan.broker import Broker
from eventgen.plan.kinds import FileKind, PlannedFile, Subject
from eventgen.plan.outputs import EXAMPLE, table


def plan(subject: Subject, broker: Broker) -> tuple[PlannedFile, ...]:
    """Every file the service consists of, sorted by path.

    The example's own files take the place of the stubs they are the finished form of.
    """
    files = _place(subject, table(subject, broker))
    if subject.example:
        files |= _place(subject, EXAMPLE)
    return tuple(files[path] for path in sorted(files))


def _place(subject: Subject, kinds: tuple[FileKind, ...]) -> dict[str, PlannedFile]:
    """The files of some rows, by path.

    Two rows may not plan one path: that would be a bug in a table, or two names that were not
    made unique, and raises.
    """
    package = build.package(subject)
    files: dict[str, PlannedFile] = {}
    for kind in kinds:
        for view in kind.each(subject):
            path = kind.path.format(package=package, item=view.item)
            if path in files:
                both = f"{files[path].template} and {kind.template}"
                raise RuntimeError(f"two templates write {path}: {both}")
            files[path] = PlannedFile(path, kind.template, view.value, kind.owner)
    return files
