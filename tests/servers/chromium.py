"""Chromium, in which the tests look at pages."""

from __future__ import annotations

import shutil

from tests.servers.base import Missing, apt_install


def find() -> str:
    """Where Chromium is. Missing if it is nowhere."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found is not None:
            return found
    raise Missing("chromium: not on PATH. Run `python -m tests.servers install`")


def install() -> str:
    """Install Chromium by apt."""
    try:
        return find()
    except Missing:
        apt_install("chromium")
        return find()
