"""Migrations of the runtime: databases have them applied, so that they only ever grow in number."""

from __future__ import annotations

from hashlib import sha256
from itertools import pairwise

from eventgen.brokers import discover
from eventgen.plan.kinds import Owner
from eventgen.plan.outputs import MIGRATIONS, common

from tests.support.generate import ROOT
from tests.support.runtime import MIGRATIONS as FILES
from tests.support.runtime import migrations

LISTED = ROOT / "tests" / "released-migrations.sha256"


def test_a_migration_that_was_released_is_as_it_was() -> None:
    """After an edit: take it back, and write another migration.

    For a new one, add what `sha256sum` prints to the list, which then holds for good.
    """
    listed = dict(reversed(line.split("  ")) for line in LISTED.read_text("utf-8").splitlines())
    found = {file.name: sha256(file.read_bytes()).hexdigest() for file in FILES}
    assert found == listed


def test_each_migration_follows_the_one_before_it() -> None:
    revisions = migrations()

    assert [file.stem for file in FILES] == list(MIGRATIONS)
    assert revisions[0].down_revision is None
    for before, after in pairwise(revisions):
        assert after.down_revision == before.revision
    for number, migration in enumerate(revisions, 1):
        assert migration.revision == f"{number:04}_eventgen"
        assert migration.branch_labels is None
        assert migration.depends_on is None


def test_no_specification_and_no_broker_changes_a_migration() -> None:
    """They are copied as they are, into every service, and stay there as they were written."""
    for broker in discover().values():
        rows = {row.path: row for row in (*common(broker), *broker.files)}
        for name in MIGRATIONS:
            row = rows[f"migrations/versions/{name}.py"]
            assert row.template == f"common/migrations/{name}.py"
            assert row.owner is Owner.APPENDED
        assert sum("migrations/" in path for path in rows) == len(MIGRATIONS)
