"""Shelf: events in files, in a folder that every service can reach."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eventgen.plan.broker import Broker, Capabilities
from eventgen.plan.build import compose_view, package_view
from eventgen.plan.kinds import FileKind
from eventgen.plan.outputs import PARTITION_MODULES, runtime_files

_UNFIT = re.compile(r"[^A-Za-z0-9._{}-]+")


def destination(address: str) -> str:
    """What an address may contain that a file's name may not is a dash."""
    return _UNFIT.sub("-", address).strip(".-") or "events"


def options(_bindings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Documents say nothing about shelves."""
    return {}


BROKER = Broker(
    name="shelf",
    title="A shelf of files",
    requires=(),
    protocols=("shelf",),
    capabilities=Capabilities(
        ordering="files by key, each leased to one consumer",
        replay="offset",
        max_message_bytes=1_000_000,
    ),
    transport="shelf",
    address=destination,
    options=options,
    files=(
        FileKind("brokers/shelf/shelf.py", "src/{package}/_runtime/shelf.py", package_view),
        *runtime_files(*PARTITION_MODULES),
        FileKind("brokers/shelf/compose.yaml.j2", "compose.yaml", compose_view),
    ),
    templates=Path(__file__).parent / "templates",
)
