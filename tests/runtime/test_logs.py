from __future__ import annotations

import io
import json
import logging
import sys

import pytest
import structlog
from runtime import logs


class Terminal(io.StringIO):
    """A stream a person looks at."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def restored():
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield
    root.handlers, level = before
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def entries(capsys):
    """Reads what was logged since the last look, as JSON."""
    return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_json_lines_of_the_service_and_of_libraries_look_alike(entries):
    logs.configure("info", "json")
    structlog.get_logger("eventgen.relay").bind(event_id="e1").info("relay.sent", key="k")
    logging.getLogger("alembic.runtime").info("upgrading to %s", "0001")
    first, second = entries()
    assert first["event"] == "relay.sent"
    assert first["logger"] == "eventgen.relay"
    assert (first["event_id"], first["key"], first["level"]) == ("e1", "k", "info")
    assert first["timestamp"].endswith("Z")
    assert (second["event"], second["logger"]) == ("upgrading to 0001", "alembic.runtime")
    assert first.keys() - {"event_id", "key"} == second.keys()


def test_the_level_holds_for_both(entries):
    logs.configure("warning", "json")
    structlog.get_logger().info("a")
    logging.getLogger("x").info("b")
    logging.getLogger("uvicorn.error").info("c")
    structlog.get_logger().warning("d")
    assert [entry["event"] for entry in entries()] == ["d"]


def test_an_exception_is_one_line_of_json(entries):
    logs.configure("info", "json")
    try:
        raise ValueError("boom")
    except ValueError as error:
        structlog.get_logger().error("failed", exc_info=error)
        structlog.get_logger().exception("failed")
        logging.getLogger("x").exception("failed")
    found = entries()
    assert len(found) == 3
    assert all("ValueError: boom" in entry["exception"] for entry in found)


def test_colours_are_for_terminals_that_want_them(monkeypatch):
    for stream, no_color, colored in (
        (Terminal(), "", True),
        (Terminal(), "1", False),
        (io.StringIO(), "", False),
    ):
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setenv("NO_COLOR", no_color)
        logs.configure("info", "console")
        structlog.get_logger("x").warning("hello", a=1)
        assert "hello" in stream.getvalue()
        assert ("\x1b[" in stream.getvalue()) is colored


def test_auto_is_console_on_a_terminal_and_json_elsewhere(monkeypatch, entries):
    logs.configure("info", "auto")
    structlog.get_logger().info("hello")
    assert entries()[0]["event"] == "hello"
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    logs.configure("info", "auto")
    structlog.get_logger().info("hello")
    assert not terminal.getvalue().startswith("{")


def test_an_observer_sees_every_step_and_the_log_keeps_its_level(entries):
    seen = []
    logs.configure("warning", "json", lambda name, entry: seen.append((name, entry.get("key"))))
    log = structlog.get_logger("eventgen.consumer")
    log.debug("consumer.handled", key="k")
    log.warning("consumer.retry", key="k")
    assert seen == [("consumer.handled", "k"), ("consumer.retry", "k")]
    assert [entry["event"] for entry in entries()] == ["consumer.retry"]
