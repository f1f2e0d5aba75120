"""The service's command, in this process and as a process of its own."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from types import SimpleNamespace
from uuid import uuid4

import pytest
from click.testing import CliRunner
from runtime import embedded
from runtime.app import App
from runtime.databases import open_database
from runtime.outbox import Publisher
from sqlalchemy import text

from tests.runtime.tiny import (
    SERVICE,
    Paid,
    Settings,
    captured,
    environment,
    main,
    migrate,
    project,
    until,
)


@pytest.fixture(autouse=True)
def here(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TINY_LOG_FORMAT", "json")
    for name in ("DATABASE_URL", "BROKER"):
        monkeypatch.delenv(f"TINY_{name}", raising=False)


@pytest.fixture
def url(tmp_path, monkeypatch):
    url = migrate(tmp_path)
    monkeypatch.setenv("TINY_DATABASE_URL", url)
    return url


def invoke(*arguments, **options):
    return CliRunner().invoke(main, arguments, **options)


def on(url, work):
    """Do something with the database, and return what comes of it."""

    async def run():
        database = open_database(url)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())


def kill_letters(url, amounts):
    """Handle payments of these amounts; those below zero become dead letters."""

    async def work(database):
        transport = embedded.connect(SERVICE, database)
        async with App(SERVICE, Settings(), database, transport):
            await transport.publish([captured(n, f"o{i}") for i, n in enumerate(amounts)])

            async def settled():
                parked = await database.list_parked(None, "dead", 100)
                return len(parked) == sum(amount < 0 for amount in amounts)

            await until(settled)

    on(url, work)


def add_poison(url):
    async def work(database):
        row = Publisher(SERVICE).row(Paid(order_id="o1"))
        async with database.transaction() as tx:
            await database.add_to_outbox(tx, [row])
        [pending] = await database.list_outbox(10)
        await database.mark_failed(pending.id, "topic denied", poison_after=1)

    on(url, work)


def sentence(result, code):
    """The one line on stderr that a failed command ends with."""
    assert result.exit_code == code, result.output
    lines = [line for line in result.stderr.splitlines() if not line.startswith("{")]
    assert len(lines) == 1, result.stderr
    assert "Traceback" not in result.stderr
    return lines[0]


# configuration and reachability -------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ("run",),
        ("relay",),
        ("migrate",),
        ("provision",),
        ("export",),
        ("doctor",),
        ("lag",),
        ("outbox", "ls"),
        ("dlq", "ls"),
    ],
)
def test_without_a_database_everything_refuses_in_one_sentence(arguments):
    assert "TINY_DATABASE_URL is not set" in sentence(invoke(*arguments), 2)


def test_a_wrong_setting_is_a_sentence(monkeypatch):
    monkeypatch.setenv("TINY_HTTP_PORT", "many")
    assert "TINY_HTTP_PORT" in sentence(invoke("run"), 2)


def test_an_unknown_broker_is_a_sentence(url, monkeypatch):
    monkeypatch.setenv("TINY_BROKER", "rabbit")
    assert "TINY_BROKER is 'rabbit'" in sentence(invoke("run"), 2)


@pytest.mark.parametrize("arguments", [("run",), ("outbox", "ls"), ("dlq", "ls"), ("doctor",)])
def test_a_database_that_was_not_migrated_is_a_sentence(arguments, tmp_path, monkeypatch):
    project(tmp_path)
    monkeypatch.setenv("TINY_DATABASE_URL", f"sqlite:///{tmp_path / 'empty.db'}")
    monkeypatch.setenv("TINY_HTTP_PORT", "0")
    result = invoke(*arguments)
    assert result.exit_code == (1 if arguments == ("doctor",) else 2), result.output
    assert "run `tiny migrate`" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("arguments", [("migrate",), ("outbox", "ls"), ("dlq", "ls")])
def test_a_database_that_does_not_answer_is_a_sentence(arguments, tmp_path, monkeypatch):
    project(tmp_path)
    monkeypatch.setenv("TINY_DATABASE_URL", "postgresql://u:s3cret@127.0.0.1:1/none")
    said = sentence(invoke(*arguments), 6)
    assert "s3cret" not in said
    assert "database" in said


@pytest.mark.servers
@pytest.mark.parametrize("arguments", [("migrate",), ("outbox", "ls"), ("run",)])
def test_a_database_that_refuses_is_a_sentence(arguments, postgres, tmp_path, monkeypatch):
    project(tmp_path)
    url = re.sub(r"/[^/]*$", f"/missing_{uuid4().hex}", postgres.url)
    monkeypatch.setenv("TINY_DATABASE_URL", url)
    monkeypatch.setenv("TINY_HTTP_PORT", "0")
    assert "does not exist" in sentence(invoke(*arguments), 2)


def test_help_and_version_need_no_configuration():
    assert invoke("--help").exit_code == 0
    for name in (
        *(
            "run",
            "relay",
            "provision",
            "export",
            "migrate",
            "dev",
            "outbox",
            "dlq",
            "doctor",
            "lag",
        ),
        *("pause", "resume", "replay"),
    ):
        assert name in invoke("--help").stdout


# preparing ----------------------------------------------------------------------------------------


def test_migrate_brings_the_database_to_the_head_and_again_does_nothing(tmp_path, monkeypatch):
    project(tmp_path)
    monkeypatch.setenv("TINY_DATABASE_URL", f"sqlite:///{tmp_path / 'new.db'}")
    for _ in range(2):
        result = invoke("migrate")
        assert result.exit_code == 0, result.output
        assert "0002_eventgen" in result.output


def test_migrate_elsewhere_says_where_to_run_it(monkeypatch, tmp_path):
    monkeypatch.setenv("TINY_DATABASE_URL", f"sqlite:///{tmp_path / 'new.db'}")
    assert "alembic.ini" in sentence(invoke("migrate"), 2)


def test_provision_says_what_it_would_do_then_does_it_once(url):
    assert "would create the embedded log" in invoke("provision", "--dry-run").stdout
    assert "would create the embedded log" in invoke("provision", "--dry-run").stdout
    first = invoke("provision")
    assert first.exit_code == 0
    assert "create the embedded log" in first.stdout
    assert "would" not in first.stdout
    assert "everything is there" in invoke("provision").output


def test_export_prints_what_the_transport_says_for_whom_it_is_asked(url, monkeypatch):
    def export(self, service, user):
        return f"{service.name} as {user}\n"

    said = invoke("export")
    assert (said.stdout, said.exit_code) == ("", 0)
    assert "nothing to set up" in said.stderr
    monkeypatch.setattr("runtime.embedded.EmbeddedTransport.export", export)
    assert invoke("export").stdout == "tiny as tiny\n"
    assert invoke("export", "--user", "somebody").stdout == "tiny as somebody\n"


# outbox and dead letters --------------------------------------------------------------------------


def test_the_outbox_is_listed_for_people_and_machines_and_retried(url):
    add_poison(url)
    shown = invoke("outbox", "ls")
    assert shown.exit_code == 0
    heading, row = shown.stdout.splitlines()
    assert "poison" in row
    assert "topic denied" in row
    # Columns are aligned: each value begins below its heading.
    assert row.index("poison") == heading.lower().index("status")
    [record] = [json.loads(line) for line in invoke("outbox", "ls", "--json").stdout.splitlines()]
    assert (record["status"], record["type"]) == ("poison", "order.paid")
    assert "1 event" in invoke("outbox", "retry", str(record["id"])).output
    assert "pending" in invoke("outbox", "ls").stdout


@pytest.fixture
def terminal(monkeypatch):
    """As if somebody sat there."""
    monkeypatch.setattr(
        "runtime.ops.sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True))
    )


def test_dead_letters_are_listed_shown_replayed_and_discarded(url, terminal):
    kill_letters(url, [-1, 5, -2])
    shown = invoke("dlq", "ls")
    assert len(shown.stdout.splitlines()) == 3
    assert "DeadLetter: an amount below zero" in shown.stdout
    lines = invoke("dlq", "ls", "--json").stdout.splitlines()
    first, second = (json.loads(line)["number"] for line in lines)
    page = invoke("dlq", "show", str(first)).stdout
    assert "ce_type: payment.captured" in page
    assert '"amount":-1' in page
    assert "an amount below zero" in page

    assert invoke("dlq", "show", "999").exit_code == 1
    assert invoke("dlq", "replay").exit_code == 2
    assert invoke("dlq", "replay", str(first), "--all").exit_code == 2

    assert "1 dead letter would be" in invoke("dlq", "replay", str(first), "--dry-run").stdout
    assert invoke("dlq", "replay", str(first)).exit_code == 0
    rows = on(url, lambda database: database.list_parked(None, None, 10))
    assert {row.seq: row.status for row in rows} == {first: "retry", second: "dead"}
    assert invoke("dlq", "discard", str(second), input="y\n").exit_code == 0
    assert "no dead letters" in invoke("dlq", "ls").output
    assert len(on(url, lambda database: database.list_parked(None, None, 10))) == 1


def test_a_page_for_machines_has_all_of_it(url):
    kill_letters(url, [-1])
    [line] = invoke("dlq", "ls", "--json").stdout.splitlines()
    page = json.loads(invoke("dlq", "show", str(json.loads(line)["number"]), "--json").stdout)
    assert json.loads(page["body"]) == {"order_id": "o0", "amount": -1}
    assert page["headers"]["ce_type"] == "payment.captured"
    assert page["headers"]["ce_id"] == page["event_id"]


def test_filters_choose_dead_letters_and_a_second_replay_does_nothing(url):
    kill_letters(url, [-1, -2, -3])
    assert invoke("dlq", "replay", "1", "--key", "o1").exit_code == 2
    assert invoke("dlq", "replay", "--all", "--key", "o1").exit_code == 2
    assert invoke("dlq", "ls", "--since", "yesterday").exit_code == 2
    for nothing in (("--until", "2020-01-01"), ("--event", "no"), ("--subscription", "no")):
        assert "no dead letters" in invoke("dlq", "ls", *nothing).output
    chosen = ("dlq", "replay", "--key", "o1", "--since", "2020-01-01T00:00Z", "--json")
    assert json.loads(invoke(*chosen, "--dry-run").stdout) == {"count": 1, "done": False}
    assert json.loads(invoke(*chosen).stdout) == {"count": 1, "done": True}
    assert json.loads(invoke(*chosen).stdout) == {"count": 0, "done": True}
    assert len(invoke("dlq", "ls", "--reason", "rejected").stdout.splitlines()) == 3
    assert "2 dead letters will be" in invoke("dlq", "replay", "--all", "--rate", "100").stdout


def test_without_a_terminal_nothing_is_deleted_unless_told_to(url):
    kill_letters(url, [-1])
    add_poison(url)
    for command in (("dlq", "discard"), ("outbox", "discard")):
        assert "give --yes" in invoke(*command, "--all", input="y\n").stderr
        assert invoke(*command, "--all", "--dry-run").exit_code == 0
        assert json.loads(invoke(*command, "--all", "--yes", "--json").stdout)["count"] == 1
    assert "the outbox is empty" in invoke("outbox", "ls").output


def test_what_was_sent_is_sent_again_only_as_far_as_it_was_kept(url):
    async def sent(database):
        row = Publisher(SERVICE).row(Paid(order_id="o1"))
        async with database.transaction() as tx:
            await database.add_to_outbox(tx, [row])
        [pending] = await database.list_outbox(10)
        await database.mark_sent([pending.id], keep=True)

    on(url, sent)
    assert "TINY_OUTBOX_RETENTION_DAYS" in invoke("outbox", "republish").stderr
    again = ("outbox", "republish", "--since", "2020-01-01", "--event", "order.paid")
    assert "1 event would be sent again" in invoke(*again, "--dry-run").stdout
    assert "give --yes" in invoke(*again).stderr
    assert "the outbox is empty" in invoke("outbox", "ls").output
    assert "1 event will be sent again" in invoke(*again, "--yes").stdout
    assert "o1" in invoke("outbox", "ls").stdout


def test_discarding_asks_unless_told_not_to(url, terminal):
    kill_letters(url, [-1])
    assert invoke("dlq", "discard", "--all", input="n\n").exit_code == 1
    assert len(invoke("dlq", "ls").stdout.splitlines()) == 2
    assert invoke("dlq", "discard", "--all", "--yes").exit_code == 0
    assert "no dead letters" in invoke("dlq", "ls").output


def test_a_number_that_means_nothing_is_a_finding(url):
    for arguments in (("dlq", "replay", "7"), ("dlq", "discard", "7", "--yes")):
        result = invoke(*arguments)
        assert result.exit_code == 1, result.output
    assert invoke("outbox", "retry", "7").exit_code == 1


def test_a_replay_says_what_it_would_do_and_did(url):
    publish(url, 5, 6)
    replay = ("replay", "--from", "2020-01-01", "--group")
    assert invoke(*replay, "a b").exit_code == 2
    assert invoke("replay", "--from", "soon", "--group", "x").exit_code == 2
    assert "2 events would be handled again" in invoke(*replay, "x", "--dry-run").stdout
    assert "payments: 2 events; 2 handled" in invoke(*replay, "x").stdout
    said = json.loads(invoke(*replay, "x", "--json").stdout)
    assert said == {"subscription": "payments", "read": 2, "duplicate": 2}
    first = invoke("replay", "--from", "0", "--group", "same", "--event", "payment.captured")
    assert "2 handled" in first.stdout
    again = invoke(*replay, "same")
    assert "2 duplicate" in again.stdout
    assert "not handled again" in again.stderr
    assert len(invoke("outbox", "ls").stdout.splitlines()) == 5  # each replay published


# pauses -------------------------------------------------------------------------------------------


def test_a_subscription_is_paused_and_goes_on_while_the_service_runs(url):
    assert invoke("pause", "shipments").exit_code == 2
    assert "was not paused" in invoke("resume", "payments").stdout
    assert invoke("pause", "payments", "--reason", "the bank moves").exit_code == 0
    assert "(the bank moves)" in invoke("doctor").stdout
    assert "tiny resume payments" in invoke("doctor").stdout
    with running(url, TINY_LOG_LEVEL="debug") as service:
        assert service.wait_for("consumer.paused")["reason"] == "the bank moves"
        service.wait_for("service.started")
        publish(url, 5)
        service.wait_for("consumer.received")
        assert invoke("resume", "payments").exit_code == 0
        service.wait_for("consumer.resumed")
        service.wait_for("consumer.handled")
        assert invoke("pause", "payments").exit_code == 0
        service.wait_for("consumer.paused")
        code, seconds = service.stop()
    assert code == 0
    assert seconds < 10


# doctor -------------------------------------------------------------------------------------------


def test_the_doctor_names_what_is_wrong_and_what_to_do(url):
    kill_letters(url, [-1])
    add_poison(url)
    on(url, make_outbox_old)
    result = invoke("doctor")
    assert result.exit_code == 1
    for words in ("topic denied", "outbox retry", "1 dead letter", "dlq ls", "tiny relay"):
        assert words in result.output, words


async def make_outbox_old(database):
    async with database.transaction() as tx:
        row = Publisher(SERVICE).row(Paid(order_id="o2"))
        await database.add_to_outbox(tx, [row])
        await tx.execute(text("UPDATE outbox SET created_at = '2020-01-01 00:00:00.000'"))


def test_the_doctor_finds_a_database_that_is_away(tmp_path, monkeypatch):
    project(tmp_path)
    monkeypatch.setenv("TINY_DATABASE_URL", "postgresql://u:s3cret@127.0.0.1:1/none")
    result = invoke("doctor")
    assert result.exit_code == 1
    assert "TINY_DATABASE_URL" in result.output
    assert "s3cret" not in result.output


def test_the_doctor_finds_a_broker_that_was_not_provisioned(url):
    result = invoke("doctor")
    assert result.exit_code == 1
    assert "tiny provision" in result.output


def test_the_doctor_is_content_while_the_service_runs(url):
    with running(url) as service:
        service.wait_ready()
        until = time.monotonic() + 10  # the leases are had a moment after the start
        while (result := invoke("doctor")).exit_code and time.monotonic() < until:
            time.sleep(0.1)
        assert result.exit_code == 0, result.output
        assert "everything is well" in result.output


# the process --------------------------------------------------------------------------------------


class running:  # noqa: N801 - reads as what it is
    """`tiny run` as a process of its own."""

    def __init__(self, url, *arguments, **variables):
        given = {"TINY_DATABASE_URL": url, "TINY_HTTP_PORT": "0", "TINY_LOG_FORMAT": "json"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.runtime.tiny", *(arguments or ("run",))],
            env=environment(**{**given, **variables}),
            stderr=subprocess.PIPE,
            text=True,
        )
        self.log = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()

    def wait_for(self, event):
        """The first entry of the log with this name."""
        for line in self.process.stderr:
            entry = json.loads(line) if line.startswith("{") else {"event": line}
            self.log.append(entry)
            if entry["event"] == event:
                return entry
        raise AssertionError(f"no {event} in {self.log}")

    def wait_ready(self):
        self.address = self.wait_for("http.listening")["address"]
        self.wait_for("service.started")

    def read(self, path):
        with urllib.request.urlopen(f"http://{self.address}{path}", timeout=5) as response:
            return response.read().decode()

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://{self.address}{path}", timeout=5) as response:
                return response.status
        except urllib.error.HTTPError as error:
            return error.code

    def stop(self, number=signal.SIGTERM):
        """The exit code after a signal, and how long it took."""
        started = time.monotonic()
        self.process.send_signal(number)
        self.rest = self.process.communicate(timeout=20)[1]
        return self.process.returncode, time.monotonic() - started


def publish(url, *amounts):
    async def work(database):
        transport = embedded.connect(SERVICE, database)
        await transport.start()
        await transport.publish([captured(n) for n in amounts])

    on(url, work)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_service_in_order(url, number):
    with running(url) as service:
        service.wait_ready()
        assert [service.get(path) for path in ("/livez", "/readyz", "/metrics")] == [200] * 3
        code, seconds = service.stop(number)
    assert code == 0, service.rest
    assert seconds < 10
    assert "Traceback" not in service.rest


def test_what_is_under_way_is_finished_first(url):
    with running(url, TINY_LOG_LEVEL="debug") as service:
        service.wait_ready()
        publish(url, 1500)  # takes a second and a half
        service.wait_for("consumer.received")
        code, seconds = service.stop()
    assert code == 0
    assert 0.5 < seconds < 10
    assert "relay.sent" in service.rest


def test_readiness_goes_off_first_while_what_is_in_hand_is_finished(url):
    with running(url, TINY_LOG_LEVEL="debug") as service:
        service.wait_ready()
        publish(url, 3000)  # takes three seconds
        service.wait_for("consumer.received")
        assert service.get("/readyz") == 200
        service.process.send_signal(signal.SIGTERM)
        service.wait_for("service.draining")
        assert (service.get("/readyz"), service.get("/livez")) == (503, 200)
        assert "eventgen_draining 1.0" in service.read("/metrics")
        assert not any(entry["event"] == "consumer.handled" for entry in service.log)
        service.wait_for("consumer.handled")
        code = service.process.wait(20)
    assert code == 0


def test_the_second_signal_ends_it_at_once(url):
    with running(url, TINY_LOG_LEVEL="debug") as service:
        service.wait_ready()
        publish(url, 15_000)
        service.wait_for("consumer.received")
        service.process.send_signal(signal.SIGTERM)
        service.wait_for("service.draining")
        code, _ = service.stop()
    assert code == 128 + signal.SIGTERM


def test_not_ready_but_alive_without_a_database(tmp_path):
    with running("postgresql://u:p@127.0.0.1:1/none") as service:
        service.address = service.wait_for("http.listening")["address"]
        service.wait_for("service.waiting")
        assert (service.get("/livez"), service.get("/readyz")) == (200, 503)
        code, _ = service.stop()
    assert code == 0


def test_the_relay_alone_sends_and_handles_nothing(url):
    publish(url, 5)
    on(url, make_outbox_old)
    with running(url, "relay", TINY_LOG_LEVEL="debug") as service:
        service.wait_for("relay.sent")
        code, _ = service.stop()
    assert code == 0
    assert "consumer.received" not in service.rest


def test_a_crash_is_logged_and_exits_with_1(url, tmp_path):
    crashing = tmp_path / "crashing.py"
    crashing.write_text(
        "from runtime import housekeeping\n"
        "async def run(self, stopping):\n"
        "    raise ZeroDivisionError('a bug')\n"
        "housekeeping.Housekeeping.run = run\n"
        "from tests.runtime.tiny import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, str(crashing), "run"],
        env=environment(TINY_DATABASE_URL=url, TINY_HTTP_PORT="0", TINY_LOG_FORMAT="json"),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    entries = [json.loads(line) for line in done.stderr.splitlines()]  # all of it is the log
    [crash] = [entry for entry in entries if entry["event"] == "service.crashed"]
    assert "ZeroDivisionError: a bug" in crash["exception"]
