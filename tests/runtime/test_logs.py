from __future__ import annotations

import asyncio
import io
import json
import logging
import sys

import pytest
import structlog
from alembic.runtime.migration import MigrationContext
from opentelemetry import trace
from runtime import logs
from runtime.app import App
from runtime.databases import open_database
from runtime.embedded import EmbeddedTransport
from runtime.envelope import Envelope, uuid7
from sqlalchemy import create_engine, text

from tests.runtime.tiny import Paid, Settings, captured, make_service, until
from tests.support.runtime import create_tables


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


def test_alembic_says_what_it_does_and_nothing_before(entries):
    logs.configure("info", "json")
    with create_engine("sqlite://").connect() as connection:
        MigrationContext.configure(connection)
    logging.getLogger("alembic.runtime.migration").info("Running %s", "upgrade")
    assert [entry["event"] for entry in entries()] == ["Running upgrade"]


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


# events on their way ------------------------------------------------------------------------------


async def through(url, handler, *amounts):
    """Have the service handle these payments; wait until all is done and sent."""
    database = open_database(url)
    await create_tables(database)
    transport = EmbeddedTransport(database)
    async with App(make_service(handler), Settings(), database, transport):
        await transport.publish([captured(n, f"o{i}") for i, n in enumerate(amounts)])

        async def done():
            async with database.reading() as tx:
                handled = (await tx.execute(text("SELECT count(*) FROM inbox"))).scalar_one()
            return handled == len(amounts) and not await database.list_outbox(1)

        await until(done)


def test_every_line_about_an_event_has_its_correlation_and_causation(database_url, entries):
    logs.configure("debug", "json")

    async def handler(event, ctx):
        ctx.logger.info("of the handler")
        structlog.get_logger("mine").info("of code that knows no context")
        logging.getLogger("library").warning("of a library")
        ctx.publish(Paid(order_id=event.order_id))

    asyncio.run(through(database_url, handler, 1))
    found = entries()
    steps = {entry["event"]: entry for entry in found if "event_id" in entry}
    assert steps.keys() >= {
        "consumer.received",
        "consumer.handled",
        "outbox.stored",
        "relay.sent",
        "of the handler",
        "of code that knows no context",
        "of a library",
    }
    assert all({"correlation_id", "causation_id"} <= entry.keys() for entry in steps.values())
    cause = steps["consumer.received"]["event_id"]
    for step in ("of the handler", "of code that knows no context", "of a library"):
        assert steps[step]["event_id"] == cause
        assert steps[step]["event_type"] == "payment.captured"
    for step in ("outbox.stored", "relay.sent"):
        assert steps[step]["causation_id"] == steps[step]["correlation_id"] == cause
    after = [entry for entry in found if entry["event"] == "service.stopped"]
    assert "event_id" not in after[0]


def test_at_info_a_hundred_events_log_as_much_as_none(database_url, tmp_path, entries):
    async def handler(event, ctx):
        ctx.publish(Paid(order_id=event.order_id))

    def ours():
        return [e["event"] for e in entries() if e["logger"].startswith("eventgen.")]

    logs.configure("info", "json")
    asyncio.run(through(f"sqlite:///{tmp_path / 'quiet.db'}", handler))
    quiet = ours()
    assert quiet == ["service.started", "service.draining", "service.stopped"]
    asyncio.run(through(database_url, handler, *range(1, 101)))
    assert ours() == quiet


def test_a_trace_is_found_again_in_the_log(entries):
    context = trace.SpanContext(0xABC, 0xDEF, is_remote=False, trace_flags=trace.TraceFlags(1))
    logs.configure("info", "json")
    with trace.use_span(trace.NonRecordingSpan(context)):
        structlog.get_logger().info("inside")
    structlog.get_logger().info("outside")
    inside, outside = entries()
    assert (inside["trace_id"], inside["span_id"]) == (f"{0xABC:032x}", f"{0xDEF:016x}")
    assert "trace_id" not in outside


def test_what_a_handler_says_itself_wins(entries):
    logs.configure("info", "json")
    token = logs.EVENT.set(Envelope(uuid7(), "t", "s", None, "1", correlation_id="c"))
    structlog.get_logger().info("x", correlation_id="mine")
    logs.EVENT.reset(token)
    assert entries()[0]["correlation_id"] == "mine"


# secrets ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", ["json", "console"])
def test_a_password_in_a_url_is_hidden_wherever_it_turns_up(format_, capsys):
    logs.configure("info", format_)
    url = "postgresql://shop:s3cret@db:5432/shop"
    try:
        raise OSError(f"cannot connect to {url}")
    except OSError as error:
        structlog.get_logger().error("failed", exc_info=error, where=url)
    logging.getLogger("library").error("cannot reach %s", "amqps://u:s3cret@broker/vhost")
    said = capsys.readouterr().err
    assert "s3cret" not in said
    assert "postgresql://shop:***@db:5432/shop" in said
    assert "amqps://u:***@broker/vhost" in said


def test_what_only_looks_like_a_password_is_left_alone(entries):
    logs.configure("info", "json")
    said = {"a": "http://shop:8080", "b": "ann@shop", "c": '{"u":"http://h:80","m":"x@y"}'}
    structlog.get_logger().info("x", **said)
    assert said.items() <= entries()[0].items()
