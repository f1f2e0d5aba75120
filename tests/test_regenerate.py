"""`generate` and `eject` on a project that somebody works in."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from eventgen.write import journal, lock
from eventgen.write.manifest import digest

from tests.support.generate import eventgen, new_service

SPEC = """\
eventgen: 1
service: tills
publishes:
  till.opened: {version: 1.0.0, data: {till_id: uuid}}
subscribes:
  shop.opened: {version: 1.0.0, data: {shop_id: uuid}}
"""
TOPOLOGY = "src/tills/_generated/topology.py"
HANDLER = "src/tills/handlers/on_shop_opened.py"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fresh")
    (folder / "spec.yaml").write_text(SPEC, encoding="utf-8")
    return new_service(folder, "--spec", folder / "spec.yaml", "--broker", "embedded")


@pytest.fixture
def root(fresh: Path, tmp_path: Path) -> Path:
    """A copy of the project for one test."""
    return shutil.copytree(fresh, tmp_path / "service")


def edit(root: Path, path: str, before: str, after: str) -> None:
    text = (root / path).read_text("utf-8")
    assert before in text
    (root / path).write_text(text.replace(before, after), encoding="utf-8")


def test_a_change_of_the_broker_replaces_its_files_alone_and_says_how_to_move(root: Path) -> None:
    def move(before: str, after: str) -> tuple[str, set[str]]:
        files = set(root.rglob("*.py"))
        edit(root, "eventgen.yaml", f"broker: {before}", f"broker: {after}")
        moved = eventgen("generate", cwd=root)
        assert moved.returncode == 0, moved.stderr
        return moved.stderr, {path.name for path in files ^ set(root.rglob("*.py"))}

    mine = (root / HANDLER).read_text("utf-8") + "# mine\n"
    (root / HANDLER).write_text(mine, encoding="utf-8")

    said, changed = move("embedded", "rabbitmq")
    assert "moving from Embedded (no broker) to RabbitMQ" in said
    assert {name for name in changed if not name.startswith("rabbitmq")} == {"tls.py"}
    assert "read in src/tills/_runtime/rabbitmq.py which variables" in said
    said, changed = move("rabbitmq", "kafka")
    assert "moving from RabbitMQ to Apache Kafka" in said
    assert "aio-pika" not in said
    assert '"confluent-kafka' in said
    assert all(name.startswith(("rabbitmq", "kafka")) for name in changed)
    said, _ = move("kafka", "embedded")
    assert "moving from Apache Kafka to Embedded" in said
    edit(root, "spec.yaml", "data: {shop_id: uuid}", "data: {shop_id: uuid, floor: integer?}")
    assert "moving" not in eventgen("generate", cwd=root).stderr
    assert (root / HANDLER).read_text("utf-8") == mine


def test_an_edited_file_is_refused_shown_and_can_be_ejected(root: Path) -> None:
    mine = (root / TOPOLOGY).read_text("utf-8") + "# mine\n"
    (root / TOPOLOGY).write_text(mine, encoding="utf-8")

    refused = eventgen("generate", cwd=root)
    assert refused.returncode == 4
    assert "-# mine" in refused.stderr
    assert all(word in refused.stderr for word in ("handler", "eject FILE", "--force"))
    assert eventgen("generate", "--check", cwd=root).stdout == f"edited    {TOPOLOGY}\n"

    assert eventgen("eject", TOPOLOGY, cwd=root).returncode == 0
    assert eventgen("generate", cwd=root).returncode == 0
    assert eventgen("generate", "--check", cwd=root).returncode == 0
    assert (root / TOPOLOGY).read_text("utf-8") == mine
    (root / TOPOLOGY).unlink()
    assert eventgen("generate", cwd=root).returncode == 0
    assert (root / TOPOLOGY).read_text("utf-8") + "# mine\n" == mine


def test_only_what_eventgen_rewrites_can_be_ejected(root: Path) -> None:
    before = (root / ".eventgen/manifest").read_text("utf-8")

    for path in (HANDLER, "pyproject.toml", "../spec.yaml", "nothing.py"):
        refused = eventgen("eject", TOPOLOGY, path, cwd=root)
        assert refused.returncode == 2
        assert path in refused.stderr
    assert (root / ".eventgen/manifest").read_text("utf-8") == before


def test_a_renamed_event_keeps_the_handler_and_says_where_its_code_goes(root: Path) -> None:
    edit(root, HANDLER, "async def", "# mine\nasync def")
    edit(root, "spec.yaml", "shop.opened", "store.opened")

    planned = eventgen("generate", "--dry-run", "--json", cwd=root)
    done = eventgen("generate", cwd=root)

    assert done.returncode == 0, done.stderr
    assert f"orphan   {HANDLER}" in done.stderr
    assert "move your code to src/tills/handlers/on_store_opened.py" in done.stderr
    assert "# mine" in (root / HANDLER).read_text("utf-8")
    assert (root / "tests/handlers/test_on_store_opened.py").is_file()
    actions = {file["path"]: file["action"] for file in json.loads(planned.stdout)["files"]}
    assert actions[HANDLER] == "orphan"
    assert actions["src/tills/handlers/on_store_opened.py"] == "create"
    assert json.loads(eventgen("generate", "--json", cwd=root).stdout) == {"files": []}


def test_a_second_run_is_told_that_the_first_is_at_work(root: Path) -> None:
    edit(root, "spec.yaml", "till.opened", "till.closed")

    with lock.held(root):
        busy = eventgen("generate", cwd=root)
        assert eventgen("generate", "--check", cwd=root).returncode == 1

    assert busy.returncode == 6
    assert "another eventgen is writing" in busy.stderr
    assert eventgen("generate", cwd=root).returncode == 0


def test_a_run_that_died_half_way_is_taken_back_by_the_next(root: Path) -> None:
    old = (root / TOPOLOGY).read_bytes()
    backup = root / ".eventgen/tmp/0.old"
    backup.parent.mkdir()
    backup.write_bytes(old)
    (root / TOPOLOGY).write_bytes(b"half\n")
    move = journal.Move(TOPOLOGY, digest(old), digest(b"half\n"), ".eventgen/tmp/0.old")
    journal.begin(root, [move])

    checked = eventgen("generate", "--check", cwd=root)

    assert checked.returncode == 0, checked.stdout
    assert "took back" in checked.stderr
    assert (root / TOPOLOGY).read_bytes() == old


def test_watching_generates_after_each_save_and_survives_a_broken_specification(
    root: Path, tmp_path: Path
) -> None:
    events = root / "src/tills/_generated/events.py"
    said = tmp_path / "said"
    with said.open("w") as errors:
        watch = subprocess.Popen(
            [sys.executable, "-m", "eventgen", "generate", "--watch"], cwd=root, stderr=errors
        )
        try:
            wait(lambda: "watching" in said.read_text("utf-8"))
            edit(root, "spec.yaml", "till.opened", "till: [")
            wait(lambda: "nothing was written" in said.read_text("utf-8"))
            edit(root, "spec.yaml", "till: [", "till.closed")
            wait(lambda: "TillClosed" in events.read_text("utf-8"))
            assert watch.poll() is None
        finally:
            watch.kill()
            watch.wait()


def wait(is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.05)
