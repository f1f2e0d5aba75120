"""`eventgen generate`: write what the specification asks for, and nothing else."""

from __future__ import annotations

import argparse
from pathlib import Path

from eventgen.commands import options as shared
from eventgen.commands import project, show
from eventgen.commands.exits import Exit


def parser(prog: str) -> argparse.ArgumentParser:
    """--check, --diff, --dry-run, --force, --allow-remote."""
    made = argparse.ArgumentParser(
        prog=prog,
        description="Write what the specification asks for. Your own files are never touched.",
        epilog=(
            "Generated files that somebody edited are refused (exit 4) and nothing is written.\n"
            "Handlers are written once, then they are yours."
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    how = made.add_mutually_exclusive_group()
    how.add_argument("--check", action="store_true", help="exit 1 when something is out of date")
    how.add_argument("--diff", action="store_true", help="show what would change, write nothing")
    how.add_argument("--dry-run", action="store_true", help="list what would change, write nothing")
    how.add_argument("--force", action="store_true", help="overwrite hand edits of generated files")
    shared.add_allow_remote(made)
    return made


def run(options: argparse.Namespace) -> Exit:
    """Bring the project up to date with its specification."""
    root = project.find(Path.cwd())
    if project.is_current(root):
        show.say("everything is up to date")
        return Exit.OK
    # Only a project that changed pays for the import of the generator.
    from eventgen.commands import regenerate  # noqa: PLC0415

    plan = regenerate.plan(root, allow_remote=options.allow_remote)
    if options.diff:
        return regenerate.print_diff(plan)
    if options.check:
        return regenerate.report_drift(plan)
    return regenerate.carry_out(root, plan, force=options.force, dry_run=options.dry_run)
