"""Four releases of the template, and a project made from the first one."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support import releases
from tests.support.releases import EDITORCONFIG, EDITS, TEMPLATE, Installed


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Installed]:
    """Each release, installed in a place of its own, one with a space in its path."""
    source = releases.checkout(tmp_path_factory.mktemp("checkout"))
    skeleton = source / TEMPLATE
    installed = {}
    for version, edits in EDITS.items():
        if version == "0.2.0":
            (skeleton / ".editorconfig.jinja").write_text(EDITORCONFIG)
        if version == "1.0.0":
            (skeleton / "Makefile.jinja").rename(skeleton / "tasks.mk.jinja")
            (skeleton / ".dockerignore.jinja").unlink()
        releases.release(source, version, edits)
        site = tmp_path_factory.mktemp(f"site packages {version}")
        installed[version] = releases.install(source, site, version)
        if version >= "0.3.0":
            add_migration(installed[version])
    return installed


LATER = """\
from alembic import op
import sqlalchemy as sa

revision = "0003_eventgen"
down_revision = "0002_eventgen"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("later", sa.Column("id", sa.Integer, primary_key=True))
    op.add_column("inbox", sa.Column("later", sa.Text))


def downgrade() -> None:
    op.drop_column("inbox", "later")
    op.drop_table("later")
"""


def add_migration(installed: Installed) -> None:
    """Let a release change the runtime's tables."""
    folder = installed.data / "templates/common/migrations"
    (folder / "0003_eventgen_later.py").write_text(LATER, encoding="utf-8")
    outputs = installed.folder / "eventgen/plan/outputs.py"
    releases.edit(outputs, '"0002_eventgen_flow"', '"0002_eventgen_flow", "0003_eventgen_later"')


@pytest.fixture(scope="session")
def pristine(
    released: Mapping[str, Installed], tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Path]:
    """A new project of each release, for Kafka, all committed."""
    made = {}
    for version, installed in released.items():
        folder = tmp_path_factory.mktemp(f"new-{version}")
        new = installed.eventgen("new", "service", "orders", "--broker", "kafka", cwd=folder)
        assert new.returncode == 0, new.stderr
        made[version] = releases.repository(folder / "orders")
    return made


@pytest.fixture
def project(pristine: Mapping[str, Path], tmp_path: Path) -> Path:
    """A copy of the project that was made from 0.1.0, for one test."""
    return shutil.copytree(pristine["0.1.0"], tmp_path / "orders", symlinks=True)
