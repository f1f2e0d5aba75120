"""`eventgen check`: everything that is wrong with specifications, at once."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from eventgen import pipeline
from eventgen.commands import choose, progress, project, remote, show, specs
from eventgen.commands import options as shared
from eventgen.commands.exits import Exit
from eventgen.diagnostics import Diagnostic, has_errors
from eventgen.model.config import Config, Database, Perspective, Selection

_EPILOG = """\
examples:
  eventgen check                                     the project's own specification
  eventgen check asyncapi.yaml 'specs/**/*.yaml'     files, folders and patterns
  eventgen check specs/ --format github --strict     in CI
  eventgen check --ignore unused-channel,unknown-format
  eventgen explain unused-channel                    what a finding is about

A project's eventgen.yaml says the same for good, for every command:
  check:
    ignore: [unused-channel]
    severity: {ordering-without-key: error, unknown-format: off}

One place is excused by a comment on its line or on the one above, with a reason:
  # eventgen: ignore[unused-channel] -- kept for v1 consumers

Errors without which a specification cannot be read are always reported.

exit codes:
  0 no errors (warnings are shown)   1 warnings, with --strict
  2 usage   3 errors: the specification or eventgen.yaml is not valid"""


def parser(prog: str) -> argparse.ArgumentParser:
    """SPEC..., --format, --select, --ignore, --strict, --allow-remote."""
    made = argparse.ArgumentParser(
        prog=prog,
        description="Say what is wrong with specifications: every finding, with its place.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument(
        "spec", nargs="*", metavar="SPEC", help="file, folder or pattern (default: the project's)"
    )
    made.add_argument(
        "--format",
        choices=show.FORMATS,
        default="full",
        help="full for people, concise for grep, json, github and sarif for programs",
    )
    made.add_argument(
        "--select", action="append", default=[], metavar="NAMES", help="report only these"
    )
    made.add_argument(
        "--ignore", action="append", default=[], metavar="NAMES", help="do not report these"
    )
    choose.offer_perspective(made)
    made.add_argument("--strict", action="store_true", help="exit 1 when there are warnings")
    shared.add_allow_remote(made)
    return made


def run(options: argparse.Namespace) -> Exit:
    """Check every specification that was named; findings go to stdout."""
    chosen = Selection(
        select=choose.findings_named(options.select), ignore=choose.findings_named(options.ignore)
    )
    paths = specs.named(options.spec)
    around = {path: project.around(path.parent) for path in paths}
    roots = around.values() if paths else [project.find(Path.cwd())]
    projects = {root: _Project.read(root) for root in dict.fromkeys(roots) if root is not None}
    if not paths:
        around = {
            specs.shown(root / one.config.spec): root
            for root, one in projects.items()
            if one.config
        }
    view = choose.perspective(options.v2_perspective)
    checked = [
        _check(path, projects[root] if root else None, chosen, view, options.allow_remote)
        for path, root in around.items()
    ]
    several = [*(one.findings for one in projects.values()), *(one.findings for one in checked)]
    # A file that several specifications refer to is read, and found fault with, for each of them.
    found = tuple(dict.fromkeys(finding for findings in several for finding in findings))
    show.findings(found, sys.stdout, options.format)
    if options.format == "full":
        _sum_up(around, checked)
        if found:
            show.say(f"next: `eventgen explain {found[0].name}` says more")
    if has_errors(found):
        return Exit.INVALID
    return Exit.FINDINGS if found and options.strict else Exit.OK


@dataclass(frozen=True, slots=True)
class _Project:
    """The project that a specification is in. `config` is None when it has errors."""

    root: Path
    config: Config | None
    findings: tuple[Diagnostic, ...]

    @classmethod
    def read(cls, root: Path) -> _Project:
        return cls(root, *choose.read_config(root, str(specs.shown(root / project.CONFIG))))


def _check(
    path: Path,
    around: _Project | None,
    chosen: Selection,
    view: Perspective | None,
    allow_remote: bool,
) -> pipeline.Checked:
    """Check one file.

    What its project selects counts for every file in the project; the broker, and what is
    configured of the service, only for the project's own specification.
    """
    config = Config(spec=str(path), broker="", database=Database.SQLITE)
    broker = None
    if around is not None and around.config is not None:
        config = replace(config, check=around.config.check)
        if project.is_same(path, around.root / around.config.spec):
            config = around.config
            broker = choose.broker(config.broker)
    config = replace(
        config,
        check=config.check.under(chosen),
        v2_perspective=view or config.v2_perspective,
    )
    folder = path.parent if around is None else around.root
    fetch = remote.reader(folder, allowed=allow_remote)
    with progress.phase(f"checking {path}"):
        checked = pipeline.check(path, config, broker, str(path), fetch=fetch)
    remote.keep(fetch, folder)
    return checked


def _sum_up(paths: Collection[Path], checked: Sequence[pipeline.Checked]) -> None:
    if len(checked) > 1:
        show.say(f"checked {len(checked)} specifications")
        return
    for path, one in zip(paths, checked, strict=True):
        if one.service is not None:
            show.say(
                f"{path}: service {one.service.name.kebab} publishes {len(one.service.sent())} "
                f"and handles {len(one.service.received())} kinds of events"
            )
