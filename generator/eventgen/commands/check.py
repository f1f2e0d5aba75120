"""`eventgen check`: everything that is wrong with a specification, at once."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from eventgen import pipeline
from eventgen.commands import choose, project, show
from eventgen.commands.exits import Exit
from eventgen.diagnostics import has_errors
from eventgen.model.config import Config, Database


def parser(prog: str) -> argparse.ArgumentParser:
    """SPEC, --format."""
    made = argparse.ArgumentParser(
        prog=prog,
        description="Say what is wrong with a specification: every finding, with its place.",
        epilog="examples:\n  eventgen check\n  eventgen check asyncapi.yaml --format concise",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("spec", nargs="?", type=Path, help="the file (default: the project's own)")
    made.add_argument("--format", choices=sorted(show.FORMATS), default="full")
    return made


def run(options: argparse.Namespace) -> Exit:
    """Check one specification; findings go to stdout."""
    if options.spec is None:
        root = project.find(Path.cwd())
        config = choose.config(root)
        broker = choose.broker(config.broker)
        checked = pipeline.check(root / config.spec, config, broker, config.spec)
    else:
        config = Config(spec=str(options.spec), broker="", database=Database.SQLITE)
        checked = pipeline.check(options.spec, config, None, str(options.spec))
    show.findings(checked.findings, sys.stdout, options.format)
    if has_errors(checked.findings):
        return Exit.INVALID
    if options.format == "full":
        show.say(f"{config.spec}: {_summary(checked)}")
    return Exit.OK


def _summary(checked: pipeline.Checked) -> str:
    service = checked.service
    if service is None:
        return "no service"
    return (
        f"service {service.name.kebab} publishes {len(service.sent())} "
        f"and handles {len(service.received())} kinds of events"
    )
