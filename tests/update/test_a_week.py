"""A week in the life of a service, in a real git repository: no line that ada writes is lost."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.generate import Run, run
from tests.support.releases import Installed, commit, edit, git, repository

SPEC = """\
eventgen: 1
service: tills
publishes:
  till.opened: {version: 1.0.0, key: shop_id, data: {shop_id: uuid, number: integer}}
subscribes:
  shop.opened: {version: 1.0.0, key: shop_id, data: {shop_id: uuid, areas: integer}}
"""
SHOP_CLOSED = "  shop.closed: {version: 1.0.0, key: shop_id, data: {shop_id: uuid}}\n"
LEDGER = '''\
"""ada: what the tills of a shop are called."""


def names(areas: int) -> list[str]:
    """ada: one for each area."""
    return [f"till {number}" for number in range(1, areas + 1)]
'''
HANDLER = '''\
"""ada: tills for a new shop."""

from __future__ import annotations

from .._generated.events import ShopOpened, TillOpened
from .._generated.publishers import Context
from ..ledger import names


async def on_shop_opened(event: ShopOpened, ctx: Context) -> None:
    """ada: open a till in each area."""
    for number, _ in enumerate(names(event.areas)):  # ada: in order
        ctx.publish(TillOpened(shop_id=event.shop_id, number=number))
'''
TESTED = '''\
"""ada: a shop gets its tills."""

from __future__ import annotations

from tills._generated import examples
from tills._runtime.testing import HandlerRunner
from tills.handlers.on_shop_opened import on_shop_opened


async def test_a_till_in_each_area(handle: HandlerRunner) -> None:
    # ada: one each
    event = examples.shop_opened()
    assert len(await handle(on_shop_opened, event)) == event.areas
'''
ALERTS = "deploy/observability/alerts.yaml"
HANDLERS, TESTS = "src/tills/handlers", "tests/handlers"


class Ada:
    """Somebody at work on a service: whatever she wrote must always be somewhere in it."""

    def __init__(self, root: Path, installed: Installed) -> None:
        self.root = root
        self.installed = installed
        self.lines: set[str] = set()

    def writes(self, path: str, text: str) -> None:
        """A file of her own, or one that was written for her to fill."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        self.lines |= {line.strip() for line in text.splitlines() if "ada" in line}

    def adds(self, path: str, line: str, after: str) -> None:
        """A line to a file that is there."""
        edit(self.root / path, after, f"{after}\n{line}")
        self.lines.add(line.strip())

    def lost(self) -> set[str]:
        """What is nowhere any more."""
        tracked = git(self.root, "ls-files", "-z").split("\0")[:-1]
        text = "\n".join((self.root / path).read_text("utf-8") for path in tracked)
        return {line for line in self.lines if line not in text}

    def commits(self) -> None:
        commit(self.root)
        assert self.lost() == set()

    def python(self, *arguments: str, database: Path | None = None) -> Run:
        env = {"PYTHONPATH": "src"}
        if database:
            env["TILLS_DATABASE_URL"] = f"sqlite+aiosqlite:///{database}"
        return run(sys.executable, *arguments, cwd=self.root, env=env)

    def eventgen(self, *arguments: str) -> Run:
        return self.installed.eventgen(*arguments, cwd=self.root)

    def generates(self) -> str:
        done = self.eventgen("generate")
        assert done.returncode == 0, done.stderr
        return done.stderr

    def tests_pass(self) -> None:
        made = self.python("-m", "pytest", "-q")
        assert made.returncode == 0, made.stdout


def test_a_week_in_the_life(released: Mapping[str, Installed], tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(SPEC, encoding="utf-8")
    how = ("--spec", "spec.yaml", "--broker", "kafka", "--database", "sqlite")
    made = released["0.1.0"].eventgen("new", "service", "tills", *how, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    ada = Ada(repository(tmp_path / "tills"), released["0.1.0"])
    database = tmp_path / "tills.db"

    monday_handlers_are_written(ada)
    tuesday_an_event_is_added_to_a_service_in_use(ada, database)
    wednesday_one_event_is_renamed_and_one_removed(ada)
    thursday_a_generated_file_becomes_her_own(ada)
    ada.installed = released["0.3.0"]
    friday_another_broker_and_the_template_of_two_versions_later(ada)
    at_the_weekend_the_database_follows(ada, database)

    assert ada.eventgen("generate", "--check").returncode == 0
    assert ada.eventgen("update", "--check").returncode == 0
    checkup = ada.eventgen("doctor")
    assert checkup.returncode == 0, checkup.stdout
    assert f"note     orphans: nothing asks for {HANDLERS}/on_shop_closed.py" in checkup.stdout
    assert ada.lost() == set()
    assert git(ada.root, "status", "--porcelain") == ""


def monday_handlers_are_written(ada: Ada) -> None:
    ada.writes("src/tills/ledger.py", LEDGER)
    ada.writes(f"{HANDLERS}/on_shop_opened.py", HANDLER)
    ada.writes(f"{TESTS}/test_on_shop_opened.py", TESTED)
    ada.adds("README.md", "ada: ask the cash desk team.", "## What is generated")
    ada.adds("Makefile", "\t@echo ada: stopped", "\tdocker compose down")
    ada.adds("pyproject.toml", "# ada: no emoji in logs", '"Private :: Do Not Upload"]')
    ada.adds("eventgen.yaml", "# ada: see the runbook", "run `eventgen generate`.")
    ada.commits()


def tuesday_an_event_is_added_to_a_service_in_use(ada: Ada, database: Path) -> None:
    assert ada.python("-m", "tills", "migrate", database=database).returncode == 0
    put_rows(database)
    edit(ada.root / "spec.yaml", "subscribes:\n", "subscribes:\n" + SHOP_CLOSED)
    assert f"created  {HANDLERS}/on_shop_closed.py" in ada.generates()
    ada.adds(f"{HANDLERS}/on_shop_closed.py", "    # ada: lock the tills", "Context) -> None:")
    ada.commits()


def wednesday_one_event_is_renamed_and_one_removed(ada: Ada) -> None:
    edit(ada.root / "spec.yaml", "  shop.opened:", "  store.opened:")
    said = ada.generates()
    assert f"orphan   {HANDLERS}/on_shop_opened.py" in said
    assert f"move your code to {HANDLERS}/on_store_opened.py" in said
    ada.commits()
    for path in (f"{HANDLERS}/on_shop_opened.py", f"{TESTS}/test_on_shop_opened.py"):
        text = (ada.root / path).read_text("utf-8")
        moved = text.replace("shop_opened", "store_opened").replace("ShopOpened", "StoreOpened")
        (ada.root / path).unlink()
        ada.writes(path.replace("shop", "store"), moved)
    edit(ada.root / "spec.yaml", SHOP_CLOSED, "")
    assert f"orphan   {HANDLERS}/on_shop_closed.py" in ada.generates()
    assert not (ada.root / f"{TESTS}/test_on_shop_closed.py").exists()  # nobody had edited it
    ada.tests_pass()
    ada.commits()


def thursday_a_generated_file_becomes_her_own(ada: Ada) -> None:
    edit(ada.root / "spec.yaml", "areas: integer", "areas: integer, floor: integer?")
    header = (ada.root / ALERTS).read_text("utf-8").splitlines()[0]
    ada.adds(ALERTS, "# ada: nobody is woken at night", header)
    assert ada.eventgen("generate").returncode == 4
    assert ada.eventgen("eject", ALERTS).returncode == 0
    ada.generates()
    assert ada.eventgen("generate", "--check").returncode == 0
    ada.commits()


def friday_another_broker_and_the_template_of_two_versions_later(ada: Ada) -> None:
    edit(ada.root / "eventgen.yaml", "broker: kafka", "broker: rabbitmq")
    ada.commits()
    updated = ada.eventgen("update")
    assert updated.returncode == 0, updated.stderr
    assert "created  migrations/versions/0003_eventgen_later.py" in updated.stderr
    ada.commits()
    project = (ada.root / "pyproject.toml").read_text("utf-8")
    assert "aio-pika" in project
    assert "confluent-kafka" not in project
    assert '"uvicorn>=0.41,<1"' in project
    assert "## In the first minute" in (ada.root / "README.md").read_text("utf-8")
    assert "rabbitmq" in (ada.root / "compose.yaml").read_text("utf-8")


def at_the_weekend_the_database_follows(ada: Ada, database: Path) -> None:
    migrated = ada.python("-m", "tills", "migrate", database=database)
    assert migrated.returncode == 0, migrated.stderr
    assert "0003_eventgen" in migrated.stdout
    assert rows(database) == ROWS
    ada.tests_pass()


ROWS = {"inbox": [("tills", "an-event")], "subscription_pause": [("tills", "ada looks at it")]}


def put_rows(database: Path) -> None:
    """What a service of the first day has written."""
    with sqlite3.connect(database) as connection:
        connection.execute("INSERT INTO inbox (consumer, event_id) VALUES (?, ?)", ROWS["inbox"][0])
        connection.execute(
            "INSERT INTO subscription_pause (consumer, reason) VALUES (?, ?)",
            ROWS["subscription_pause"][0],
        )
    connection.close()


def rows(database: Path) -> dict[str, list[tuple[str, str]]]:
    with sqlite3.connect(database) as connection:
        found = {
            "inbox": connection.execute("SELECT consumer, event_id FROM inbox").fetchall(),
            "subscription_pause": connection.execute(
                "SELECT consumer, reason FROM subscription_pause"
            ).fetchall(),
        }
        assert connection.execute("SELECT count(*) FROM later").fetchone() == (0,)
    connection.close()
    return found
