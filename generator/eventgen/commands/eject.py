"""`eventgen eject`: make a generated file one's own."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from eventgen.commands import generate, project, show
from eventgen.commands.exits import Exit, Stop
from eventgen.plan.kinds import Owner
from eventgen.write import lock
from eventgen.write.apply import load_manifest, write_manifest
from eventgen.write.reconcile import OURS

_EPILOG = """\
examples:
  eventgen eject compose.yaml
  eventgen eject src/orders/_generated/topology.py deploy/observability/alerts.yaml

You get no later improvements of such a file. To give it back, delete it and run
`eventgen generate`.

exit codes:
  0 ok   2 FILE is not one that eventgen rewrites"""


def parser(prog: str) -> argparse.ArgumentParser:
    """FILE, one or more."""
    made = argparse.ArgumentParser(
        prog=prog,
        description="Make generated files your own: `eventgen generate` never touches them again.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a generated file")
    return made


def run(options: argparse.Namespace) -> Exit:
    """Note in the manifest that the files are a person's from now on. All of them, or none."""
    root = project.find(Path.cwd())
    generate.finish_interrupted(root)
    with lock.held(root):
        known = dict(load_manifest(root))
        for file in options.files:
            path = _path(root, file)
            entry = known.get(path)
            if entry is None or entry.owner not in OURS:
                raise Stop(
                    Exit.USAGE,
                    f"`{file}` is not a file that eventgen writes for itself",
                    "give one that is listed as `generated` or `appended` in .eventgen/manifest",
                )
            known[path] = replace(entry, owner=Owner.EJECTED)
        write_manifest(root, known)
    for file in options.files:
        show.say(f"ejected  {file}   (yours from now on)")
    show.say("to give it back, delete it and run `eventgen generate`")
    return Exit.OK


def _path(root: Path, file: Path) -> str:
    """Relative to the project. A link is what its name is, not where it leads."""
    folder = file.absolute().parent.resolve()
    inside = folder.is_relative_to(root)
    return (folder.relative_to(root) / file.name).as_posix() if inside else str(file)
