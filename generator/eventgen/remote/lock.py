"""`eventgen.lock`: what each remote file held when it was first read.

It is committed with the specification, so that everybody reads the same: JSON, sorted by URL.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Locked:
    """A remote file's content. `size` is in bytes."""

    sha256: str
    size: int


def lock(content: bytes) -> Locked:
    """What is remembered of a content."""
    return Locked(hashlib.sha256(content).hexdigest(), len(content))


def dump(locked: Mapping[str, Locked]) -> str:
    """The lock's text."""
    remote = {url: {"sha256": one.sha256, "size": one.size} for url, one in locked.items()}
    document = {"version": _VERSION, "remote": remote}
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def parse(text: str) -> Mapping[str, Locked]:
    """What is locked, by URL. Raises ValueError when this is no lock, as after a merge conflict."""
    try:
        document = json.loads(text)
        if document["version"] != _VERSION:
            raise ValueError(f"its version is not {_VERSION}")
        return {
            str(url): Locked(str(one["sha256"]), int(one["size"]))
            for url, one in document["remote"].items()
        }
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("it is not as eventgen wrote it") from error
