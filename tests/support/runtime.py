"""The runtime as one importable package named `runtime`, as a service would carry it.

Its files lie in `templates/runtime/`, in one folder of `templates/brokers/` for each broker, and in
the tests' plug-in. A generated service gets copies side by side; the tests import links.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic.migration import MigrationContext
from alembic.operations import Operations

if TYPE_CHECKING:
    from sqlalchemy import Connection

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "tests" / "plugin"
MIGRATIONS = sorted((ROOT / "templates" / "common" / "migrations").glob("*.py"))


def assemble(target: Path) -> Path:
    """Make the package `target/runtime` of links to every file of the runtime; its folder."""
    package = target / "runtime"
    package.mkdir(parents=True)
    for templates in (ROOT / "templates", PLUGIN / "eventgen_shelf" / "templates"):
        for file in (*templates.glob("runtime/*.py"), *templates.glob("brokers/*/*.py")):
            (package / file.name).symlink_to(file)
    (package / "py.typed").touch()
    return package


@cache
def importable() -> Path:
    """Assemble the package once in this process and make `import runtime` work.

    Returns the folder to put on a child process's PYTHONPATH.
    """
    folder = Path(tempfile.mkdtemp(prefix="eventgen-runtime-"))
    atexit.register(_remove, folder, os.getpid())
    assemble(folder)
    sys.path.insert(0, str(folder))
    return folder


def _remove(folder: Path, pid: int) -> None:
    if os.getpid() == pid:  # not in a child that was forked
        shutil.rmtree(folder, ignore_errors=True)


async def create_tables(database: Any) -> None:
    """Apply the migrations that every service begins with to an open database."""
    async with database.engine.begin() as connection:
        await connection.run_sync(_upgrade)


def migrations() -> list[Any]:
    """The migrations' modules, in order."""
    return [_module(file) for file in MIGRATIONS]


def _module(file: Path) -> Any:
    spec = spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _upgrade(connection: Connection) -> None:
    with Operations.context(MigrationContext.configure(connection)):
        for migration in migrations():
            migration.upgrade()
