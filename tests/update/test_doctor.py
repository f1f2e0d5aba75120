"""`eventgen doctor`: what is wrong around a project, and that what it advises mends it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from eventgen.commands import ailments

from tests.support.releases import Installed, commit, edit, git

Released = Mapping[str, Installed]
TOPOLOGY = "src/orders/_generated/topology.py"
HANDLER = "src/orders/handlers/on_payment_failed.py"


def rows(stdout: str) -> dict[str, str]:
    """Check -> the worst that is said of it."""
    said: dict[str, str] = {}
    for line in stdout.splitlines():
        if not line.startswith(" "):
            grade, name = line.split(":")[0].split()
            said[name] = grade if said.get(name) != "wrong" else "wrong"
    return said


ALL_WELL = dict.fromkeys((check.name for check in ailments.CHECKS), "ok")


def test_nothing_is_wrong_with_a_new_project(released: Released, project: Path) -> None:
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}

    seen = released["0.1.0"].eventgen("doctor", cwd=project / "src")

    assert (seen.returncode, rows(seen.stdout)) == (0, ALL_WELL), seen.stdout
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before


def break_edited(root: Path) -> None:
    edit(root / TOPOLOGY, "import", "# mine\nimport")


def break_in_the_way(root: Path) -> None:
    manifest = root / ".eventgen/manifest"
    lines = [one for one in manifest.read_text().splitlines() if not one.endswith(TOPOLOGY)]
    manifest.write_text("\n".join(lines) + "\n")
    edit(root / TOPOLOGY, "import", "# mine\nimport")


def break_specification_drift(root: Path) -> None:
    edit(root / "asyncapi.yaml", "customer_id", "buyer_id")


def break_output(root: Path) -> None:
    (root / TOPOLOGY).unlink()


def break_specification(root: Path) -> None:
    (root / "asyncapi.yaml").write_text("asyncapi: [")


def break_configuration(root: Path) -> None:
    edit(root / "eventgen.yaml", "broker: kafka", "broker: kafak")


def break_orphans(root: Path) -> None:
    handler = root / "src/orders/handlers/on_gone.py"
    handler.write_text("# mine\n")
    manifest = root / ".eventgen/manifest"
    line = f"{'0' * 64} once src/orders/handlers/on_gone.py\n"
    manifest.write_text(manifest.read_text() + line)


def break_requirements(root: Path) -> None:
    edit(root / "pyproject.toml", '  "confluent-kafka>=2.16,<3",\n', "")


def break_broker(root: Path) -> None:
    edit(root / "eventgen.yaml", "broker: kafka", "broker: rabbitmq")


def break_repository(root: Path) -> None:
    git(root, "rm", "--quiet", "--cached", ".eventgen/manifest")


def break_conflict(root: Path) -> None:
    git(root, "checkout", "--quiet", "-b", "other")
    edit(root / "README.md", "## First steps", "## My steps")
    commit(root)
    git(root, "checkout", "--quiet", "main")
    edit(root / "README.md", "## First steps", "## Their steps")
    commit(root)
    with pytest.raises(Exception, match="returned non-zero"):
        git(root, "merge", "other")


def break_interrupted(root: Path) -> None:
    (root / ".eventgen/journal").write_text('{"moves": [], "folders": []}')


def break_git(root: Path) -> None:
    shutil.rmtree(root / ".git")


def break_template(root: Path) -> None:
    edit(root / ".copier-answers.yml", "_commit: v0.1.0", "_commit: v7.0.0")


def break_answers(root: Path) -> None:
    (root / ".copier-answers.yml").unlink()


# What is broken -> the row that says so, how badly, and a part of what it advises.
BROKEN = {
    break_edited: ("edited", "wrong", f"eventgen eject {TOPOLOGY}"),
    break_in_the_way: ("edited", "wrong", f"git mv {TOPOLOGY}"),
    break_specification_drift: ("generated", "wrong", "specification was edited"),
    break_output: ("generated", "wrong", "not as this eventgen writes"),
    break_specification: ("specification", "wrong", "eventgen check"),
    break_configuration: ("specification", "wrong", "There is no broker `kafak`"),
    break_orphans: ("orphans", "note", "git rm src/orders/handlers/on_gone.py"),
    break_requirements: ("requirements", "wrong", "confluent-kafka>=2.16,<3"),
    break_repository: ("repository", "wrong", "git add --force .eventgen/manifest"),
    break_conflict: ("repository", "wrong", "git add README.md"),
    break_interrupted: ("interrupted", "wrong", "eventgen generate"),
    break_git: ("git", "wrong", "git init"),
    break_template: ("template", "wrong", "pip install --upgrade"),
    break_answers: ("template", "wrong", "cannot be updated"),
}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda one: one.__name__.removeprefix("break_"))
def test_each_thing_that_is_wrong_is_named_with_its_remedy(
    broken: object, released: Released, project: Path
) -> None:
    assert callable(broken)
    name, grade, advice = BROKEN[broken]
    broken(project)

    seen = released["0.1.0"].eventgen("doctor", cwd=project)

    said = rows(seen.stdout)
    assert said[name] == grade, seen.stdout + seen.stderr
    assert seen.returncode == (1 if grade == "wrong" else 0)
    assert advice in seen.stdout
    others = {row: how for row, how in said.items() if row != name}
    assert set(others.values()) <= {"ok", "unknown"}, seen.stdout
    assert ("unknown" in others.values()) == (name in ("specification", "git"))


def test_what_another_broker_needs_comes_with_an_update(released: Released, project: Path) -> None:
    break_broker(project)
    seen = released["0.1.0"].eventgen("doctor", cwd=project)
    assert "does not ask for aio-pika>=10.2,<11\n         -> eventgen update" in seen.stdout

    assert released["0.1.0"].eventgen("update", cwd=commit(project)).returncode == 0
    assert rows(released["0.1.0"].eventgen("doctor", cwd=project).stdout) == ALL_WELL


def test_what_generate_mends_is_mended(released: Released, project: Path) -> None:
    for broken in (break_specification_drift, break_output, break_interrupted):
        broken(project)
    edit(project / HANDLER, "import", "# mine\nimport")
    assert released["0.1.0"].eventgen("doctor", cwd=project).returncode == 1

    assert released["0.1.0"].eventgen("generate", cwd=project).returncode == 0
    assert released["0.1.0"].eventgen("doctor", cwd=project).returncode == 0


def test_a_newer_template_is_a_note_until_it_is_merged(released: Released, project: Path) -> None:
    newer = released["0.3.0"]
    before = newer.eventgen("doctor", cwd=project)
    assert newer.eventgen("update", cwd=project).returncode == 0
    after = newer.eventgen("doctor", cwd=project)

    assert "note     template: an update would bring template: 0.1.0 -> 0.3.0" in before.stdout
    assert "-> eventgen update" in before.stdout
    assert (after.returncode, rows(after.stdout)) == (0, ALL_WELL)


def test_without_git_the_rest_is_looked_at(
    released: Released, project: Path, tmp_path: Path
) -> None:
    seen = released["0.1.0"].eventgen("doctor", cwd=project, PATH=str(tmp_path))

    assert seen.returncode == 1
    assert "install git" in seen.stdout
    assert rows(seen.stdout) == ALL_WELL | {"git": "wrong", "repository": "unknown"}


def test_a_tool_of_the_wrong_version_is_named(
    released: Released, project: Path, tmp_path: Path
) -> None:
    info = tmp_path / "site" / "ruff-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ruff\nVersion: 0.1.0\n")
    installed = released["0.1.0"]
    seen = installed.eventgen("doctor", cwd=project, PYTHONPATH=f"{info.parent}:{installed.folder}")

    assert seen.returncode == 1
    assert "ruff is 0.1.0, and eventgen needs ~=0.17.0" in seen.stdout
    assert "pip install 'ruff~=0.17.0'" in seen.stdout


def test_outside_of_a_project_it_says_where_to_go(released: Released, tmp_path: Path) -> None:
    seen = released["0.1.0"].eventgen("doctor", cwd=tmp_path)
    assert seen.returncode == 2
    assert "eventgen new service" in seen.stderr
