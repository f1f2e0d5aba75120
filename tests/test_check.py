"""`eventgen check` as its users meet it: people, scripts and CI."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.generate import eventgen

OK, FINDINGS, USAGE, INVALID = 0, 1, 2, 3
GOOD = "eventgen: 1\nservice: a\npublishes: {order.placed: {key: id, data: {id: uuid}}}\n"
WARNED = "eventgen: 1\nservice: b\npublishes:\n  order.placed: {data: {id: uuid}}\n"
WRONG = "eventgen: 1\nservice: c\npublishes:\n  order.placed: {keys: id, data: {id: uuid}}\n"
PROJECT = "spec: asyncapi.yaml\nbroker: embedded\n"
NAMES = re.compile(r"(?:error|warning)\[([a-z-]+)\]")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Specifications among files that are not ours, and among some that nobody should read."""
    files = {
        "good.yaml": GOOD,
        "sub/warned.yml": f"# A comment first.\n\n{WARNED}",
        "sub/deep/wrong.yaml": f"\ufeff{WRONG}",
        "sub/api.json": '{\n  "asyncapi": "3.0.0", "info": {"title": "D", "version": "1"}}',
        "compose.yaml": "services:\n  eventgen: {image: x}\n",
        "values.yaml": "eventgen:\n  replicas: 2\n",
        "package.json": '{"dependencies": {"eventgen": "^1.0.0", "@asyncapi/cli": "2"}}',
        "broken.yaml": "a: [",
        "notes.txt": GOOD,
        ".hidden/spec.yaml": WRONG,
        "node_modules/x/spec.yaml": WRONG,
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00\x01")
    (tmp_path / "dangling.yaml").symlink_to("nowhere.yaml")
    return tmp_path


def files_of(output: str) -> set[str]:
    return {line.split(":")[0] for line in output.splitlines()}


def test_a_folder_is_searched_for_specifications(folder: Path) -> None:
    made = eventgen("check", ".", "--format", "concise", cwd=folder)
    assert made.returncode == INVALID
    assert files_of(made.stdout) == {"sub/warned.yml", "sub/deep/wrong.yaml", "sub/api.json"}
    assert "checked 4 specifications" in eventgen("check", ".", cwd=folder).stderr
    below = eventgen("check", "sub/deep", "--format", "concise", cwd=folder)
    assert files_of(below.stdout) == {"sub/deep/wrong.yaml"}


def test_a_pattern_is_expanded_and_each_file_is_checked_once(folder: Path) -> None:
    made = eventgen(
        "check", "sub/**/*.y*ml", "sub/warned.yml", "./sub/warned.yml", "sub", cwd=folder
    )
    assert "checked 3 specifications" in made.stderr
    assert NAMES.findall(made.stdout).count("unknown-key") == 1


def test_a_file_that_was_named_is_checked_whatever_it_is(folder: Path) -> None:
    made = eventgen("check", "compose.yaml", cwd=folder)
    assert made.returncode == INVALID
    assert "this is a Compose file" in made.stdout


@pytest.mark.parametrize("argument", ["nothing/*.yaml", "empty"])
def test_a_check_of_nothing_is_no_success(argument: str, folder: Path) -> None:
    (folder / "empty").mkdir()
    made = eventgen("check", argument, "--format", "json", cwd=folder)
    assert made.returncode == USAGE
    assert made.stdout == ""
    assert f"`{argument}`" in made.stderr


def test_a_file_shared_by_specifications_is_found_fault_with_once(tmp_path: Path) -> None:
    (tmp_path / "shared.yaml").write_text("m: {payload: {type: objct}}\n")
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(
            f"asyncapi: 3.0.0\ninfo: {{title: {name}, version: 1.0.0}}\n"
            "channels: {c: {address: c, messages: {m: {$ref: 'shared.yaml#/m'}}}}\n"
        )
    made = eventgen("check", ".", "--format", "concise", cwd=tmp_path)
    assert made.stdout.count("unknown-type") == 1


@pytest.mark.parametrize(
    ("text", "options", "code"),
    [
        (GOOD, [], OK),
        (GOOD, ["--strict"], OK),
        (WARNED, [], OK),
        (WARNED, ["--strict"], FINDINGS),
        (WARNED, ["--strict", "--ignore", "ordering-without-key"], OK),
        (WRONG, [], INVALID),
        (WRONG, ["--strict"], INVALID),
        (WRONG, ["--ignore", "unknown-key"], INVALID),
    ],
)
def test_the_exit_code_tells_errors_from_warnings(
    text: str, options: list[str], code: int, tmp_path: Path
) -> None:
    (tmp_path / "spec.yaml").write_text(text)
    assert eventgen("check", "spec.yaml", *options, cwd=tmp_path).returncode == code


def test_names_are_given_with_commas_or_again(folder: Path) -> None:
    both = ["--ignore", "unknown-format,ordering-without-key", "--ignore", "no-channels"]
    made = eventgen("check", "sub/warned.yml", "sub/api.json", *both, cwd=folder)
    assert made.stdout == ""
    only = eventgen("check", "sub", "--select", "no-channels", "--format", "concise", cwd=folder)
    assert NAMES.findall(only.stdout) == ["no-channels", "unknown-key"]


@pytest.mark.parametrize("option", ["--select", "--ignore"])
def test_a_name_that_no_finding_has_is_a_usage_error(option: str, folder: Path) -> None:
    made = eventgen("check", "good.yaml", option, "no-channels,unused-chanel", cwd=folder)
    assert made.returncode == USAGE
    assert made.stderr == (
        "error: no finding is called `unused-chanel`\n help: did you mean `unused-channel`?\n"
    )


@pytest.mark.parametrize(
    ("how", "shown"),
    [("full", ""), ("concise", ""), ("github", ""), ("json", "findings"), ("sarif", "runs")],
)
def test_every_format_says_that_nothing_was_found(how: str, shown: str, folder: Path) -> None:
    made = eventgen("check", "good.yaml", "--format", how, cwd=folder)
    assert made.returncode == OK
    if shown:
        assert shown in json.loads(made.stdout)
    else:
        assert made.stdout == ""


@pytest.mark.parametrize("how", ["concise", "json", "github", "sarif"])
def test_what_programs_read_has_nothing_beside_it(how: str, folder: Path) -> None:
    made = eventgen("check", "sub/deep/wrong.yaml", "--format", how, cwd=folder)
    assert made.returncode == INVALID
    assert "unknown-key" in made.stdout
    assert made.stderr == ""


@pytest.mark.parametrize("how", ["github", "sarif"])
def test_a_code_host_gets_the_paths_of_its_repository(how: str, folder: Path) -> None:
    where = {"cwd": folder / "sub", "env": {"GITHUB_WORKSPACE": str(folder)}}
    assert "sub/warned.yml" in eventgen("check", "warned.yml", "--format", how, **where).stdout
    where["env"]["GITHUB_WORKSPACE"] = str(folder / "elsewhere")
    assert "sub/warned.yml" not in eventgen("check", "warned.yml", "--format", how, **where).stdout


def test_sarif_explains_its_rules(folder: Path) -> None:
    made = eventgen("check", "sub/warned.yml", "--format", "sarif", cwd=folder)
    (run,) = json.loads(made.stdout)["runs"]
    (result,) = run["results"]
    rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
    assert rule["id"] == "ordering-without-key"
    assert "## Instead" in rule["help"]["markdown"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "eventgen.yaml").write_text(PROJECT)
    (tmp_path / "asyncapi.yaml").write_text(WARNED)
    (tmp_path / "sub").mkdir()
    return tmp_path


def test_a_project_is_checked_from_anywhere_in_it(project: Path) -> None:
    made = eventgen("check", "--format", "concise", cwd=project / "sub")
    assert made.stdout.startswith("../asyncapi.yaml:4:3: warning[ordering-without-key]")


@pytest.mark.parametrize("named", [[], ["asyncapi.yaml"], ["."]])
@pytest.mark.parametrize(
    ("chosen", "code", "names"),
    [
        ("", OK, ["ordering-without-key"]),
        ("check: {ignore: [ordering-without-key]}\n", OK, []),
        ("check: {select: [no-channels]}\n", OK, []),
        ("check: {severity: {ordering-without-key: off}}\n", OK, []),
        (
            "check: {severity: {ordering-without-key: error}}\n",
            INVALID,
            ["ordering-without-key"],
        ),
    ],
)
def test_a_project_says_which_findings_it_wants(
    named: list[str], chosen: str, code: int, names: list[str], project: Path
) -> None:
    (project / "eventgen.yaml").write_text(PROJECT + chosen)
    made = eventgen("check", *named, "--format", "concise", cwd=project)
    assert made.returncode == code
    assert NAMES.findall(made.stdout) == names


def test_the_command_line_wins_over_the_project(project: Path) -> None:
    (project / "eventgen.yaml").write_text(PROJECT + "check: {ignore: [ordering-without-key]}\n")
    made = eventgen("check", "--select", "ordering-without-key", cwd=project)
    assert NAMES.findall(made.stdout) == ["ordering-without-key"]


def test_generate_sees_the_same_verdict(project: Path) -> None:
    (project / "eventgen.yaml").write_text(
        PROJECT + "check: {severity: {ordering-without-key: error}}\n"
    )
    made = eventgen("generate", cwd=project)
    assert made.returncode == INVALID
    assert NAMES.findall(made.stderr) == ["ordering-without-key"]


def test_what_is_wrong_with_the_configuration_is_a_finding(project: Path) -> None:
    (project / "eventgen.yaml").write_text(PROJECT + "check: {ignore: [no-chanels]}\n")
    for named in ([], ["asyncapi.yaml"]):
        made = eventgen("check", *named, "--format", "json", cwd=project)
        assert made.returncode == INVALID
        first = json.loads(made.stdout)["findings"][0]
        assert (first["name"], first["place"]["file"], first["place"]["line"]) == (
            "unknown-finding",
            "eventgen.yaml",
            3,
        )
        assert first["help"] == "did you mean `no-channels`?"


def test_the_brokers_own_findings_can_be_named(project: Path) -> None:
    (project / "eventgen.yaml").write_text(PROJECT.replace("embedded", "kafka"))
    (project / "asyncapi.yaml").write_text(
        "eventgen: 1\nservice: a\nchannels: {a: {address: a.b}, c: {address: a/b}}\npublishes:\n"
        "  x: {channel: a, key: id, data: {id: uuid}}\n"
        "  y: {channel: c, key: id, data: {id: uuid}}\n"
    )
    assert eventgen("check", cwd=project).returncode == INVALID
    ignored = eventgen("check", "--ignore", "kafka-topic-collision", cwd=project)
    assert ignored.returncode == OK


def test_an_output_that_knows_few_letters_is_no_reason_to_fail(folder: Path) -> None:
    (folder / "wide.yaml").write_text(WRONG.replace("keys", "größe日本"))
    made = eventgen("check", "wide.yaml", cwd=folder, env={"PYTHONIOENCODING": "ascii"})
    assert made.returncode == INVALID
    assert "gr\\xf6\\xdfe" in made.stdout


def test_help_shows_how(tmp_path: Path) -> None:
    shown = eventgen("check", "--help", cwd=tmp_path).stdout
    for told in ("examples:", "exit codes:", "--strict", "# eventgen: ignore[", "eventgen.yaml"):
        assert told in shown
