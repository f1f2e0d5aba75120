"""argv -> one command -> exit code. The only place that ends the process."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType

from eventgen import __version__

_COMMANDS = (
    ("new", "start a new service"),
    ("generate", "write what the specification asks for, again"),
    ("update", "merge a newer template into the files that are yours"),
    ("eject", "make a generated file your own"),
    ("check", "say what is wrong with a specification"),
    ("diff", "say what a change of a specification breaks, and for whom"),
    ("explain", "say what a finding is about, or what holds for an event and why"),
    ("docs", "write a page about the events for people to read"),
    ("convert", "write the short form as AsyncAPI 3"),
    ("doctor", "say what is wrong around a project, and which command mends it"),
    ("brokers", "list the brokers and what each can do"),
    ("completion", "print what makes a shell complete commands and options"),
)
_DESCRIPTION = """\
Event-driven Python services from an event specification: typed events, a transactional
outbox, an idempotent inbox, retries and dead letters, for the broker you choose."""
_EPILOG = """\
examples:
  eventgen brokers                                     what there is to choose from
  eventgen new service --broker embedded               the orders example, without a broker
  eventgen new service --spec asyncapi.yaml --broker embedded
  eventgen generate                                    after you edited the specification
  eventgen generate --check                            in CI: is everything up to date?
  eventgen check specs/ --format github --strict       in CI: is every specification right?
  eventgen diff main                                   what does this change break, and for whom
  eventgen explain unused-channel                      what a finding is about
  eventgen update                                      after you installed a newer eventgen
  eventgen doctor                                      when something is not as it should be
  eventgen docs                                        a page about the events, for people

Every command has --help with examples, --quiet and --verbose. Data goes to standard output,
everything else to standard error. NO_COLOR turns colours off.

exit codes:
  0 ok   1 findings or drift   2 usage   3 invalid specification or configuration
  4 refused to overwrite hand edits   5 an update left conflicts   6 environment   70 a bug of ours
  130 interrupted"""


# What git tells its hooks, and others that it runs, of a repository that need not be ours.
_OF_A_REPOSITORY = tuple(
    f"GIT_{name}"
    for name in (
        *("DIR", "WORK_TREE", "INDEX_FILE", "PREFIX", "COMMON_DIR", "NAMESPACE"),
        *("OBJECT_DIRECTORY", "ALTERNATE_OBJECT_DIRECTORIES"),
    )
)


def parser() -> argparse.ArgumentParser:
    """The first word of the command line. Each command parses the rest itself, once imported."""
    top = _top()
    verbs = _verbs(top)
    for name, summary in _COMMANDS:
        verbs.add_parser(name, help=summary, add_help=False)
    return top


def _top() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="eventgen",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"eventgen {__version__}")
    return top


def _verbs(top: argparse.ArgumentParser) -> argparse._SubParsersAction[argparse.ArgumentParser]:
    return top.add_subparsers(dest="command", metavar="COMMAND", required=True)


def run(argv: Sequence[str]) -> int:
    """Run one command; its exit code. A command's module is imported only when it is asked for."""
    chosen = parser().parse_args(argv[:1] or ["--help"])
    command = import_module(f"eventgen.commands.{chosen.command}")
    options = parser_of(chosen.command, f"eventgen {chosen.command}").parse_args(argv[1:])
    import_module("eventgen.commands.show").set_volume(options.volume)
    return int(command.run(options))


def parser_of(name: str, prog: str) -> argparse.ArgumentParser:
    """The parser of one command, with the options that every command has."""
    made: argparse.ArgumentParser = import_module(f"eventgen.commands.{name}").parser(prog)
    import_module("eventgen.commands.options").add_volume(made)
    return made


def main() -> None:
    """The console script."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what its encoding has not is no reason to fail
            stream.reconfigure(errors="backslashreplace")
    for name in _OF_A_REPOSITORY:
        os.environ.pop(name, None)
    if "_ARGCOMPLETE" in os.environ:
        _complete(os.environ.get("COMP_LINE", ""))
    sys.exit(_guarded(sys.argv[1:]))


def _complete(line: str) -> None:
    """Answer a shell that asks how its line may go on, and end."""
    import argcomplete  # noqa: PLC0415 - only a shell needs it

    top = _top()
    verbs = _verbs(top)
    for name, _ in _COMMANDS:
        known = [parser_of(name, name)] * (name in line.split())
        verbs.add_parser(name, parents=known, add_help=False)
    argcomplete.autocomplete(top)


def _guarded(argv: Sequence[str]) -> int:
    try:
        return run(argv)
    except KeyboardInterrupt:
        return int(_crash().interrupted())
    except BrokenPipeError:
        return int(_crash().pipe_closed())
    except Exception as problem:  # noqa: BLE001  - whatever it is, the user gets a sentence
        return int(_crash().report(problem))


def _crash() -> ModuleType:
    return import_module("eventgen.commands.crash")  # 30 ms, which only what goes wrong needs
