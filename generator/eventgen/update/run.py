"""One update of a project, from the template it was made from to another version of it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from eventgen import __version__, scaffold
from eventgen.brokers import plugged_in
from eventgen.git import Git
from eventgen.model.config import Config
from eventgen.update import answers, history, merge
from eventgen.update.merge import Rendering


class CannotUpdateError(Exception):
    """Why a project cannot be updated as it is, and what to do about that."""

    def __init__(self, message: str, help_: str) -> None:
        super().__init__(message)
        self.help = help_


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a project is to be updated to.

    `choices` are the answers that are given again, because eventgen.yaml is where they are said.
    """

    version: str
    choices: Mapping[str, str]

    @classmethod
    def of(cls, config: Config, version: str) -> Wanted:
        """A version of the template, and what a project is configured as."""
        database = config.database.value
        return cls(version, {"broker": config.broker, "database": database, "spec": config.spec})

    def changes(self, made_from: answers.Remembered) -> dict[str, str]:
        """The choices that the project was not made with."""
        given = made_from.answers
        return {name: value for name, value in self.choices.items() if given.get(name) != value}

    def differences(self, made_from: answers.Remembered) -> tuple[str, ...]:
        """What an update would be about, for people; nothing when there is none."""
        given = made_from.answers
        chosen = [
            f"{name}: {given.get(name)} -> {v}" for name, v in self.changes(made_from).items()
        ]
        newer = [f"template: {made_from.version} -> {self.version}"]
        return (*newer[: self.version != made_from.version], *chosen)


def check_known(made_from: answers.Remembered, wanted: Wanted) -> None:
    """Raise CannotUpdateError when one of the two templates is none that is known here."""
    known = history.versions()
    if made_from.version not in known:
        raise CannotUpdateError(
            f"the project was made from template {made_from.version}, which eventgen "
            f"{__version__} does not know",
            "install a newer eventgen, or use `copier update`",
        )
    if wanted.version not in known:
        raise CannotUpdateError(
            f"there is no template {wanted.version}", f"there are: {', '.join(known)}"
        )


def check_settled(root: Path) -> None:
    """Raise CannotUpdateError when a merge, perhaps that of an update, waits for a person."""
    conflicts = merge.unmerged(Git(root)) if Git(root).is_in_repository() else ()
    if conflicts:
        raise CannotUpdateError(
            f"{', '.join(conflicts)} still in conflict: a merge is not finished",
            "edit what git has marked, `git add` and commit it; or go back: `git reset --merge`",
        )


def check_repository(root: Path) -> None:
    """Raise CannotUpdateError unless everything in the project is committed."""
    git = Git(root)
    found = git.ask("rev-parse", "--show-toplevel")
    if found.returncode:
        words = found.stderr.decode(errors="replace").strip()
        missing = "not a git repository" in words
        raise CannotUpdateError(
            "the project is in no git repository" if missing else f"git says: {words}",
            "make it one: `git init && git add -A && git commit -m Start`" if missing else "",
        )
    if not (
        git.says("ls-files", "--error-unmatch", answers.FILE) and git.says("cat-file", "-e", "HEAD")
    ):
        raise CannotUpdateError(
            "the project is not committed", "commit it: `git add -A && git commit`"
        )
    if git.paths("status", "--porcelain", "--untracked-files=normal", "-z", "--", "."):
        raise CannotUpdateError(
            "there are changes that are not committed, and an update would mix with them",
            "commit them, or put them away with `git stash --include-untracked`; then try again",
        )
    if not git.says("diff", "--cached", "--quiet"):
        raise CannotUpdateError(
            "elsewhere in the repository something is staged, and an update would mix with it",
            "commit it, or put it back with `git restore --staged`; then try again",
        )


@contextmanager
def renderings(root: Path, wanted: Wanted) -> Iterator[tuple[Rendering, Rendering]]:
    """The template as the project was made from it, and as it is wanted; gone when done with.

    Raises CannotUpdateError when the project comes from another template, when the template
    refuses an answer, or when a file is in the way.
    """
    made_from = answers.read(root)
    with tempfile.TemporaryDirectory(prefix="eventgen-") as folder:
        replay = _Replay(root, made_from, wanted, Path(folder))
        old = replay.render("old", made_from.version, {})
        _check_same(made_from, answers.read(old.folder))
        new = replay.render("new", wanted.version, wanted.changes(made_from))
        blocking = merge.in_the_way(root, new)
        if blocking:
            raise CannotUpdateError(
                f"the template has {', '.join(blocking)}, and git ignores what stands there",
                "move away what is in the way, then try again",
            )
        yield old, new


def _check_same(made_from: answers.Remembered, replayed: answers.Remembered) -> None:
    """Copier takes the default where an answer is none that the template allows."""
    if replayed.home != made_from.home:
        raise CannotUpdateError(
            f"the project comes from the template {made_from.home}, which is not eventgen's",
            "update it with `copier update`",
        )
    for name, value in replayed.answers.items():
        given = made_from.answers.get(name, value)
        if str(given) != str(value) and not name.startswith("_"):
            raise CannotUpdateError(
                f"{answers.FILE} has `{name}: {given}`, which the template does not allow",
                f"`{name}: {value}` would be right",
            )


@dataclass(frozen=True, slots=True)
class _Replay:
    """Renders templates as if the project was made from them."""

    root: Path
    made_from: answers.Remembered
    wanted: Wanted
    work: Path

    def render(self, name: str, version: str, changes: Mapping[str, str]) -> Rendering:
        template, rendered = self.work / f"{name}-template", self.work / name
        history.check_out(version, template)
        rendered.mkdir()
        shutil.copyfile(self.root / answers.FILE, rendered / answers.FILE)  # copier reads it there
        needed = self.made_from.answers.get("payload_requirements") or ()
        brokers = {str(self.made_from.answers.get("broker")), self.wanted.choices["broker"]}
        hidden = scaffold.hidden(plugged_in(*brokers), tuple(map(str, needed)))
        try:
            scaffold.render(template, {**changes, **hidden}, rendered)
        except ValueError as error:
            raise CannotUpdateError(
                f"template {version} cannot be rendered: {error}", f"see {answers.FILE}"
            ) from error
        return Rendering(version, rendered)


@contextmanager
def rehearsal(root: Path) -> Iterator[Path]:
    """A copy of a project that is all committed, in a repository of its own, to try things on."""
    with tempfile.TemporaryDirectory(prefix="eventgen-") as folder:
        copy = Path(folder)
        for path in Git(root).paths("ls-files", "-z"):
            if (root / path).is_file() or (root / path).is_symlink():  # and no repository in it
                (copy / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(root / path, copy / path, follow_symlinks=False)
        git = Git(copy, merge.NOBODY)
        git.run("init", "--quiet")
        git.run("add", "--all", "--force", ".")
        git.run("commit", "--quiet", "--message", "as it is")
        yield copy
