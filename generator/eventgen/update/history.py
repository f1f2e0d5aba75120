"""The template of every version that was released, and of this one.

`templates/history/` holds a patch for each release, which makes its template out of that of the
release before: see the README there. They are applied by git, which an update needs anyway.
"""

from __future__ import annotations

import re
from pathlib import Path

from eventgen import __version__
from eventgen.git import Git
from eventgen.render.templates import data_root
from eventgen.scaffold import copy_template

_PATCH = re.compile(r"(?P<version>\d+\.\d+\.\d+)\.patch")
# What a user has configured about line ends and white space is about their own files.
_TO_THE_BYTE = ("-c", "core.autocrlf=false", "-c", "apply.ignoreWhitespace=no")


def versions() -> tuple[str, ...]:
    """Every version whose template is known, the oldest first."""
    return tuple(sorted({*_patches(), __version__}, key=order))


def order(version: str) -> tuple[int, ...]:
    """What versions are sorted by."""
    return tuple(int(part) for part in re.findall(r"\d+", version))


def check_out(version: str, folder: Path) -> None:
    """Put the template of a known version into a folder that is not there yet."""
    if version == __version__:
        copy_template(folder)
        return
    folder.mkdir(parents=True)
    patches = [path for one, path in _patches().items() if order(one) <= order(version)]
    # A folder for temporary files may be inside of somebody's repository.
    alone = {"GIT_CEILING_DIRECTORIES": str(folder.resolve().parent)}
    Git(folder, alone).run(*_TO_THE_BYTE, "apply", "--whitespace=nowarn", *map(str, patches))


def _patches() -> dict[str, Path]:
    """The released versions, the oldest first, and the patch of each."""
    folder = data_root() / "templates" / "history"
    found = ((_PATCH.fullmatch(path.name), path) for path in folder.iterdir())
    known = {match["version"]: path for match, path in found if match}
    return dict(sorted(known.items(), key=lambda one: order(one[0])))
