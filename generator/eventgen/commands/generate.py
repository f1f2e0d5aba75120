"""`eventgen generate`: write what the specification asks for, and nothing else."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from eventgen.commands import options as shared
from eventgen.commands import project, show
from eventgen.commands.exits import Exit
from eventgen.write import JOURNAL

_EPILOG = """\
examples:
  eventgen generate                  after you edited the specification or eventgen.yaml
  eventgen generate --dry-run        what would be created, updated and removed
  eventgen generate --diff           the same, line by line
  eventgen generate --check          in CI: is everything up to date?
  eventgen generate --watch          again whenever you save, until Ctrl-C
  eventgen generate --json           for programs

Generated files that somebody edited are refused, and nothing is written: `eventgen eject FILE`
makes one of them yours. Handlers and their tests are written once, then yours. A handler whose
event is gone is kept; you are told where its code goes.

exit codes:
  0 done, or nothing to do   1 something is out of date, with --check   2 usage
  3 the specification or eventgen.yaml is not valid   4 hand edits would be lost
  6 another run is at work, or a file cannot be written"""


def parser(prog: str) -> argparse.ArgumentParser:
    """--check, --diff, --dry-run, --force, --watch, --json, --allow-remote."""
    made = argparse.ArgumentParser(
        prog=prog,
        description="Write what the specification asks for. Your own files are never touched.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    how = made.add_mutually_exclusive_group()
    how.add_argument("--check", action="store_true", help="exit 1 when something is out of date")
    how.add_argument("--diff", action="store_true", help="show what would change, write nothing")
    how.add_argument("--dry-run", action="store_true", help="list what would change, write nothing")
    how.add_argument("--force", action="store_true", help="overwrite hand edits of generated files")
    how.add_argument("--watch", action="store_true", help="again whenever a specification is saved")
    made.add_argument("--json", action="store_true", help="print what changes, for programs")
    shared.add_allow_remote(made)
    return made


def run(options: argparse.Namespace) -> Exit:
    """Bring the project up to date with its specification."""
    root = project.find(Path.cwd())
    if options.watch:
        from eventgen.commands import watch  # noqa: PLC0415  - few runs need it

        return watch.run(root, lambda: once(root, options))
    return once(root, options)


def once(root: Path, options: argparse.Namespace) -> Exit:
    """One generation, after an interrupted one was taken back."""
    finish_interrupted(root)
    if project.is_current(root):
        if options.json:
            print(json.dumps({"files": []}))
        elif not options.watch:
            show.say("everything is up to date")
        return Exit.OK
    # Only a project that changed pays for the import of the generator.
    from eventgen.commands import progress, regenerate  # noqa: PLC0415
    from eventgen.write import lock  # noqa: PLC0415

    progress.begin()
    report = regenerate.as_json if options.json else None
    if options.check or options.diff or options.dry_run:
        planned = regenerate.plan(root, allow_remote=options.allow_remote)
        if options.diff:
            return regenerate.print_diff(planned)
        if options.check:
            return regenerate.report_drift(planned, report or regenerate.as_drift)
        (report or regenerate.as_planned)(planned.steps)
        return Exit.OK
    with lock.held(root):
        planned = regenerate.plan(root, allow_remote=options.allow_remote)
        finished = regenerate.as_done if options.watch else regenerate.as_finished
        return regenerate.carry_out(root, planned, report or finished, force=options.force)


def finish_interrupted(root: Path) -> None:
    """Take back what a run that died has left half done."""
    if not os.path.lexists(root / JOURNAL):
        return
    from eventgen.write import journal, lock  # noqa: PLC0415  - hardly ever needed

    with lock.held(root):
        if journal.is_pending(root):
            journal.roll_back(root)
    show.say("took back what an interrupted run had left half done")
