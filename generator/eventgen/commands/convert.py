"""`eventgen convert`: the short form as AsyncAPI 3.0."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from eventgen.commands import choose, progress, project, remote, show
from eventgen.commands.exits import Exit, Stop
from eventgen.diagnostics import has_errors
from eventgen.model.config import Config, Database
from eventgen.spec.convert import convert
from eventgen.write.put import put

_EPILOG = """\
examples:
  eventgen convert orders.yaml                     to the terminal
  eventgen convert orders.yaml -o orders-3.yaml    then name it in eventgen.yaml

exit codes:
  0 ok   2 usage, or SPEC is AsyncAPI already   3 SPEC is not valid   4 FILE is there already"""


def parser(prog: str) -> argparse.ArgumentParser:
    """SPEC, --output, --force."""
    made = argparse.ArgumentParser(
        prog=prog,
        description="Write a specification in the short form as AsyncAPI 3.0.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("spec", nargs="?", type=Path, help="the file (default: the project's own)")
    made.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: standard output")
    made.add_argument("--force", action="store_true", help="overwrite FILE when it is there")
    return made


def run(options: argparse.Namespace) -> Exit:
    """Convert one specification; findings go to stderr."""
    target: Path | None = options.output
    path, config, display = _asked(options.spec)
    folder = path.parent if target is None else target.parent
    fetch = remote.reader(remote.place(path), allowed=False)
    with progress.phase(f"converting {display}"):
        converted = convert(path, config, display, folder, fetch)
    show.findings(converted.findings, sys.stderr)
    if has_errors(converted.findings):
        raise Stop(Exit.INVALID, f"{display} cannot be used as it is; nothing was written")
    if converted.text is None:
        raise Stop(Exit.USAGE, f"{display} is AsyncAPI already", "`convert` reads the short form")
    if target is None:
        sys.stdout.write(converted.text)
        return Exit.OK
    if target.exists() and not options.force:
        raise Stop(Exit.REFUSED, f"{target} is there already", "overwrite it with `--force`")
    put(target, converted.text.encode())
    show.say(f"wrote {target}; to go on with it, name it as `spec` in eventgen.yaml")
    return Exit.OK


def _asked(spec: Path | None) -> tuple[Path, Config, str]:
    """The specification, what it is read with, and how messages name it."""
    if spec is not None:
        return spec, Config(spec=str(spec), broker="", database=Database.SQLITE), str(spec)
    root = project.find(Path.cwd())
    config = choose.config(root)
    return root / config.spec, config, config.spec
