"""`dev`: what is printed is what happened, and the exit code says whether all of it went well."""

from __future__ import annotations

import logging
import sqlite3
import sys
import types
from contextlib import closing

import pytest
import structlog
from click.testing import CliRunner
from runtime import dev as dev_module
from runtime import embedded
from runtime.cli import command

from tests.runtime.tiny import Paid, Settings, captured, make_service, project


@pytest.fixture(autouse=True)
def here(monkeypatch, tmp_path):
    project(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(embedded, "COMMIT_EVERY", 0.02)
    monkeypatch.delenv("TINY_DATABASE_URL", raising=False)
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield
    root.handlers, level = before
    root.setLevel(level)
    structlog.reset_defaults()


def dev(*arguments, service=None):
    return CliRunner().invoke(command(service or make_service(), Settings), ["dev", *arguments])


def counts(table):
    with closing(sqlite3.connect(".dev/tiny.db")) as database:
        return database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_examples_go_through_every_stage():
    result = dev()
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    stages = [
        next(i for i, line in enumerate(lines) if event in line and stage in line)
        for event, stage in (
            ("order.paid", "outbox"),
            ("order.paid", "relay"),
            ("payment.captured", "inbox"),
            ("payment.captured", "handler"),
        )
    ]
    assert stages[0] < stages[1]
    assert stages[2] < stages[3]
    assert "on_payment_captured" in lines[stages[3]]
    assert " ms" in lines[stages[3]]
    for table in ("outbox", "embedded_log", "inbox", "parked"):
        assert f"({table})" in result.stdout
    assert counts("inbox") == 1
    assert counts("embedded_log") == 3  # the two examples, and what the handler published


def test_it_starts_afresh_unless_told_to_keep():
    for arguments, handled in (((), 1), (("--keep",), 2), ((), 1)):
        assert dev(*arguments).exit_code == 0
        assert counts("inbox") == handled


def test_the_exit_code_says_that_a_handler_failed():
    result = dev(service=make_service(example=b'{"order_id":"o1","amount":0}'))
    assert result.exit_code == 1
    assert "ValueError: an amount of nothing" in result.output
    assert counts("parked") == 1
    assert "payment.captured" in result.stderr


def test_the_exit_code_says_that_an_event_was_not_handled(monkeypatch):
    async def never(event, ctx):
        import asyncio

        await asyncio.sleep(20)  # less than the handler may take

    monkeypatch.setattr(dev_module, "PATIENCE", 1.0)
    result = dev(service=make_service(never))
    assert result.exit_code == 1
    assert counts("parked") == 0


def test_parameters_of_a_channel_are_filled_in():
    from dataclasses import replace

    service = make_service()
    [subscription] = service.subscriptions
    channel = replace(
        subscription.channel,
        destination="payments.{region}",
        parameters={"region": ()},
    )
    service = replace(service, subscriptions=(replace(subscription, channel=channel),))
    result = dev(service=service)
    assert result.exit_code == 0, result.output
    assert counts("inbox") == 1


@pytest.fixture
def hook(monkeypatch):
    """The service's own module `dev`, empty for now."""
    module = types.ModuleType("own_dev")
    monkeypatch.setattr(dev_module, "_hook", lambda *_: module)
    monkeypatch.setitem(sys.modules, "own_dev", module)
    return module


def test_the_services_own_play_and_summary(hook):
    async def play(app):
        async with app.unit_of_work() as uow:
            uow.publish(Paid(order_id="mine"))
        await app.transport.publish([captured(7)])

    async def summary(db):
        from sqlalchemy import text

        return {"events I counted": (await db.execute(text("SELECT 40 + 2"))).scalar_one()}

    hook.play, hook.summary = play, summary
    result = dev()
    assert result.exit_code == 0, result.output
    assert "42  events I counted" in result.stdout
    assert counts("inbox") == 1


def test_a_play_that_raises_is_a_failure(hook):
    async def play(app):
        raise RuntimeError("no stock")

    hook.play = play
    result = dev()
    assert result.exit_code == 1
    assert "no stock" in result.output


def test_without_a_project_it_says_where_to_run_it(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    result = dev()
    assert result.exit_code == 2
    assert "alembic.ini" in result.stderr
