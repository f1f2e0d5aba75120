"""npm, which fetches the official schemas of AsyncAPI for the tests."""

from __future__ import annotations

import shutil

from tests.servers.base import Missing, apt_install


def find() -> str:
    """Where npm is. Missing if it is nowhere."""
    found = shutil.which("npm")
    if found is None:
        raise Missing("npm: not on PATH. Run `python -m tests.servers install`")
    return found


def install() -> str:
    """Install npm by apt."""
    try:
        return find()
    except Missing:
        apt_install("npm")
        return find()
