"""`eventgen doctor`: what is wrong around a project, each with the command that mends it."""

from __future__ import annotations

import argparse
from pathlib import Path

from eventgen.commands import ailments, project, show
from eventgen.commands.exits import Exit

_EPILOG = """\
examples:
  eventgen doctor

It writes nothing, and needs no network. Of a running service, ask its own command: `orders doctor`.

exit codes:
  0 all is well, apart from notes   1 something is wrong   2 not in a project"""


def parser(prog: str) -> argparse.ArgumentParser:
    """No options."""
    return argparse.ArgumentParser(
        prog=prog,
        description="Say what is wrong around a project, and which command mends it.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def run(_: argparse.Namespace) -> Exit:
    """One line for each check; below it, what to do."""
    facts = ailments.gather(project.find(Path.cwd()))
    wrong = 0
    for check in ailments.CHECKS:
        found = check.look(facts)
        if found is None:
            print(f"unknown  {check.name}: something above has to be mended first")
            continue
        found = list(found)
        if not found:
            print(f"ok       {check.name}: {check.well}")
        for one in found:
            print(f"{'wrong' if one.is_wrong else 'note':<8} {check.name}: {one.message}")
            print(f"         -> {one.fix}")
            wrong += one.is_wrong
    if wrong:
        show.say(f"\n{wrong} to mend")
    return Exit.FINDINGS if wrong else Exit.OK
