"""`eventgen update`: merge a newer template into what a person made of an older one."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eventgen import __version__
from eventgen.commands import choose, generate, progress, project, regenerate, show
from eventgen.commands import options as shared
from eventgen.commands.exits import Exit, Stop
from eventgen.git import GitError
from eventgen.update import answers
from eventgen.update import run as updating
from eventgen.update.merge import Merged, merge, stage
from eventgen.update.run import CannotUpdateError, Wanted
from eventgen.write import lock

_DESCRIPTION = """\
Bring a project up to date with the template of this eventgen, or with a change of the broker or the
database in eventgen.yaml. What changed in the template is merged by git into the files that are
yours; then `generate` writes those that are eventgen's. Nothing is committed."""
_EPILOG = """\
examples:
  eventgen update --check      in CI, exit 1 when there is something to update
  eventgen update --dry-run    what would change, and where it would conflict
  eventgen update

All that it does is staged: `git diff --staged` shows it, `git reset --merge` takes it back.

exit codes:
  0 updated, or nothing to update   1 with --check: there is   3 invalid specification
  4 hand edits of generated files would be lost   5 updated, and a person has to resolve conflicts
  6 not committed, no git, or a template that is not known"""


def parser(prog: str) -> argparse.ArgumentParser:
    """--to, --check, --dry-run, --allow-remote."""
    made = argparse.ArgumentParser(
        prog=prog,
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument(
        "--to", metavar="VERSION", default=__version__, help=f"default: {__version__}"
    )
    how = made.add_mutually_exclusive_group()
    how.add_argument("--check", action="store_true", help="say whether there is an update")
    how.add_argument("--dry-run", action="store_true", help="say what it would do, write nothing")
    shared.add_allow_remote(made)
    return made


def run(options: argparse.Namespace) -> Exit:
    """Refuse what cannot be merged or written before anything is touched; then do both."""
    root = project.find(Path.cwd())
    generate.finish_interrupted(root)
    with _explained():
        updating.check_settled(root)
        made_from = answers.read(root)
        wanted = Wanted.of(choose.config(root), options.to.removeprefix("v"))
        updating.check_known(made_from, wanted)
        differences = wanted.differences(made_from)
        if not differences:
            show.say(f"the project is up to date with template {wanted.version}")
            return Exit.OK
        if options.check:
            print("\n".join(differences))
            return Exit.FINDINGS
        with lock.held(root):
            return _update(root, options, wanted)


def _update(root: Path, options: argparse.Namespace, wanted: Wanted) -> Exit:
    updating.check_repository(root)
    planned = regenerate.plan(root, allow_remote=options.allow_remote)
    if planned.refused:
        return regenerate.refuse(planned)
    return (_rehearse if options.dry_run else _carry_out)(root, wanted, planned)


def _rehearse(root: Path, wanted: Wanted, planned: regenerate.Plan) -> Exit:
    with (
        progress.phase("merging"),
        updating.renderings(root, wanted) as (old, new),
        updating.rehearsal(root) as copy,
    ):
        merged = merge(copy, old, new)
    _report(merged)
    regenerate.as_planned(planned.steps)
    return Exit.OK


def _carry_out(root: Path, wanted: Wanted, planned: regenerate.Plan) -> Exit:
    with progress.phase("merging"), updating.renderings(root, wanted) as (old, new):
        merged = merge(root, old, new)
    _report(merged)
    regenerate.carry_out(root, planned, regenerate.as_done)
    stage(root)
    if merged.conflicts:
        show.stop(
            Stop(
                Exit.CONFLICTS,
                f"{len(merged.conflicts)} files have changes that do not fit yours",
                "edit them where git has marked them, `git add` them, and commit; "
                "or take everything back with `git reset --merge`",
            )
        )
        return Exit.CONFLICTS
    show.say("")
    show.say(f"updated to template {wanted.version}, and staged; nothing is committed")
    show.say("  git diff --staged     see what changed")
    show.say("  git reset --merge     take it back")
    return Exit.OK


def _report(merged: Merged) -> None:
    for change in merged.changes:
        source = f"{change.before} -> " if change.before else ""
        show.say(f"{change.deed:<8} {source}{change.path}")
    for path in merged.left_out:
        show.say(f"left out {path}: you deleted it")


@contextmanager
def _explained() -> Iterator[None]:
    """What can go wrong below, in the user's terms."""
    try:
        yield
    except answers.NoAnswersError as problem:
        raise Stop(
            Exit.ENVIRONMENT, str(problem), "only what `eventgen new` or copier made is updated"
        ) from problem
    except CannotUpdateError as problem:
        raise Stop(Exit.ENVIRONMENT, str(problem), problem.help) from problem
    except GitError as problem:
        raise Stop(Exit.ENVIRONMENT, f"git says: {problem}") from problem
