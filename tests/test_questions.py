"""`eventgen new` on a terminal: it asks for what it was not told, and takes no for an answer."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.support.generate import SPECS, eventgen
from tests.support.terminal import END, INTERRUPT, Terminal

SPEC = """\
asyncapi: 3.0.0
info: {title: tills, version: 1.0.0}
servers: {production: {host: 'mq.example.com:5672', protocol: amqp}}
channels:
  tills: {address: tills, messages: {till.opened: {payload: {type: object}}}}
operations:
  open: {action: send, channel: {$ref: '#/channels/tills'}}
"""
# Stands still as it opens its first file in the new project.
HOLD = """\
import os, signal, sys

def hold(event, arguments):
    global held
    if event == "open" and not held and "/.orders-" in str(arguments[0]):
        held = True
        os.kill(os.getpid(), signal.SIGSTOP)

held = False
sys.addaudithook(hold)
"""


def test_enter_takes_the_example_without_a_broker(tmp_path: Path) -> None:
    terminal = Terminal("new", cwd=tmp_path)
    for question in ("Specification [the orders example]: ", "by number or name [embedded]: "):
        terminal.wait_for(question)
        terminal.type("\n")
    terminal.wait_for("Database, postgres or sqlite [sqlite]: ")
    terminal.type("\n")
    terminal.wait_for("Folder [orders]: ")
    terminal.type("\n")

    assert terminal.finish() == 0, terminal.shown
    config = (tmp_path / "orders" / "eventgen.yaml").read_text("utf-8")
    assert "broker: embedded" in config
    assert "database: sqlite" in config
    same = "eventgen new service orders --broker embedded --database sqlite"
    assert f"without questions:\n  {same}\n" in terminal.shown
    (tmp_path / "orders").rename(tmp_path / "asked")
    assert eventgen(*shlex.split(same)[1:], cwd=tmp_path).returncode == 0
    assert tree(tmp_path / "asked") == tree(tmp_path / "orders")


def test_an_answer_that_will_not_do_is_explained_and_asked_for_again(tmp_path: Path) -> None:
    (tmp_path / "tills.yaml").write_text(SPEC, encoding="utf-8")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").touch()
    terminal = Terminal("new", "service", "--name", "shop-tills", cwd=tmp_path)

    answer(terminal, "Specification", "till.yaml", "there is no file `till.yaml`")
    answer(terminal, "Specification", "tills.yaml")
    terminal.wait_for("name [rabbitmq]: ")  # the server of the specification is one
    terminal.type("kafak\n")
    terminal.wait_for("did you mean `kafka`?")
    answer(terminal, "name [rabbitmq]", "9", "there is no broker `9`")
    answer(terminal, "name [rabbitmq]", "1")
    answer(terminal, "[sqlite]", "postgre", "did you mean `postgres`?")
    answer(terminal, "[sqlite]", "postgres")
    answer(terminal, "Folder [shop-tills]", "full", "not an empty folder")
    answer(terminal, "Folder [shop-tills]", "deep/tills")

    assert terminal.finish() == 0, terminal.shown
    config = (tmp_path / "deep/tills/eventgen.yaml").read_text("utf-8")
    assert "broker: embedded" in config
    assert "database: postgres" in config


@pytest.mark.parametrize("key", [INTERRUPT, END])
@pytest.mark.parametrize("question", ["Specification", "Broker", "Folder"])
def test_whoever_leaves_leaves_nothing(question: str, key: str, tmp_path: Path) -> None:
    terminal = Terminal("new", cwd=tmp_path)
    for one in ("Specification", "Broker, by", "Database", "Folder"):
        terminal.wait_for(one)
        if one.startswith(question):
            break
        terminal.type("\n")
    terminal.wait_until("S")  # it listens: a signal just before that is not heard
    terminal.type(key)

    assert terminal.finish() == 130
    assert terminal.shown.endswith("\ninterrupted\n")
    assert "Traceback" not in terminal.shown
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_generation_leaves_nothing(tmp_path: Path) -> None:
    hook, place = tmp_path / "hook", tmp_path / "place"
    hook.mkdir()
    place.mkdir()
    (hook / "sitecustomize.py").write_text(HOLD, encoding="utf-8")
    command = ("new", "service", "a/b/orders", "--broker", "embedded")
    terminal = Terminal(*command, cwd=place, PYTHONPATH=str(hook))
    terminal.wait_until("T")
    assert list(place.glob("a/b/.orders-*"))
    terminal.type(INTERRUPT)
    terminal.go_on()

    assert terminal.finish() == 130
    assert "Traceback" not in terminal.shown
    assert list(place.iterdir()) == []


def test_what_was_given_is_not_asked_for(tmp_path: Path) -> None:
    spec = SPECS / "publisher.yaml"
    given = ("service", "here", "--spec", str(spec), "--database", "sqlite")
    terminal = Terminal("new", *given, cwd=tmp_path)
    answer(terminal, "Broker, by number or name", "embedded")

    assert terminal.finish() == 0
    assert (tmp_path / "here" / "eventgen.yaml").is_file()
    assert not any(word in terminal.shown for word in ("Specification [", "Database", "Folder ["))


def test_without_a_terminal_nothing_is_asked(tmp_path: Path) -> None:
    made = eventgen("new", cwd=tmp_path)

    assert made.returncode == 2
    assert made.stderr == (
        "error: name the broker: `--broker NAME`\n help: `eventgen brokers` lists them all\n"
    )
    assert list(tmp_path.iterdir()) == []


def answer(terminal: Terminal, question: str, text: str, said: str = "") -> None:
    terminal.wait_for(question)
    terminal.type(f"{text}\n")
    terminal.wait_for(said)


def tree(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.name != "state"
    }
