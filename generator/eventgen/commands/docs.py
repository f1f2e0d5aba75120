"""`eventgen docs`: one page about the service's events, for people."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from eventgen import pipeline
from eventgen.commands import choose, progress, project, remote, show
from eventgen.commands import options as shared
from eventgen.commands.exits import Exit, Stop
from eventgen.model.config import Config, Database, Perspective
from eventgen.page.build import build
from eventgen.plan.broker import Broker
from eventgen.plan.kinds import Subject
from eventgen.render.html import html
from eventgen.write.put import put

_OURS = b'<meta name="generator" content="eventgen '
_BEGINNING = 2048  # bytes in which it stands

_EPILOG = """\
examples:
  eventgen docs                                  in a project: writes events.html
  eventgen docs asyncapi.yaml -o orders.html     of a file
  eventgen docs -o - > orders.html               to standard output

The page is one file that loads nothing: mail it, attach it, or serve it.
A file that eventgen did not write is never overwritten.

exit codes:
  0 ok   2 usage   3 the specification is not valid   4 FILE is not one of ours"""


def parser(prog: str) -> argparse.ArgumentParser:
    """SPEC, --output, --allow-remote."""
    made = argparse.ArgumentParser(
        prog=prog,
        description="Write a page about the events of a service, for people to read.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument(
        "spec", nargs="?", type=Path, metavar="SPEC", help="the file (default: the project's own)"
    )
    made.add_argument(
        "-o",
        "--output",
        default="events.html",
        metavar="FILE",
        help="default: events.html; - for standard output",
    )
    choose.offer_perspective(made)
    shared.add_allow_remote(made)
    return made


def run(options: argparse.Namespace) -> Exit:
    """Write the page; findings go to stderr."""
    view = choose.perspective(options.v2_perspective)
    path, config, broker = _asked(options.spec, view)
    folder = remote.place(path)
    fetch = remote.reader(folder, allowed=options.allow_remote)
    with progress.phase(f"reading {config.spec}"):
        checked = pipeline.check(path, config, broker, config.spec, fetch=fetch)
    if checked.service is None:
        show.findings(checked.findings, sys.stderr)
        raise Stop(Exit.INVALID, f"{config.spec} cannot be used as it is; nothing was written")
    remote.keep(fetch, folder)
    with progress.phase("making the page"):
        text = html(build(Subject(checked.service, config), broker))
    if options.output == "-":
        sys.stdout.write(text)
        return Exit.OK
    target = Path(options.output)
    if target.exists() and not _is_ours(target):
        raise Stop(
            Exit.REFUSED, f"{target} was not written by eventgen", "name another with `--output`"
        )
    put(target, text.encode())
    show.say(f"wrote {target}; open it in a browser")
    return Exit.OK


def _is_ours(target: Path) -> bool:
    if not target.is_file():
        return False
    with target.open("rb") as file:
        return _OURS in file.read(_BEGINNING)


def _asked(spec: Path | None, view: Perspective | None) -> tuple[Path, Config, Broker | None]:
    if spec is not None:
        return (
            spec,
            Config(spec=str(spec), broker="", database=Database.SQLITE, v2_perspective=view),
            None,
        )
    root = project.find(Path.cwd())
    config = choose.config(root)
    return root / config.spec, config, choose.broker(config.broker)
