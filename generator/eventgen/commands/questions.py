"""What `eventgen new` asks, on a terminal, when it was not told."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from eventgen.brokers import discover
from eventgen.commands import choose, progress, project, show
from eventgen.commands.exits import Exit, Stop
from eventgen.model.config import Config, Database
from eventgen.plan.broker import Broker
from eventgen.spec.load import load

T = TypeVar("T")


def can_be_asked() -> bool:
    """Whether there is somebody to answer. Scripts and CI are never kept waiting."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def answered(options: argparse.Namespace) -> argparse.Namespace:
    """The options of `new`, with answers for specification, broker and database.

    KeyboardInterrupt on Ctrl-C and Ctrl-D.
    """
    show.say("Enter takes what stands in brackets; Ctrl-C leaves everything as it is.\n")
    spec = options.spec or ask("Specification", "the orders example", _specification)
    show.complain(_menu(discover()))
    broker = ask("Broker, by number or name", _broker_of(spec), _numbered)
    database = options.database or ask("Database, postgres or sqlite", default(broker), _database)
    given = {"spec": spec, "broker": broker.name, "database": database}
    return argparse.Namespace(**{**vars(options), **given})


def folder(name: str) -> Path:
    """Where to put the service of this name."""
    return ask("Folder", name, _new_folder)


def command(options: argparse.Namespace, path: Path) -> str:
    """What to type for the same project without a question."""
    given = {
        "--spec": options.spec,
        "--broker": options.broker,
        "--database": options.database,
        "--name": options.name,
        "--v2-perspective": options.v2_perspective,
    }
    chosen = [word for name, said in given.items() if said for word in (name, str(said))]
    remote = ["--allow-remote"] * options.allow_remote
    return shlex.join(["eventgen", "new", "service", str(path), *chosen, *remote])


def default(broker: Broker) -> str:
    """The database of a service that was not told which to take."""
    database = Database.POSTGRES if broker.requires else Database.SQLITE
    return database.value


def ask(question: str, default: str, accept: Callable[[str], T]) -> T:
    """Ask until an answer will do. `accept` makes a value of it, or raises Stop."""
    while True:
        print(f"{question} [{default}]: ", end="", file=sys.stderr, flush=True)
        answer = _line()
        progress.begin()  # the time that a person took is none that a command took
        try:
            return accept(answer or default)
        except Stop as problem:
            show.stop(problem)


def _line() -> str:
    line = sys.stdin.readline()
    if not line:
        raise KeyboardInterrupt
    return line.strip()


def _specification(answer: str) -> Path | None:
    if answer == "the orders example":
        return None
    path = Path(answer).expanduser()
    if not path.is_file():
        raise Stop(Exit.USAGE, f"there is no file `{answer}`", "press Enter for the example")
    return path


def _menu(brokers: Mapping[str, Broker]) -> str:
    wide = max(map(len, brokers))
    rows = (
        f"  {number}  {name:<{wide}}  {broker.title}"
        for number, (name, broker) in enumerate(brokers.items(), 1)
    )
    return "\n".join(rows)


def _broker_of(spec: Path | None) -> str:
    """The broker that the specification has a server of, or the one that stands in for any."""
    service = None
    if spec is not None:
        config = Config(spec=str(spec), broker="", database=Database.SQLITE)
        service = load(spec, config, str(spec)).service
    spoken = {server.protocol.value for server in service.servers} if service else set()
    brokers = discover().values()
    fitting = [one for one in brokers if spoken.intersection(one.protocols)]
    return (fitting or [one for one in brokers if not one.protocols])[0].name


def _numbered(answer: str) -> Broker:
    names = list(discover())
    is_number = answer.isdecimal() and 0 < int(answer) <= len(names)
    return choose.broker(names[int(answer) - 1] if is_number else answer)


def _database(answer: str) -> str:
    known = [database.value for database in Database]
    if answer not in known:
        raise Stop(Exit.USAGE, f"there is no `{answer}`", choose.did_you_mean(answer, known))
    return answer


def _new_folder(answer: str) -> Path:
    path = Path(answer).expanduser()
    project.require_free(path)
    return path
