"""`eventgen diff`: what a change of a specification breaks, and for whom."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from eventgen import verdict
from eventgen.commands import choose, progress, project, remote, revisions, show, specs
from eventgen.commands import options as shared
from eventgen.commands.exits import Exit, Stop
from eventgen.compat.report import Mode, findings
from eventgen.compat.service import compare
from eventgen.diagnostics import Diagnostic, Severity, Suppression
from eventgen.model import Service
from eventgen.model.config import Config, Database, Perspective
from eventgen.spec import config as configs
from eventgen.spec.load import in_order, load

_EPILOG = """\
examples:
  eventgen diff main                            the project's specification, since main
  eventgen diff v1.2.0 v1.3.0                   between two tags
  eventgen diff main:api/orders.yaml            a file, since main
  eventgen diff old.yaml new.yaml               files or folders
  eventgen diff --transitive 'v*'               since every tag of that pattern
  eventgen diff main --format github            in CI: marks the lines of the pull request

Every change is an error when it breaks whom --mode protects:
  backward  producers: the new version reads what the old one wrote
  forward   consumers: the old version reads what the new one writes
  full      both
Readers are taken to ignore properties that they do not know. A new major version of an event,
beside the old one, breaks nobody.

exit codes:
  0 nothing breaks   1 something does   2 usage   3 a specification is not valid   6 no git"""


def parser(prog: str) -> argparse.ArgumentParser:
    """OLD, NEW, --transitive, --mode, --format, --allow-remote."""
    made = argparse.ArgumentParser(
        prog=prog,
        usage=f"{prog} [options] OLD [NEW]\n       {prog} [options] --transitive TAGS [NEW]",
        description="Say what a change of a specification breaks, and for whom.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument(
        "versions",
        nargs="*",
        metavar="OLD [NEW]",
        help="file, folder, revision, or revision:file; NEW is what is there now by default",
    )
    made.add_argument(
        "--transitive", metavar="TAGS", help="compare with every tag that this pattern matches"
    )
    made.add_argument(
        "--mode",
        choices=[mode.value for mode in Mode],
        default=Mode.FULL.value,
        help="who must not be broken: producers, consumers, or both (default: full)",
    )
    made.add_argument(
        "--format",
        choices=show.FORMATS,
        default="full",
        help="full for people, concise for grep, json, github and sarif for programs",
    )
    choose.offer_perspective(made)
    shared.add_allow_remote(made)
    return made


def run(options: argparse.Namespace) -> Exit:
    """Compare two versions, or one with several; what changed goes to stdout."""
    least, most = (0, 1) if options.transitive else (1, 2)
    if not least <= len(options.versions) <= most:
        raise Stop(
            Exit.USAGE,
            "say what to compare with" if not options.versions else "these are too many versions",
            "write `eventgen diff OLD [NEW]`, or `eventgen diff --transitive 'v*'`",
        )
    view = choose.perspective(options.v2_perspective)
    with ExitStack() as stack:
        finder = _Finder(stack, Path.cwd())
        if options.transitive:
            named = next(iter(options.versions), None)
            new = _current(Path.cwd()) if named is None else finder.version(named)
            olds = tuple(finder.tagged(options.transitive, new))
        else:
            old = finder.version(options.versions[0])
            olds = (old,)
            new = finder.version(options.versions[1]) if options.versions[1:] else old.now()
        found = _compare(olds, new, view, options)
    show.findings(found, sys.stdout, options.format)
    if options.format == "full":
        name = found[0].name if found else ""
        show.say(f"next: `eventgen explain {name}` says more" if name else "nothing changed")
    broken = any(one.severity is Severity.ERROR for one in found)
    return Exit.FINDINGS if broken else Exit.OK


@dataclass(frozen=True, slots=True)
class _Read:
    service: Service
    suppressions: tuple[Suppression, ...]
    config: Config


@dataclass(frozen=True, slots=True)
class _Version:
    """One version of a specification, as a file that can be read."""

    path: Path
    display: str
    current: Path  # the same file, as it is now
    project: Path | None  # the folder with its eventgen.yaml

    def now(self) -> _Version:
        """What is there now; for what is no revision, the project's own specification."""
        if self.current == self.path:
            return _current(Path.cwd())
        return _on_disk(self.current)

    def read(self, view: Perspective | None, *, allow_remote: bool) -> _Read:
        """The specification. One that cannot be read stops the command."""
        config = self._config()
        config = replace(config, v2_perspective=view or config.v2_perspective)
        folder = self.project or self.path.parent
        fetch = remote.reader(folder, allowed=allow_remote)
        with progress.phase(f"reading {self.display}"):
            loaded = load(self.path, config, self.display, fetch=fetch)
        if self.path == self.current:
            remote.keep(fetch, folder)
        if loaded.service is None:
            errors = [one for one in loaded.findings if one.severity is Severity.ERROR]
            show.findings(errors, sys.stderr)
            raise Stop(Exit.INVALID, f"{self.display} cannot be read, so that nothing is compared")
        return _Read(loaded.service, loaded.suppressions, config)

    def _config(self) -> Config:
        """What is configured for it, where it is its project's own specification."""
        config = Config(spec=str(self.path), broker="", database=Database.SQLITE)
        if self.project is not None:
            read = configs.load(self.project / project.CONFIG, project.CONFIG).config
            if read is not None and project.is_same(self.path, self.project / read.spec):
                return read
        return config


def _current(here: Path) -> _Version:
    """The own specification of the project that a folder is in, as it is now."""
    root = project.find(here)
    return _on_disk(root / choose.config(root).spec)


def _on_disk(path: Path) -> _Version:
    return _Version(path, str(specs.shown(path)), path, project.around(path.parent))


@dataclass(frozen=True, slots=True)
class _Finder:
    """Finds versions by what they are called on the command line.

    Files of revisions are put into folders that last as long as `stack`.
    """

    stack: ExitStack
    here: Path

    def version(self, named: str) -> _Version:
        """A file, a folder, `revision:file`, or a revision of the project's specification."""
        path = Path(named)
        if path.is_dir():
            return self._in_folder(path)
        revision, colon, inside = named.partition(":")
        if path.is_file() or (path.suffix in specs.ENDINGS and not colon):
            return _on_disk(path)
        if colon:
            return self._at(revision, self.here / inside if inside.startswith(".") else inside)
        return self._at(revision, _current(self.here).path)

    def tagged(self, pattern: str, new: _Version) -> Iterator[_Version]:
        """The specification at every tag that has it."""
        root = _repository(self.here, pattern)
        tags = revisions.tags(root, pattern)
        if not tags:
            raise Stop(Exit.USAGE, f"no tag matches `{pattern}`", "`git tag` lists them")
        for tag in tags:
            found = self._at(tag, new.path)
            if found.path.is_file():
                yield found
            else:
                show.say(f"{found.display} is not there, and not compared")

    def _in_folder(self, folder: Path) -> _Version:
        if (folder / project.CONFIG).is_file():
            return _on_disk(folder / choose.config(folder).spec)
        found = specs.named([str(folder)])
        if len(found) > 1:
            raise Stop(
                Exit.USAGE,
                f"there are {len(found)} specifications in `{folder}`",
                "name one of them",
            )
        return _on_disk(found[0])

    def _at(self, revision: str, path: Path | str) -> _Version:
        root = _repository(self.here, revision)
        commit = revisions.commit(root, revision)
        if commit is None:
            raise Stop(
                Exit.USAGE,
                f"`{revision}` is no file, no folder and no revision",
                "`git branch -a` and `git tag` list what there is",
            )
        current = root / path if isinstance(path, str) else path.resolve()
        if not current.is_relative_to(root):
            raise Stop(Exit.USAGE, f"`{path}` is not in the repository", "name a file in it")
        inside = PurePosixPath(current.relative_to(root).as_posix())
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        revisions.write_files(root, commit, folder)
        found = folder / inside
        around = project.around(found.parent)
        within = around is not None and around.is_relative_to(folder.resolve())
        return _Version(found, f"{revision}:{inside}", current, around if within else None)


def _repository(here: Path, revision: str) -> Path:
    root = revisions.repository(here)
    if root is None:
        raise Stop(
            Exit.USAGE,
            f"`{revision}` is no file and no folder, and there is no git repository here",
            "name a file or a folder, or go to the repository",
        )
    return root


def _compare(
    olds: tuple[_Version, ...], new: _Version, view: Perspective | None, options: argparse.Namespace
) -> tuple[Diagnostic, ...]:
    """What changed since any of the old versions, as the project wants it reported."""
    before = [old.read(view, allow_remote=options.allow_remote) for old in olds]
    after = new.read(view, allow_remote=options.allow_remote)
    found: dict[tuple[str, str], Diagnostic] = {}  # several versions may break in the same way
    with progress.phase("comparing"):
        for old in before:
            for one in findings(compare(old.service, after.service), Mode(options.mode)):
                found.setdefault((one.name, one.message), one)
    judged = verdict.judge((), tuple(found.values()), after.suppressions, after.config.check)
    return in_order(judged, new.display)
