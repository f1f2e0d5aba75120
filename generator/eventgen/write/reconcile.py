"""(rendered files, manifest, disk) -> what is to be done. Computed before anything is touched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import Enum

from eventgen.plan.kinds import Owner, RenderedFile
from eventgen.write.manifest import Entry, digest


class CaseTwinsError(OSError):
    """Two planned paths differ in case only."""


class Deed(Enum):
    """What happens to one path."""

    CREATE = "create"
    UPDATE = "update"
    KEEP = "keep"  # nothing to do
    REMOVE = "remove"  # no longer planned, and nobody has edited it
    ORPHAN = "orphan"  # no longer planned, but edited: left alone and reported
    EDITED = "edited"  # a generated file that somebody changed: refused
    IN_THE_WAY = "in the way"  # a file eventgen did not write stands where it must write


REFUSED = frozenset({Deed.EDITED, Deed.IN_THE_WAY})
CHANGES = frozenset({Deed.CREATE, Deed.UPDATE, Deed.REMOVE})
OURS = frozenset({Owner.TOOL, Owner.APPENDED})  # whose hand edits are refused


@dataclass(frozen=True, slots=True)
class Step:
    """One path's deed. `before` is what stands on disk (None: nothing), `after` what is to."""

    path: str
    deed: Deed
    owner: Owner
    before: bytes | None
    after: str | None


Read = Callable[[str], bytes | None]


def reconcile(
    files: Iterable[RenderedFile], manifest: Mapping[str, Entry], read: Read
) -> tuple[Step, ...]:
    """What to do about each path, sorted by path. `read` gives a file's bytes, or None."""
    planned = {file.path: file for file in files}
    _refuse_twins(planned)
    # Where case does not count, a file whose name changed in case only stands there already.
    folded = {path.casefold(): entry for path, entry in manifest.items()}
    steps = [
        _planned(file, manifest.get(path) or folded.get(path.casefold()), read(path))
        for path, file in planned.items()
    ]
    steps += [
        _unplanned(entry, content)
        for entry in manifest.values()
        if entry.path not in planned and (content := read(entry.path)) is not None
    ]
    return tuple(sorted(steps, key=lambda step: step.path))


def moved_to(orphan: Step, steps: Iterable[Step]) -> str | None:
    """The new file that the code of an orphan most likely belongs in: that with the nearest name.

    None when no file of its kind is new.
    """
    folder = orphan.path.rpartition("/")[0]
    new = [
        step.path
        for step in steps
        if step.deed is Deed.CREATE
        and step.owner is orphan.owner
        and step.path.rpartition("/")[0] == folder
    ]
    return next(iter(get_close_matches(orphan.path, new, 1, cutoff=0)), None)


def entries_after(steps: Iterable[Step], manifest: Mapping[str, Entry]) -> tuple[Entry, ...]:
    """The manifest that is true once the steps are done."""
    entries: dict[str, Entry] = {}
    for step in steps:
        if step.deed is Deed.REMOVE or step.owner is Owner.GIFT:
            continue
        known = manifest.get(step.path)
        # A person's file keeps the hash it was born with, which tells whether it was ever edited.
        born = step.owner is not Owner.TOOL and step.deed is not Deed.CREATE and known is not None
        if (born or step.after is None) and known is not None:
            entries[step.path] = replace(known, owner=step.owner)
        elif step.after is not None:
            entries[step.path] = Entry(step.path, (digest(step.after.encode()),), step.owner)
    return tuple(entries.values())


def _planned(file: RenderedFile, known: Entry | None, content: bytes | None) -> Step:
    if known is not None and known.owner is Owner.EJECTED and content is not None:
        return Step(file.path, Deed.KEEP, known.owner, content, file.text)
    return Step(file.path, _deed(file, known, content), file.owner, content, file.text)


def _deed(file: RenderedFile, known: Entry | None, content: bytes | None) -> Deed:
    if content is None:
        return Deed.KEEP if file.owner is Owner.STARTER and known else Deed.CREATE
    if digest(content) == digest(file.text.encode()):
        return Deed.KEEP
    if file.owner not in OURS:
        return Deed.KEEP
    if known is None:
        return Deed.IN_THE_WAY
    if digest(content) not in known.digests:
        return Deed.EDITED
    return Deed.UPDATE if file.owner is Owner.TOOL else Deed.KEEP


def _unplanned(entry: Entry, content: bytes) -> Step:
    if entry.owner is Owner.APPENDED:
        return Step(entry.path, Deed.KEEP, entry.owner, content, None)
    ours = entry.owner is not Owner.EJECTED and digest(content) in entry.digests
    deed = Deed.REMOVE if ours else Deed.ORPHAN
    return Step(entry.path, deed, entry.owner, content, None)


def _refuse_twins(paths: Iterable[str]) -> None:
    """Two names that differ in case only are one file on macOS and Windows."""
    seen: dict[str, str] = {}
    for path in paths:
        twin = seen.setdefault(path.casefold(), path)
        if twin != path:
            raise CaseTwinsError(
                f"`{twin}` and `{path}` would be one file where case does not count"
            )
