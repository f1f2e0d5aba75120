"""A file that belongs to no project is written whole, for whoever may read the others there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from eventgen.write.put import put


def test_it_is_for_everybody_that_the_umask_allows(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        put(tmp_path / "below" / "events.html", b"<!doctype html>")
    finally:
        os.umask(before)
    assert (tmp_path / "below" / "events.html").stat().st_mode & 0o777 == 0o644


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "events.html").mkdir()
    with pytest.raises(OSError, match=r"events\.html"):
        put(tmp_path / "events.html", b"<!doctype html>")
    assert [one.name for one in tmp_path.iterdir()] == ["events.html"]
