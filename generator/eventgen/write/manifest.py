"""What eventgen wrote into a project, with hashes: how it tells its own work from a person's.

A text file, one sorted line a file, so that it can be reviewed and merged:

    eventgen-manifest 1
    <sha256 of the content, line ends as LF> <owner> <path>

Git merges it by union, so a path may stand there twice: a file that is like either is ours.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from eventgen.plan.kinds import Owner

PATH = ".eventgen/manifest"
_HEADER = "eventgen-manifest 1"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file eventgen wrote."""

    path: str
    digests: tuple[str, ...]
    owner: Owner


def digest(content: bytes) -> str:
    """The hash of a file's content. CRLF and LF are the same file."""
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()


def dump(entries: Iterable[Entry]) -> str:
    """The manifest's text."""
    in_order = sorted(entries, key=lambda entry: entry.path)
    lines = (f"{one} {e.owner.value} {e.path}" for e in in_order for one in e.digests)
    return "\n".join([_HEADER, *lines]) + "\n"


def parse(text: str) -> Mapping[str, Entry]:
    """The entries by path. Lines that make no sense, or point outside the project, are ignored."""
    entries: dict[str, Entry] = {}
    owners = {owner.value: owner for owner in Owner}
    for line in text.splitlines()[1:]:
        parts = line.split(" ", 2)
        if len(parts) == 3 and parts[1] in owners and is_inside(parts[2]):
            before = entries[parts[2]].digests if parts[2] in entries else ()
            digests = before if parts[0] in before else (*before, parts[0])
            entries[parts[2]] = Entry(parts[2], digests, owners[parts[1]])
    return entries


def is_inside(path: str) -> bool:
    """Whether a relative path, as text, stays inside the project and out of its repository."""
    pure = PurePosixPath(path)
    parts = pure.parts
    return not (
        pure.is_absolute()
        or not parts
        or ".." in parts
        or parts[0].casefold() == ".git"
        or "\\" in path
        or ":" in path
        or "\n" in path
        or "\0" in path
    )
