"""`eventgen explain`: what a finding is about, or what holds for an event and why."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from eventgen import catalogue, explaining, pipeline
from eventgen.commands import choose, progress, project, remote, show
from eventgen.commands.exits import Exit, Stop
from eventgen.diagnostics import Span
from eventgen.diagnostics.show.words import sentence
from eventgen.plan.kinds import Subject
from eventgen.spec.nearest import did_you_mean
from eventgen.verdict import LIST

_EPILOG = """\
examples:
  eventgen explain                         every finding, one line each
  eventgen explain ordering-without-key    what it checks, why, and what to write instead
  eventgen explain order.placed            its key, ordering, retries, ...

exit codes:
  0 ok   2 nothing has that name   3 the specification is not valid"""


def parser(prog: str) -> argparse.ArgumentParser:
    """NAME."""
    made = argparse.ArgumentParser(
        prog=prog,
        description=(
            "Say what a finding is about, why it matters, and what to write instead;\n"
            "or, in a project, what holds for an event or a channel, and where that was said."
        ),
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("name", nargs="?", metavar="NAME", help="of a finding, event or channel")
    return made


def run(options: argparse.Namespace) -> Exit:
    """Print an explanation, or the list of all findings."""
    explained = catalogue.explained()
    if options.name is None:
        width = max(map(len, explained))
        for name, text in explained.items():
            print(f"{name:<{width}}  {catalogue.summary(text)}")
        show.say("\nnext: `eventgen explain NAME`")
        return Exit.OK
    if options.name in explained:
        print(f"# {options.name}\n\n{explained[options.name]}")
        return Exit.OK
    root = project.around(Path.cwd())
    if root is None:
        raise Stop(
            Exit.USAGE,
            f"there is no finding `{options.name}`, and no project here that has events",
            did_you_mean(options.name, explained) or LIST,
        )
    _print_event(root, options.name, explained)
    return Exit.OK


def _print_event(root: Path, name: str, findings: dict[str, str]) -> None:
    config = choose.config(root)
    broker = choose.broker(config.broker)
    fetch = remote.reader(root, allowed=False)
    with progress.phase(f"reading {config.spec}"):
        checked = pipeline.check(root / config.spec, config, broker, config.spec, fetch=fetch)
    if checked.service is None:
        show.findings(checked.findings, sys.stderr)
        raise Stop(Exit.INVALID, f"{config.spec} cannot be used as it is")
    sections = explaining.explain(name, Subject(checked.service, config), broker)
    if not sections:
        known = (*findings, *explaining.names(checked.service))
        raise Stop(
            Exit.USAGE,
            f"there is no finding, event or channel `{name}`",
            did_you_mean(name, known) or LIST,
        )
    print("\n\n".join(map(_section, sections)))


def _section(section: explaining.Section) -> str:
    wide = max(len(row.name) for row in section.rows)
    values = [sentence(row.value) for row in section.rows]
    wider = max(map(len, values))
    lines = [
        f"  {sentence(row.name):<{wide}}  {value:<{wider}}  {_origin(row.origin)}".rstrip()
        for row, value in zip(section.rows, values, strict=True)
    ]
    return "\n".join((sentence(section.title), *lines))


def _origin(origin: Span | str) -> str:
    if isinstance(origin, str):
        return origin
    return sentence(f"{origin.source.path}:{origin.line}:{origin.column}")
