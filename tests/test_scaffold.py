"""The user-owned skeleton: what copier renders, whoever asks for it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import copier
import pytest
import yaml
from eventgen import __version__, brokers
from eventgen.model.config import Database
from eventgen.plan.views import ComposeView
from eventgen.plan.wires import FORMS
from eventgen.render.templates import data_root, environment
from eventgen.scaffold import Answers, scaffold

ROOT = Path(__file__).parents[1]

KAFKA = Answers(
    service="order-intake",
    package="order_intake",
    title="Order intake",
    description="Takes orders.",
    broker="kafka",
    database="postgres",
    spec="asyncapi.yaml",
    plugged_in={},
    payload_requirements=(),
)
EMBEDDED = replace(KAFKA, broker="embedded", database="sqlite")

HOSTILE = (
    'A "quoted" title',
    "'''\n\"\"\"",
    "{{ 7 * 7 }} {% raw %} {# #}",
    "ends in a backslash \\",
    "# heading\r\n[table]\nname = 'x'",
    "two\u2028lines \x00 \x1b[31m \x7f \ud800",
    "<script>alert(1)</script> | `code` [link](javascript:x)",
    "\N{PILE OF POO} caf\N{LATIN SMALL LETTER E WITH ACUTE}",
    ": - ? &a *b !tag %",
    "",
)


def rendered(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in files}


def copier_yml() -> dict[str, dict[str, object]]:
    loaded: dict[str, dict[str, object]] = yaml.safe_load((ROOT / "copier.yml").read_text("utf-8"))
    return loaded


@pytest.mark.parametrize("answers", [KAFKA, EMBEDDED], ids=["kafka-postgres", "embedded-sqlite"])
def test_every_file_parses(answers: Answers, tmp_path: Path) -> None:
    scaffold(tmp_path, answers)

    files = rendered(tmp_path)
    assert {"Dockerfile", "Makefile", "README.md", ".gitignore", "tests/conftest.py"} < set(files)
    for path, text in files.items():
        assert text.endswith("\n") or not text, path
        assert "\n\n\n\n" not in text, path
        if path.endswith(".py"):
            compile(text, path, "exec")
        elif path.endswith((".yml", ".yaml")):
            assert yaml.safe_load(text), path
    project = tomllib.loads(files["pyproject.toml"])
    assert project["project"]["scripts"] == {"order-intake": "order_intake.main:main"}


@pytest.mark.parametrize("answers", [KAFKA, EMBEDDED], ids=["kafka-postgres", "embedded-sqlite"])
def test_ruff_has_nothing_to_say(answers: Answers, tmp_path: Path) -> None:
    scaffold(tmp_path, answers)

    for command in (["check"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--no-cache", "."]
        run = subprocess.run(ruff, cwd=tmp_path, check=False, stdout=subprocess.PIPE, text=True)
        assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("answers", [KAFKA, EMBEDDED], ids=["kafka-postgres", "embedded-sqlite"])
def test_dependencies_are_those_eventgen_is_tested_with(answers: Answers, tmp_path: Path) -> None:
    scaffold(tmp_path, answers)

    ours = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    tested = set(ours["optional-dependencies"]["service"])
    theirs = tomllib.loads((tmp_path / "pyproject.toml").read_text("utf-8"))["project"]
    given = set(theirs["dependencies"])
    assert given <= tested
    assert given >= set(brokers.discover()[answers.broker].requires)
    others = {form.requires for form in FORMS.values()}
    others |= {one for broker in brokers.discover().values() for one in broker.requires}
    others |= {"asyncpg>=0.31,<1"}
    assert tested - given == others - given


@pytest.mark.parametrize("words", HOSTILE)
def test_words_of_a_specification_stay_words(words: str, tmp_path: Path) -> None:
    scaffold(tmp_path / "plain", KAFKA)
    scaffold(tmp_path / "hostile", replace(KAFKA, title=words, description=words))

    plain, hostile = rendered(tmp_path / "plain"), rendered(tmp_path / "hostile")
    changed = {path for path in plain if plain[path] != hostile[path]}
    assert changed <= {"pyproject.toml", "README.md", ".copier-answers.yml"}
    shown = tomllib.loads(hostile["pyproject.toml"])["project"]["description"]
    assert shown.isprintable() or "\u2028" in words
    assert yaml.safe_load(hostile[".copier-answers.yml"])["title"] == shown
    title, _, rest = hostile["README.md"].partition("\n")
    assert title.startswith("# ")
    assert plain["README.md"].endswith(rest[rest.index("An event-driven service.") :])


def test_markdown_in_a_title_is_escaped(tmp_path: Path) -> None:
    scaffold(tmp_path, replace(KAFKA, title="*a* <b> `c`", description="first\n\nsecond"))

    readme = (tmp_path / "README.md").read_text("utf-8")
    assert readme.startswith("# \\*a\\* \\<b\\> \\`c\\`\n\nfirst\n\nAn event-driven")


def test_answers_do_not_tell_where_eventgen_was_installed(tmp_path: Path) -> None:
    scaffold(tmp_path, KAFKA)

    answers = yaml.safe_load((tmp_path / ".copier-answers.yml").read_text("utf-8"))
    assert answers["_src_path"].startswith("gh:")
    assert answers["_commit"] == f"v{__version__}"
    assert set(answers) == {
        "_commit", "_src_path", "broker", "database", "description", "package", "python",
        "service", "spec", "title",
    }  # fmt: skip


def test_plain_copier_makes_the_same_project(tmp_path: Path) -> None:
    scaffold(tmp_path / "ours", EMBEDDED)
    asked = {
        name: getattr(EMBEDDED, name)
        for name in ("service", "title", "description", "broker", "database")
    }
    template = tmp_path / "template"
    shutil.copytree(ROOT / "templates" / "service", template / "templates" / "service")
    shutil.copy(ROOT / "copier.yml", template)
    copier.run_copy(str(template), tmp_path / "plain", data=asked, defaults=True, quiet=True)

    assert rendered(tmp_path / "plain") == rendered(tmp_path / "ours")


def test_copier_knows_what_the_built_in_brokers_need() -> None:
    needed = {name: list(broker.requires) for name, broker in brokers.discover().items()}

    assert copier_yml()["broker_requirements"]["default"] == needed


def test_copier_knows_the_databases_and_the_version() -> None:
    questions = copier_yml()
    databases = questions["database_requirements"]["default"]

    assert isinstance(databases, dict)
    assert set(databases) == {database.value for database in Database}
    assert questions["template_version"]["default"] == __version__


def test_the_template_asks_for_no_trust() -> None:
    assert not {"_tasks", "_migrations", "_jinja_extensions", "_external_data"} & set(copier_yml())


def test_a_plugged_in_broker_brings_its_requirements(tmp_path: Path) -> None:
    scaffold(tmp_path, replace(KAFKA, broker="pigeon", plugged_in={"pigeon": ("pigeon>=1",)}))

    project = tomllib.loads((tmp_path / "pyproject.toml").read_text("utf-8"))["project"]
    assert "pigeon>=1" in project["dependencies"]
    assert "confluent-kafka>=2.16,<3" not in project["dependencies"]


def test_what_payloads_need_is_asked_for_and_remembered(tmp_path: Path) -> None:
    scaffold(tmp_path, replace(KAFKA, payload_requirements=("fastavro>=1.12,<2",)))

    project = tomllib.loads((tmp_path / "pyproject.toml").read_text("utf-8"))["project"]
    assert {"fastavro>=1.12,<2", "confluent-kafka>=2.16,<3"} < set(project["dependencies"])
    answers = yaml.safe_load((tmp_path / ".copier-answers.yml").read_text("utf-8"))
    assert answers["payload_requirements"] == ["fastavro>=1.12,<2"]


def test_a_question_that_older_projects_were_not_asked_has_a_default() -> None:
    """Otherwise they could not be updated without a terminal."""
    asked = {name: how for name, how in copier_yml().items() if not name.startswith("_")}

    assert {name for name, how in asked.items() if "default" not in how} == {"service", "broker"}


def test_the_users_copier_settings_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scaffold(tmp_path / "without", KAFKA)
    settings = tmp_path / "settings.yml"
    settings.write_text('defaults: {python: "3.11", template_home: "gh:mallory/eventgen"}\n')
    monkeypatch.setenv("COPIER_SETTINGS_PATH", str(settings))
    scaffold(tmp_path / "with", KAFKA)

    assert rendered(tmp_path / "with") == rendered(tmp_path / "without")


def test_git_is_not_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    scaffold(tmp_path / "orders", KAFKA)

    assert (tmp_path / "orders" / "pyproject.toml").is_file()


def test_what_is_in_the_way_stays(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    (tmp_path / "asyncapi.yaml").write_text("asyncapi: 3.0.0")

    with pytest.raises(FileExistsError, match=r"already has README\.md"):
        scaffold(tmp_path, KAFKA)
    assert rendered(tmp_path) == {"README.md": "mine", "asyncapi.yaml": "asyncapi: 3.0.0"}


@pytest.mark.parametrize("service", ["Order Intake", "orders\n", "-orders", "1st"])
def test_a_name_no_command_can_have_is_refused(service: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="service"):
        scaffold(tmp_path / "orders", replace(KAFKA, service=service))
    assert not (tmp_path / "orders").exists()


@pytest.mark.parametrize("postgres", [True, False])
@pytest.mark.parametrize("broker", ["kafka", "embedded"])
def test_compose_waits_for_every_container_that_ends(broker: str, *, postgres: bool) -> None:
    template = environment().get_template(f"brokers/{broker}/compose.yaml.j2")
    view = ComposeView("order_intake", "order-intake", "ORDER_INTAKE_", postgres)
    project = yaml.safe_load(template.render(view=view))

    services = project["services"]
    one_shot = {name for name, service in services.items() if service.get("command") in (
        ["migrate"], ["provision"],
    )}  # fmt: skip
    waited_for = {
        name
        for name, how in services["app"]["depends_on"].items()
        if how == {"condition": "service_completed_successfully"}
    }
    # `docker compose up --wait` takes any other container that ends for a failure.
    assert one_shot == waited_for
    assert ("postgres" in services) is postgres
    mounted = {mount.split(":")[0] for s in services.values() for mount in s.get("volumes", [])}
    assert mounted == set(project["volumes"])


def test_the_template_lives_where_the_wheel_puts_it() -> None:
    assert (data_root() / "copier.yml").is_file()
    assert (data_root() / "templates" / "service").is_dir()
