"""`eventgen update`: what is newer in the template arrives, and what a person wrote stays."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.releases import Installed, commit, edit, git, repository

OK, FINDINGS, USAGE, INVALID, REFUSED, CONFLICTS, ENVIRONMENT = range(7)

Released = Mapping[str, Installed]


def files(root: Path) -> dict[str, bytes]:
    """What git knows, or would."""
    listed = git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    paths = (root / path for path in listed.split("\0")[:-1])
    return {
        path.relative_to(root).as_posix(): path.read_bytes() for path in paths if path.is_file()
    }


def skeleton(root: Path) -> dict[str, bytes]:
    """The same without what is generated, which is always that of the eventgen that ran."""
    generated = ("migrations/versions/", ".eventgen/")
    return {path: text for path, text in files(root).items() if not path.startswith(generated)}


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


def test_what_a_person_wrote_is_merged_and_follows_a_renamed_file(
    released: Released, project: Path
) -> None:
    edit(project / "README.md", "## What is generated", "Mine.\n\n## What is generated")
    edit(project / "Makefile", "down: ##", "mine: ## mine\n\techo mine\n\ndown: ##")
    edit(project / "src/orders/handlers/on_payment_failed.py", "import", "# mine\nimport")
    commit(project)

    made = released["1.0.0"].eventgen("update", cwd=project)

    assert made.returncode == OK, made.stderr
    assert "renamed  Makefile -> tasks.mk" in made.stderr
    assert "removed  .dockerignore" in made.stderr
    readme = (project / "README.md").read_text("utf-8")
    for line in ("Mine.", "## In the first minute", "## Your code"):
        assert line in readme
    assert "mine: ## mine\n\techo mine\n" in (project / "tasks.mk").read_text("utf-8")
    assert not (project / "Makefile").exists()
    assert "# mine" in (project / "src/orders/handlers/on_payment_failed.py").read_text("utf-8")
    assert "_commit: v1.0.0" in (project / ".copier-answers.yml").read_text("utf-8")


def test_what_does_not_fit_is_a_conflict_in_git_and_can_be_taken_back(
    released: Released, project: Path
) -> None:
    edit(project / "README.md", "## First steps", "## My first steps")
    edit(project / ".dockerignore", "*", "*\n# mine")
    before = files(commit(project))

    made = released["1.0.0"].eventgen("update", cwd=project)

    assert made.returncode == CONFLICTS
    assert "conflict README.md" in made.stderr
    assert "git reset --merge" in made.stderr
    unmerged = git(project, "diff", "--name-only", "--diff-filter=U").split()
    assert unmerged == [".dockerignore", "README.md"]
    readme = (project / "README.md").read_text("utf-8")
    at = [readme.index(word) for word in ("## My", "||||||| ", "## First", "=======", "## In the")]
    assert at == sorted(at)
    assert "(template 1.0.0)" in readme
    assert "# mine" in (project / ".dockerignore").read_text("utf-8")
    assert "_commit: v1.0.0" in (project / ".copier-answers.yml").read_text("utf-8")
    again = released["1.0.0"].eventgen("update", "--check", cwd=project)
    assert again.returncode == ENVIRONMENT
    assert ".dockerignore, README.md still in conflict" in again.stderr
    git(project, "reset", "--merge")
    assert files(project) == before
    assert git(project, "status", "--porcelain") == ""


def test_a_rehearsal_says_what_would_happen_and_leaves_no_trace(
    released: Released, project: Path
) -> None:
    edit(project / "README.md", "## First steps", "## My first steps")
    commit(project)
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}

    made = released["1.0.0"].eventgen("update", "--dry-run", cwd=project)

    assert made.returncode == OK, made.stderr
    assert "conflict README.md" in made.stderr
    assert "renamed  Makefile -> tasks.mk" in made.stderr
    assert "nothing was written" in made.stderr
    after = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    changed = {path.name for path in before | after if before.get(path) != after.get(path)}
    assert changed <= {"lock"}


def test_check_says_whether_there_is_an_update(released: Released, project: Path) -> None:
    (project / "notes.txt").write_text("not committed, which is no matter here")

    newer = released["0.3.0"].eventgen("update", "--check", cwd=project)
    same = released["0.1.0"].eventgen("update", "--check", cwd=project)

    assert (newer.returncode, newer.stdout) == (FINDINGS, "template: 0.1.0 -> 0.3.0\n")
    assert (same.returncode, same.stdout) == (OK, "")


def test_any_version_that_is_known_can_be_asked_for(
    released: Released, pristine: Mapping[str, Path], project: Path
) -> None:
    newest = released["1.0.0"]
    made = newest.eventgen("update", "--to", "v0.2.0", cwd=project)
    assert made.returncode == OK, made.stderr
    assert skeleton(project) == skeleton(pristine["0.2.0"])

    unknown = newest.eventgen("update", "--to", "0.2.5", cwd=commit(project))
    assert unknown.returncode == ENVIRONMENT
    assert "there are: 0.1.0, 0.2.0, 0.3.0, 1.0.0" in unknown.stderr

    back = newest.eventgen("update", "--to", "0.1.0", cwd=project)
    assert back.returncode == OK, back.stderr
    assert skeleton(project) == skeleton(pristine["0.1.0"])


def test_an_older_eventgen_leaves_a_newer_project_alone(
    released: Released, pristine: Mapping[str, Path]
) -> None:
    made = released["0.2.0"].eventgen("update", cwd=pristine["1.0.0"])

    assert made.returncode == ENVIRONMENT
    assert "install a newer eventgen" in made.stderr
    assert git(pristine["1.0.0"], "status", "--porcelain") == ""


def test_another_brokers_skeleton_is_merged_too(released: Released, project: Path) -> None:
    edit(project / "pyproject.toml", '"uvicorn>=0.40,<1",', '"uvicorn>=0.40,<1",\n  "mine>=1",')
    edit(project / "eventgen.yaml", "broker: kafka", "broker: rabbitmq")
    commit(project)
    check = released["0.1.0"].eventgen("update", "--check", cwd=project)
    assert check.stdout == "broker: kafka -> rabbitmq\n"

    told = released["0.1.0"].eventgen("generate", cwd=project)
    assert 'add "aio-pika>=10.2,<11" to the dependencies' in told.stderr
    made = released["0.1.0"].eventgen("update", cwd=commit(project))

    assert made.returncode == OK, made.stderr
    assert "aio-pika" in (project / "pyproject.toml").read_text("utf-8")
    assert '"mine>=1"' in (project / "pyproject.toml").read_text("utf-8")
    assert "confluent-kafka" not in (project / "pyproject.toml").read_text("utf-8")
    assert "broker: rabbitmq" in (project / ".copier-answers.yml").read_text("utf-8")
    assert "aio-pika" not in made.stderr


def test_what_generate_refuses_is_refused_before_anything_is_merged(
    released: Released, project: Path
) -> None:
    generated = project / "src/orders/_generated/topology.py"
    generated.write_text(generated.read_text("utf-8") + "# mine\n", encoding="utf-8")
    before = files(commit(project))
    edited = released["0.3.0"].eventgen("update", cwd=project)
    assert edited.returncode == REFUSED
    assert "-# mine" in edited.stderr
    assert files(project) == before

    (project / "asyncapi.yaml").write_text("asyncapi: [")
    before = files(commit(project))
    broken = released["0.3.0"].eventgen("update", cwd=project)
    assert broken.returncode == INVALID
    assert files(project) == before
    assert git(project, "status", "--porcelain") == ""


def test_what_was_deleted_stays_deleted(released: Released, project: Path) -> None:
    (project / "Dockerfile").unlink()
    (project / "Makefile").rename(project / "own.mk")
    commit(project)

    made = released["1.0.0"].eventgen("update", cwd=project)

    assert made.returncode == OK, made.stderr
    assert "left out Dockerfile: you deleted it" in made.stderr
    assert not (project / "Dockerfile").exists()
    assert (project / "own.mk").is_file()


def refusals() -> dict[str, tuple[str, str]]:
    """What a user may find their project in, as a shell script, and what they are told."""
    return {
        "changed": ("echo mine >> README.md", "git stash --include-untracked"),
        "untracked": ("echo mine > mine.txt", "git stash --include-untracked"),
        "untracked, and never shown": (
            "git config status.showUntrackedFiles no && echo mine > mine.txt",
            "git stash --include-untracked",
        ),
        "staged": ("echo mine >> README.md && git add README.md", "not committed"),
        "no repository": ("rm -rf .git", "git init"),
        "no commit": ("rm -rf .git && git init -q && git add -A", "git commit"),
        "ignored": (
            "rm -rf .git && echo '*' > ../.gitignore && git -C .. init -q",
            "the project is not committed",
        ),
        "in the way": (
            "echo .editorconfig >> .gitignore && git commit -qam x && echo mine > .editorconfig",
            "move away what is in the way",
        ),
        "another template": (
            "sed -i s,gh:eventgen,gh:acme, .copier-answers.yml && git commit -qam x",
            "copier update",
        ),
        "a commit that is no release": (
            "sed -i s,v0.1.0,v0.1.0-3-gabcdef0, .copier-answers.yml && git commit -qam x",
            "copier update",
        ),
        "no answers": ("git rm -q .copier-answers.yml && git commit -qm x", "eventgen new"),
        "no answers in it": (
            "echo 'hello: world' > .copier-answers.yml && git commit -qam x",
            "does not say",
        ),
        "an answer that leads out": (
            "sed -i 's,^package: .*,package: ../../out,' .copier-answers.yml && git commit -qam x",
            "`package: ../../out`",
        ),
    }


def shell(script: str, folder: Path) -> None:
    """Do something to a project."""
    names = {"GIT_AUTHOR_NAME": "ada", "GIT_COMMITTER_NAME": "ada"}
    emails = {"GIT_AUTHOR_EMAIL": "ada@example.org", "GIT_COMMITTER_EMAIL": "ada@example.org"}
    env = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, **names, **emails}
    subprocess.run(["sh", "-ec", script], cwd=folder, env=env, check=True)


def on_disk(root: Path) -> dict[Path, bytes]:
    """All files of a project, but for git's own and the lock, which stays where it was made."""
    return {
        path: path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and ".git" not in path.parts and path.name != "lock"
    }


@pytest.mark.parametrize("situation", refusals())
def test_what_cannot_be_merged_is_refused_with_what_to_do(
    situation: str, released: Released, project: Path
) -> None:
    script, told = refusals()[situation]
    shell(script, project)
    before = on_disk(project)

    made = released["0.3.0"].eventgen("update", cwd=project)

    assert made.returncode == ENVIRONMENT, made.stderr
    assert told in made.stderr
    assert on_disk(project) == before
    beside = {path.name for path in project.parent.iterdir()}
    assert beside <= {"orders", ".git", ".gitignore"}


@pytest.mark.parametrize(
    "configured",
    [
        "echo exit 1 | tee .git/hooks/pre-commit .git/hooks/post-checkout; chmod +x .git/hooks/*",
        "git config commit.gpgSign true; git config gpg.program false",
        "git config core.autocrlf true; git config core.safecrlf true",
        "git config rerere.enabled true; git config rerere.autoUpdate true",
        "git config diff.noprefix true; git config diff.renames false",
        "git config merge.renames false; git config merge.conflictStyle merge",
        "git config core.quotePath true; git config color.ui always",
        "git clone -q --depth 1 file://$PWD ../shallow; rm -rf .git; mv ../shallow/.git .git",
        pytest.param(
            "git clone -q . ../main; rm -rf .git; cd ../main; git worktree add -q ../tree; "
            "mv ../tree/.git ../orders; git worktree repair ../orders",
            id="a worktree",
        ),
    ],
)
def test_how_a_repository_is_configured_changes_nothing(
    configured: str, released: Released, pristine: Mapping[str, Path], project: Path
) -> None:
    shell(configured, project)

    made = released["1.0.0"].eventgen("update", cwd=project)

    assert made.returncode == OK, made.stderr
    assert files(project) == files(pristine["1.0.0"])


def test_a_project_in_a_folder_of_a_larger_repository(
    released: Released, pristine: Mapping[str, Path], tmp_path: Path
) -> None:
    whole = tmp_path / "whole"
    project = whole / "services" / "orders shop"
    shutil.copytree(pristine["0.1.0"], project, ignore=shutil.ignore_patterns(".git"))
    (whole / "Makefile").write_text("theirs\n")
    repository(whole)
    (whole / "Makefile").write_text("being worked on\n")

    made = released["1.0.0"].eventgen("update", cwd=project / "src")

    assert made.returncode == OK, made.stderr
    assert files(project) == files(pristine["1.0.0"])
    assert git(whole, "diff", "--name-only") == "Makefile\n"
    git(whole, "reset", "--merge")
    assert files(project) == files(pristine["0.1.0"])
    git(whole, "add", "Makefile")
    refused = released["1.0.0"].eventgen("update", cwd=project)
    assert refused.returncode == ENVIRONMENT
    assert "elsewhere in the repository" in refused.stderr


def test_it_runs_in_a_hook_of_another_repository(
    released: Released, pristine: Mapping[str, Path], project: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "theirs").write_text("theirs")
    repository(other)
    env = {"GIT_DIR": str(other / ".git"), "GIT_INDEX_FILE": str(other / ".git" / "index")}

    made = released["0.3.0"].eventgen("update", cwd=project, **env)

    assert made.returncode == OK, made.stderr
    assert files(project) == files(pristine["0.3.0"])
    assert git(other, "status", "--porcelain") == ""


def test_no_network_and_no_settings_of_copier_are_asked(
    released: Released, pristine: Mapping[str, Path], project: Path, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import socket\n\n\ndef refuse(*_):\n    raise SystemExit('network')\n\n\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
    )
    (tmp_path / "settings.yml").write_text('defaults: {region: "mars", python: "3.11"}\n')
    newest = released["0.3.0"]
    env = {
        "PYTHONPATH": f"{newest.folder}{os.pathsep}{tmp_path}",
        "GIT_ALLOW_PROTOCOL": "",
        "COPIER_SETTINGS_PATH": str(tmp_path / "settings.yml"),
    }

    made = newest.eventgen("update", cwd=project, **env)

    assert made.returncode == OK, made.stderr
    assert files(project) == files(pristine["0.3.0"])


def test_without_git_it_says_so(released: Released, project: Path, tmp_path: Path) -> None:
    made = released["0.3.0"].eventgen("update", cwd=project, PATH=str(tmp_path))

    assert made.returncode == ENVIRONMENT
    assert "there is no `git`" in made.stderr


def test_lines_that_end_as_on_windows_are_no_conflict(released: Released, project: Path) -> None:
    (project / ".gitattributes").write_text("* -text\n")
    readme = project / "README.md"
    mine = readme.read_text("utf-8").replace("What is generated", "What is mine")
    readme.write_bytes(mine.replace("\n", "\r\n").encode())
    commit(project)

    made = released["0.3.0"].eventgen("update", cwd=project)

    assert made.returncode == OK, made.stderr
    assert b"## In the first minute" in readme.read_bytes()
    assert b"## What is mine\r\n" in readme.read_bytes()
