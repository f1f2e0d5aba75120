"""`eventgen update`: what is newer in the template arrives, and what a person wrote stays."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.releases import Installed, commit, edit, git

OK, FINDINGS, USAGE, INVALID, REFUSED, CONFLICTS, ENVIRONMENT = range(7)

Released = Mapping[str, Installed]


def files(root: Path) -> dict[str, bytes]:
    """What git knows, or would."""
    listed = git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    paths = (root / path for path in listed.split("\0")[:-1])
    return {
        path.relative_to(root).as_posix(): path.read_bytes() for path in paths if path.is_file()
    }


@pytest.mark.parametrize("version", ["0.2.0", "0.3.0", "1.0.0"])
def test_a_project_that_nobody_edited_becomes_what_new_makes(
    version: str, released: Released, pristine: Mapping[str, Path], project: Path
) -> None:
    made = released[version].eventgen("update", cwd=project)

    assert made.returncode == OK, made.stderr
    assert files(project) == files(pristine[version])
    assert git(project, "diff", "--name-only") == ""  # all of it is staged
    commit(project)
    again = released[version].eventgen("update", cwd=project)
    assert again.returncode == OK
    assert "up to date with template" in again.stderr
    assert git(project, "status", "--porcelain") == ""
