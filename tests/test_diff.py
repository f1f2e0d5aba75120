"""`eventgen diff` as its users meet it: files, folders, revisions and tags of a repository."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from eventgen import cli

OK, FINDINGS, USAGE, INVALID, ENVIRONMENT = 0, 1, 2, 3, 6
SHARED = "Money: {type: object, required: [amount], properties: {amount: {type: %s}}}\n"
SPEC = """\
asyncapi: 3.0.0
info: {title: Orders, version: 1.0.0}
channels:
  orders:
    address: orders
    messages:
      order.placed:
        name: order.placed
        payload:
          type: object
          required: [id]
          properties:
            id: {type: string}
            total: {$ref: 'shared/money.yaml#/Money'}
operations: {tell: {action: send, channel: {$ref: '#/channels/orders'}}}
"""
REQUIRED = SPEC.replace("required: [id]", "required: [id, total]")
OPTIONAL = SPEC.replace("required: [id]", "required: []")
ADDED = SPEC.replace("            id:", "            note: {type: string}\n            id:")


class Shown(NamedTuple):
    code: int
    out: str
    err: str


Diff = Callable[..., Shown]


@pytest.fixture
def diff(capsys: pytest.CaptureFixture[str]) -> Diff:
    def run(*arguments: str | Path) -> Shown:
        code = cli._guarded(["diff", *map(str, arguments)])
        shown = capsys.readouterr()
        return Shown(code, shown.out, shown.err)

    return run


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose project is in a folder of it, with what it refers to."""
    root = tmp_path / "service"
    write(root, SPEC)
    (root / "eventgen.yaml").write_text("spec: asyncapi.yaml\nbroker: embedded\n")
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    commit(tmp_path, "one")
    monkeypatch.chdir(root)
    return root


def write(root: Path, spec: str, amount: str = "number") -> None:
    (root / "shared").mkdir(parents=True, exist_ok=True)
    (root / "asyncapi.yaml").write_text(spec)
    (root / "shared" / "money.yaml").write_text(SHARED % amount)


def git(root: Path, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", root, *who, *arguments], check=True, capture_output=True)


def commit(root: Path, message: str) -> None:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", message)


def names(shown: Shown) -> list[str]:
    return [line.split("[")[1].split("]")[0] for line in shown.out.splitlines()]


def test_nothing_changed_since_a_revision(project: Path, diff: Diff) -> None:
    assert diff("main") == (OK, "", "nothing changed\n")


def test_a_revision_is_compared_with_what_is_there_now(project: Path, diff: Diff) -> None:
    write(project, REQUIRED)
    shown = diff("main", "--format", "concise")
    assert shown.code == FINDINGS
    assert shown.out == (
        "asyncapi.yaml:11:11: error[property-required] "
        "`order.placed` requires `total`, which was optional\n"
    )
    assert diff("HEAD").code == FINDINGS
    assert diff("main", "main").code == OK


def test_what_a_specification_refers_to_is_of_the_revision_as_well(
    project: Path, diff: Diff
) -> None:
    write(project, SPEC, "string")
    shown = diff("main")
    assert shown.code == FINDINGS
    assert "`total.amount` of `order.placed` is text, and was a number" in shown.out
    assert "--> shared/money.yaml:1:" in shown.out
    assert "::: main:service/shared/money.yaml:1:" in shown.out


def test_something_removed_is_shown_where_it_was(project: Path, diff: Diff) -> None:
    write(project, SPEC.replace("            total: {$ref: 'shared/money.yaml#/Money'}\n", ""))
    shown = diff("main", "--format", "concise")
    assert shown.out.startswith("main:service/asyncapi.yaml:14:13: note[property-removed]")


def test_a_file_of_a_revision_is_compared_with_that_file(project: Path, diff: Diff) -> None:
    write(project, REQUIRED)
    assert diff("main:service/asyncapi.yaml").code == FINDINGS
    assert diff("main:./asyncapi.yaml").code == FINDINGS
    assert diff("main:service/asyncapi.yaml", "asyncapi.yaml").code == FINDINGS
    shown = diff("main:nothing.yaml")
    assert shown.code == INVALID
    assert "there is no file `main:nothing.yaml`" in shown.err


def test_files_and_folders_are_compared(tmp_path: Path, diff: Diff) -> None:
    write(tmp_path / "old", SPEC)
    write(tmp_path / "new", REQUIRED)
    files = [tmp_path / name / "asyncapi.yaml" for name in ("old", "new")]
    for pair in (files, [file.parent for file in files]):
        assert names(diff(*pair, "--format", "concise")) == ["property-required"]
        assert names(diff(*pair[::-1], "--format", "concise")) == ["property-optional"]


@pytest.mark.parametrize(
    ("spec", "mode", "code"),
    [
        (REQUIRED, "full", FINDINGS),
        (REQUIRED, "backward", FINDINGS),
        (REQUIRED, "forward", OK),
        (OPTIONAL, "full", FINDINGS),
        (OPTIONAL, "backward", OK),
        (OPTIONAL, "forward", FINDINGS),
        (ADDED, "full", OK),
    ],
)
def test_a_mode_says_who_must_not_be_broken(
    spec: str, mode: str, code: int, project: Path, diff: Diff
) -> None:
    write(project, spec)
    shown = diff("main", "--mode", mode, "--format", "concise")
    assert shown.code == code
    assert len(names(shown)) == 1  # it is told of all the same


def test_a_new_major_version_beside_the_old_one_breaks_nobody(project: Path, diff: Diff) -> None:
    old = SPEC.partition("      order.placed:\n")[2].partition("operations:")[0]
    next_ = "      order.placed.2:\n" + old.replace("[id]", "[total]").replace(
        "        name: order.placed\n",
        "        name: order.placed\n        x-eventgen: {version: 2.0.0}\n",
    )
    write(project, SPEC.replace("operations:", f"{next_}operations:"))
    shown = diff("main", "--format", "concise")
    assert (shown.code, names(shown)) == (OK, ["something-added"])
    write(project, SPEC.replace("      order.placed:\n" + old, next_))
    shown = diff("main", "--format", "concise")
    assert (shown.code, names(shown)) == (FINDINGS, ["something-added", "message-removed"])
    assert "keep version 1.0.0 beside the new one" in diff("main").out


def test_every_tag_that_matches_is_compared(project: Path, diff: Diff) -> None:
    git(project, "tag", "v1")
    write(project, REQUIRED)
    commit(project, "two")
    git(project, "tag", "v2")
    write(project, ADDED.replace("required: [id]", "required: [id, total]"))
    shown = diff("--transitive", "v*", "--format", "concise")
    assert shown.code == FINDINGS
    assert names(shown) == ["property-required", "property-added"]
    assert diff("v2").code == OK
    assert diff("--transitive", "v2").code == OK
    assert diff("--transitive", "w*").code == USAGE


def test_a_tag_without_the_specification_is_passed_over(project: Path, diff: Diff) -> None:
    git(project, "tag", "v1")
    git(project, "mv", "asyncapi.yaml", "events.yaml")
    (project / "eventgen.yaml").write_text("spec: events.yaml\nbroker: embedded\n")
    commit(project, "two")
    git(project, "tag", "v2")
    shown = diff("--transitive", "v*")
    assert shown.code == OK
    assert "v1:service/events.yaml is not there, and not compared" in shown.err


def test_scripts_get_both_values_and_the_example(project: Path, diff: Diff) -> None:
    write(project, SPEC, "string")
    document = json.loads(diff("main", "--format", "json").out)
    assert (document["errors"], document["warnings"], document["notes"]) == (1, 0, 0)
    (found,) = document["findings"]
    assert found["details"]["path"] == "total.amount"
    assert (found["details"]["before"], found["details"]["after"]) == ("number", "string")
    examples = {
        party: one["example"]["total"]["amount"]
        for party, one in found["details"]["breaks"].items()
    }
    assert isinstance(examples["producers"], int | float)
    assert isinstance(examples["consumers"], str)


def test_code_hosts_get_errors_and_notices(project: Path, diff: Diff) -> None:
    write(project, ADDED.replace("required: [id]", "required: [id, total]"))
    lines = diff("main", "--format", "github").out.splitlines()
    assert [line.split()[0] for line in lines] == ["::error", "::notice"]
    (run,) = json.loads(diff("main", "--format", "sarif").out)["runs"]
    levels = {one["ruleId"]: one["level"] for one in run["results"]}
    assert levels == {"property-required": "error", "property-added": "note"}


def test_a_project_suppresses_and_grades_as_for_check(project: Path, diff: Diff) -> None:
    known = "          # eventgen: ignore[property-required] -- all consumers are told\n"
    write(project, REQUIRED.replace("          required:", f"{known}          required:"))
    assert diff("main") == (OK, "", "nothing changed\n")
    write(project, REQUIRED)
    config = project / "eventgen.yaml"
    config.write_text(f"{config.read_text()}check: {{severity: {{property-required: warning}}}}\n")
    shown = diff("main", "--format", "concise")
    assert (shown.code, "warning[property-required]" in shown.out) == (OK, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "say what to compare with"),
        (["main", "main", "main"], "these are too many versions"),
        (["--transitive", "v*", "main", "main"], "these are too many versions"),
        (["nothing"], "`nothing` is no file, no folder and no revision"),
        (["--", "--all"], "`--all` is no file, no folder and no revision"),
        (["main:../../etc/passwd"], "is not in the repository"),
    ],
)
def test_what_cannot_be_compared_is_said(
    arguments: list[str], words: str, project: Path, diff: Diff
) -> None:
    shown = diff(*arguments)
    assert (shown.code, shown.out) == (USAGE, "")
    assert words in shown.err


def test_a_version_that_is_not_valid_is_not_compared(project: Path, diff: Diff) -> None:
    write(project, SPEC.replace("type: string", "type: strin"))
    shown = diff("main")
    assert shown.code == INVALID
    assert "error[unknown-type]" in shown.err
    assert "asyncapi.yaml cannot be read, so that nothing is compared" in shown.err


def test_outside_of_a_repository_there_are_no_revisions(
    tmp_path: Path, diff: Diff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.chdir(tmp_path)
    shown = diff("main:asyncapi.yaml")
    assert shown.code == USAGE
    assert "there is no git repository here" in shown.err


def test_without_git_it_is_said_what_to_do(
    project: Path, diff: Diff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(project))
    shown = diff("main")
    assert shown.code == ENVIRONMENT
    assert "install git, or compare files or folders" in shown.err
