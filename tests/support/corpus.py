"""Documents that people wrote. They are theirs, and kept outside the project.

Their folder is named by `EVENTGEN_CORPUS`, or is `../shared/corpus` beside the project.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from eventgen.model import Service
from eventgen.model.config import Config, Database, Perspective
from eventgen.spec.addresses import Refusal
from eventgen.spec.load import load


def folder() -> Path:
    """The folder with `manifest.jsonl` and the documents.

    Without it a test is skipped, but for continuous integration, where it fails.
    """
    beside = Path(__file__).parents[3] / "shared" / "corpus"
    found = Path(os.environ.get("EVENTGEN_CORPUS") or beside)
    if not (found / "manifest.jsonl").is_file():
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing(f"there are no documents in {found}; EVENTGEN_CORPUS may name their folder")
    return found


def fetch(url: str) -> bytes | Refusal:
    """What stood behind a URL when the documents were gathered. Nothing is read from a network."""
    root = folder()
    stored = _stored(root).get(url)
    if stored is None:
        return Refusal("remote-reference", f"`{url}` is not among the documents")
    return (root / stored).read_bytes()


@cache
def _stored(root: Path) -> dict[str, str]:
    by_url: dict[str, str] = json.loads((root / "remote_map.json").read_text(encoding="utf-8"))
    return by_url


@cache
def services() -> tuple[tuple[str, Service], ...]:
    """The documents that services are generated from, by the path below the folder."""
    return tuple(_services(folder()))


def _services(root: Path) -> Iterator[tuple[str, Service]]:
    for line in (root / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        name = json.loads(line)["local"]
        config = Config(
            spec=name,
            broker="kafka",
            database=Database.SQLITE,
            v2_perspective=Perspective.APPLICATION,
        )
        loaded = load(root / name, config, name, root=root, fetch=fetch)
        if loaded.service is not None and not _has_unread(loaded.service):
            yield name, loaded.service


def _has_unread(service: Service) -> bool:
    """Whether a payload is in a language, or of types, that nothing can be generated from."""
    payloads = (message.foreign_payload for message in service.messages)
    return any(one is not None and one.wire is None for one in payloads)
