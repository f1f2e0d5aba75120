"""The command line as a user meets it: what it says, what it exits with, what it leaves behind."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tests.support.generate import ROOT, SPECS, eventgen, new_service

OK, FINDINGS, USAGE, INVALID, REFUSED, ENVIRONMENT = 0, 1, 2, 3, 4, 6


def tree(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != "lock"
    }


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_service(tmp_path_factory.mktemp("pristine"), "--broker", "embedded")


@pytest.fixture
def project(pristine: Path, tmp_path: Path) -> Path:
    import shutil

    return shutil.copytree(pristine, tmp_path / "service")


BAD_SPECS = {
    "empty": "",
    "not-yaml": "a: [1, 2\nb: }",
    "a-list": "- one\n- two\n",
    "another-kind": "services:\n  web:\n    image: nginx\n",
    "openapi": "openapi: 3.1.0\ninfo: {title: Pets, version: '1'}\npaths: {}\n",
    "unknown-version": "asyncapi: 9.0.0\ninfo: {title: X, version: '1'}\nchannels: {}\n",
    "dangling": (
        "asyncapi: 3.0.0\ninfo: {title: X, version: '1'}\nchannels:\n"
        "  a:\n    messages:\n      m: {$ref: '#/components/messages/nope'}\n"
    ),
}


@pytest.mark.parametrize("name", BAD_SPECS)
def test_a_bad_specification_is_explained_and_nothing_is_written(name: str, tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(BAD_SPECS[name])
    made = eventgen("new", "service", "out", "--spec", spec, "--broker", "kafka", cwd=tmp_path)
    assert made.returncode == INVALID, made.stderr
    assert "error[" in made.stderr
    assert "help: " in made.stderr
    assert "Traceback" not in made.stderr
    assert list(tree(tmp_path)) == ["spec.yaml"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["spec.yaml"]


def test_a_missing_specification_is_named(tmp_path: Path) -> None:
    made = eventgen("new", "service", "--spec", "nope.yaml", "--broker", "kafka", cwd=tmp_path)
    assert made.returncode == INVALID
    assert "nope.yaml" in made.stderr
    assert "Traceback" not in made.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_broker_gets_the_nearest_one(tmp_path: Path) -> None:
    made = eventgen("new", "service", "--broker", "kafak", cwd=tmp_path)
    assert made.returncode == USAGE
    assert made.stderr == "error: there is no broker `kafak`\n help: did you mean `kafka`?\n"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders" / "mine.txt").write_text("mine")
    made = eventgen("new", "service", "--broker", "embedded", cwd=tmp_path)
    assert made.returncode == ENVIRONMENT
    assert "not an empty folder" in made.stderr
    assert tree(tmp_path) == {"orders/mine.txt": b"mine"}


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "orders").mkdir()
    made = eventgen("new", "service", "--broker", "embedded", cwd=tmp_path)
    assert made.returncode == OK, made.stderr
    assert (tmp_path / "orders" / "eventgen.yaml").is_file()


def test_a_place_that_cannot_be_written_is_an_environment_problem(tmp_path: Path) -> None:
    """A file where a folder is needed: nobody may write below it, not even root."""
    (tmp_path / "file").write_text("")
    made = eventgen("new", "service", "file/orders", "--broker", "embedded", cwd=tmp_path)
    assert made.returncode == ENVIRONMENT
    assert "Traceback" not in made.stderr
    assert list(tree(tmp_path)) == ["file"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere; the test above covers it")
def test_a_read_only_folder_is_an_environment_problem(tmp_path: Path) -> None:
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    made = eventgen("new", "service", "--broker", "embedded", cwd=tmp_path)
    tmp_path.chmod(stat.S_IRWXU)
    assert made.returncode == ENVIRONMENT
    assert list(tmp_path.iterdir()) == []


def test_new_needs_a_broker(tmp_path: Path) -> None:
    made = eventgen("new", "service", cwd=tmp_path)
    assert made.returncode == USAGE
    assert "--broker" in made.stderr


def test_generate_outside_a_project_says_where_to_go(tmp_path: Path) -> None:
    made = eventgen("generate", cwd=tmp_path)
    assert made.returncode == USAGE
    assert "eventgen new service" in made.stderr


def test_a_fresh_project_is_up_to_date(project: Path) -> None:
    before = tree(project)
    checked = eventgen("generate", "--check", cwd=project)
    assert checked.returncode == OK, checked.stdout
    (project / ".eventgen" / "state").unlink()
    checked = eventgen("generate", "--check", cwd=project)
    assert checked.returncode == OK, checked.stdout
    assert eventgen("generate", cwd=project).returncode == OK
    assert tree(project) == before


def test_a_change_in_the_specification_is_drift_until_it_is_generated(project: Path) -> None:
    spec = project / "asyncapi.yaml"
    spec.write_text(spec.read_text().replace("customer_id", "buyer_id"))
    checked = eventgen("generate", "--check", cwd=project)
    assert checked.returncode == FINDINGS
    assert "outdated  src/orders/_generated/events.py" in checked.stdout
    diff = eventgen("generate", "--diff", cwd=project)
    assert "+    buyer_id: UUID" in diff.stdout
    dry = eventgen("generate", "--dry-run", cwd=project)
    assert dry.returncode == OK
    assert "customer_id" in (project / "src/orders/_generated/events.py").read_text()
    assert eventgen("generate", cwd=project).returncode == OK
    assert "buyer_id" in (project / "src/orders/_generated/events.py").read_text()
    assert eventgen("generate", "--check", cwd=project).returncode == OK


def test_hand_edits_of_generated_files_are_refused_and_kept(project: Path) -> None:
    edited = project / "src/orders/_generated/events.py"
    edited.write_text(edited.read_text() + "\n# mine\n")
    spec = project / "asyncapi.yaml"
    spec.write_text(spec.read_text().replace("customer_id", "buyer_id"))
    before = tree(project)
    made = eventgen("generate", cwd=project)
    assert made.returncode == REFUSED
    assert "src/orders/_generated/events.py was edited by hand" in made.stderr
    assert tree(project) == before
    assert eventgen("generate", "--force", cwd=project).returncode == OK
    assert "# mine" not in edited.read_text()


def test_handlers_are_never_touched(project: Path) -> None:
    handler = project / "src/orders/handlers/on_payment_captured.py"
    mine = handler.read_text() + "\n# mine\n"
    handler.write_text(mine)
    spec = project / "asyncapi.yaml"
    spec.write_text(spec.read_text().replace("customer_id", "buyer_id"))
    assert eventgen("generate", "--force", cwd=project).returncode == OK
    assert handler.read_text() == mine


def test_an_event_that_comes_and_goes_brings_and_takes_its_stub(project: Path) -> None:
    short = (SPECS / "orders-short.yaml").read_text()
    extra = short + "  refund.issued: {key: order_id, data: {order_id: uuid}}\n"
    (project / "asyncapi.yaml").write_text(extra)
    made = eventgen("generate", cwd=project)
    assert made.returncode == OK, made.stderr
    stub = project / "src/orders/handlers/on_refund_issued.py"
    assert stub.is_file()
    (project / "asyncapi.yaml").write_text(short)
    assert eventgen("generate", cwd=project).returncode == OK
    assert not stub.exists()


def test_an_edited_handler_outlives_its_event(project: Path) -> None:
    short = (SPECS / "orders-short.yaml").read_text()
    extra = short + "  refund.issued: {key: order_id, data: {order_id: uuid}}\n"
    (project / "asyncapi.yaml").write_text(extra)
    assert eventgen("generate", cwd=project).returncode == OK
    stub = project / "src/orders/handlers/on_refund_issued.py"
    stub.write_text(stub.read_text() + "\n# mine\n")
    (project / "asyncapi.yaml").write_text(short)
    made = eventgen("generate", cwd=project)
    assert made.returncode == OK
    assert "orphan" in made.stderr
    assert "# mine" in stub.read_text()


def test_a_deleted_starter_test_stays_deleted(project: Path) -> None:
    starter = project / "tests/handlers/test_on_payment_captured.py"
    starter.unlink()
    spec = project / "asyncapi.yaml"
    spec.write_text(spec.read_text().replace("customer_id", "buyer_id"))
    assert eventgen("generate", cwd=project).returncode == OK
    assert not starter.exists()


def test_a_wrong_configuration_is_shown_with_its_line(project: Path) -> None:
    config = project / "eventgen.yaml"
    config.write_text(config.read_text().replace("broker: embedded", "broker: rabbit"))
    made = eventgen("generate", cwd=project)
    assert made.returncode == INVALID
    assert "eventgen.yaml:5:9" in made.stderr
    assert "There is no broker `rabbit`" in made.stderr


def test_a_symbolic_link_does_not_lead_out_of_the_project(project: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    generated = project / "src/orders/_generated"
    import shutil

    shutil.rmtree(generated)
    generated.symlink_to(outside)
    made = eventgen("generate", cwd=project)
    assert made.returncode == ENVIRONMENT
    assert list(outside.iterdir()) == []


HOSTILE = """\
asyncapi: 3.0.0
info:
  title: "x\\"; import os; os.system('true') #\\n{{ 7*7 }} \\"\\"\\" '''"
  version: "1\\"; boom"
  description: "line\\n\\"\\"\\"\\nimport os\\n{{ config }} \\\\ \\u202e"
channels:
  "class":
    address: "a/{id}'\\"/b"
    parameters:
      id: {description: "\\"\\"\\" {% raw %}"}
    messages:
      "import":
        name: "def\\"\\n{{ 1 }}"
        payload:
          type: object
          description: "\\"\\"\\"\\nraise SystemExit\\n\\"\\"\\""
          properties:
            "class": {type: string, default: "\\"\\"\\"{{ x }}"}
            "a b\\"c": {type: string, enum: ["'", '"', "{{", "\\n"]}
            "model_config": {type: string, pattern: "^\\"+$"}
operations:
  "return":
    action: receive
    channel: {$ref: '#/channels/class'}
  "yield":
    action: send
    channel: {$ref: '#/channels/class'}
"""


def test_hostile_names_and_texts_become_a_service_that_compiles(tmp_path: Path) -> None:
    import ast

    spec = tmp_path / "hostile.yaml"
    spec.write_text(HOSTILE)
    made = eventgen("new", "service", "out", "--spec", spec, "--broker", "kafka", cwd=tmp_path)
    assert made.returncode == OK, made.stderr
    for path in (tmp_path / "out").rglob("*.py"):
        parsed = ast.parse(path.read_text())
        names = {node.id for node in ast.walk(parsed) if isinstance(node, ast.Name)}
        assert "SystemExit" not in names or "_runtime" in path.parts, path


def test_check_prints_findings_on_stdout(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(BAD_SPECS["dangling"])
    full = eventgen("check", "spec.yaml", cwd=tmp_path)
    assert full.returncode == INVALID
    assert "spec.yaml:6:" in full.stdout
    concise = eventgen("check", "spec.yaml", "--format", "concise", cwd=tmp_path)
    assert concise.returncode == INVALID
    assert "\nspec.yaml:6:17: error[dangling-reference]" in concise.stdout


def test_check_of_a_good_specification_says_what_it_found(tmp_path: Path) -> None:
    checked = eventgen("check", SPECS / "orders.yaml", cwd=tmp_path)
    assert checked.returncode == OK
    assert "service orders publishes 2 and handles 2 kinds of events" in checked.stderr


def test_brokers_lists_what_can_be_chosen(tmp_path: Path) -> None:
    listed = eventgen("brokers", cwd=tmp_path)
    assert listed.returncode == OK
    assert [line.split()[0] for line in listed.stdout.splitlines()[1:]] == [
        "embedded",
        "kafka",
        "nats",
        "rabbitmq",
        "redis",
        "sqs",
    ]
    assert listed.stdout in (ROOT / "README.md").read_text("utf-8"), "the README shows the same"


def test_version(tmp_path: Path) -> None:
    from eventgen import __version__

    assert eventgen("--version", cwd=tmp_path).stdout == f"eventgen {__version__}\n"
