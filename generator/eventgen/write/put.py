"""Writes one file that belongs to no project: whole, or not at all."""

from __future__ import annotations

import secrets
from pathlib import Path


def put(path: Path, content: bytes) -> None:
    """Write a file, and its folder when that is missing. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f".{path.name[:20]}-{secrets.token_hex(8)}")
    try:
        with staged.open("xb") as file:
            file.write(content)
        staged.replace(path)
    except OSError:
        staged.unlink(missing_ok=True)
        raise
