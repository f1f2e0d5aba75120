"""`eventgen explain`: what a finding is about, and what to write instead."""

from __future__ import annotations

import argparse

from eventgen import catalogue
from eventgen.commands.exits import Exit, Stop
from eventgen.spec.nearest import did_you_mean
from eventgen.verdict import LIST


def parser(prog: str) -> argparse.ArgumentParser:
    """NAME."""
    made = argparse.ArgumentParser(
        prog=prog,
        description="Say what a finding is about, why it matters, and what to write instead.",
        epilog=(
            "examples:\n"
            "  eventgen explain                      every finding, one line each\n"
            "  eventgen explain ordering-without-key"
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("name", nargs="?", metavar="NAME", help="the name of a finding")
    return made


def run(options: argparse.Namespace) -> Exit:
    """Print an explanation, or the list of all."""
    explained = catalogue.explained()
    if options.name is None:
        width = max(map(len, explained))
        for name, text in explained.items():
            print(f"{name:<{width}}  {catalogue.summary(text)}")
        return Exit.OK
    if options.name in explained:
        print(f"# {options.name}\n\n{explained[options.name]}")
        return Exit.OK
    raise Stop(
        Exit.USAGE,
        f"there is no finding `{options.name}`",
        did_you_mean(options.name, explained) or LIST,
    )
