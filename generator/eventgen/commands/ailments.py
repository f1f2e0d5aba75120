"""What `eventgen doctor` looks for: a row for each check, and what to do about what it finds."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from eventgen import __version__, pipeline
from eventgen.commands import choose, project, regenerate, remote
from eventgen.diagnostics import Diagnostic, Severity
from eventgen.git import Git
from eventgen.model.config import Config
from eventgen.update import answers, history
from eventgen.update.merge import unmerged
from eventgen.update.run import Wanted
from eventgen.write import JOURNAL, manifest
from eventgen.write.reconcile import CHANGES, Deed, Step, moved_to

_OLDEST_GIT = (2, 25)
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that is wrong, or that somebody should know, and the command that mends it."""

    message: str
    fix: str
    is_wrong: bool = True


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a project before anything is judged; None is what could not be found out."""

    root: Path
    in_git: bool
    config: Config | None
    findings: tuple[Diagnostic, ...]  # of eventgen.yaml, and of the specification
    plan: regenerate.Plan | None


@dataclass(frozen=True, slots=True)
class Check:
    """A row. `look` gives None when it cannot tell, because something else has to be mended."""

    name: str
    well: str  # what is so when nothing is found
    look: Callable[[Facts], Iterable[Found] | None]


def gather(root: Path) -> Facts:
    """Look at a project. Nothing is written, and nothing is read from other machines."""
    in_git = Git(root).is_in_repository()
    config, findings = choose.read_config(root)
    if config is None:
        return Facts(root, in_git, None, findings, None)
    broker, fetch = choose.broker(config.broker), remote.reader(root, allowed=False)
    checked = pipeline.generable(
        pipeline.check(root / config.spec, config, broker, config.spec, fetch=fetch)
    )
    plan = None if checked.service is None else regenerate.compute(root, checked, config, fetch)
    return Facts(root, in_git, config, (*findings, *checked.findings), plan)


def _tools(_: Facts) -> Iterator[Found]:
    try:
        asked = metadata.requires("eventgen") or ()
    except metadata.PackageNotFoundError:  # run from a checkout that is not installed
        return
    for requirement in map(Requirement, asked):
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        installed = _installed(requirement.name)
        if installed is None or not requirement.specifier.contains(installed, prereleases=True):
            yield Found(
                f"{requirement.name} is {installed or 'not installed'}, "
                f"and eventgen needs {requirement.specifier}",
                f"python -m pip install '{requirement.name}{requirement.specifier}'",
            )


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _git(facts: Facts) -> Iterator[Found]:
    if shutil.which("git") is None:
        yield Found("there is no git, which `update` and `diff` need", "install git")
        return
    words = Git(facts.root).run("--version").split()
    version = history.order(words[2])
    if version < _OLDEST_GIT:
        wanted = ".".join(map(str, _OLDEST_GIT))
        yield Found(f"git is {words[2]}, and `update` needs {wanted}", f"install git {wanted}")
    if not facts.in_git:
        yield Found(
            "the project is in no git repository, which `update` needs",
            "git init && git add -A && git commit -m Start",
        )


def _repository(facts: Facts) -> Iterable[Found] | None:
    return _shared(Git(facts.root)) if facts.in_git else None


def _shared(git: Git) -> Iterator[Found]:
    for path in unmerged(git):
        fix = f"$EDITOR {shlex.quote(path)} && git add {shlex.quote(path)}"
        yield Found(f"{path} has conflicts that nobody resolved", fix)
    if not git.says("ls-files", "--error-unmatch", manifest.PATH):
        yield Found(
            f"{manifest.PATH} is not committed, so that others cannot tell whose files are whose",
            f"git add --force {manifest.PATH}",
        )


def _interrupted(facts: Facts) -> Iterator[Found]:
    if (facts.root / JOURNAL).exists():
        yield Found("a run of eventgen was interrupted half-way", "eventgen generate")


def _specification(facts: Facts) -> Iterator[Found]:
    errors = [one for one in facts.findings if one.severity is Severity.ERROR]
    if errors:
        what = (
            f"{errors[0].message}, and {len(errors) - 1} more" if errors[1:] else errors[0].message
        )
        yield Found(what, "eventgen check")


def _edited(facts: Facts) -> Iterable[Found] | None:
    return None if facts.plan is None else map(_refused, facts.plan.refused)


def _refused(step: Step) -> Found:
    path = shlex.quote(step.path)
    if step.deed is Deed.EDITED:
        fix = f"eventgen eject {path}   # makes it yours; `eventgen generate --diff` shows the edit"
        return Found(f"{step.path} was edited by hand", fix)
    return Found(f"{step.path} is in the way of a generated file", f"git mv {path} ELSEWHERE")


def _generated(facts: Facts) -> Iterable[Found] | None:
    if facts.plan is None:
        return None
    paths = [step.path for step in facts.plan.of(*CHANGES)]
    if not paths:
        return ()
    state = project.load_state(facts.root)
    edited = state is not None and state.digest != project.digest(facts.root, state.inputs)
    why = "the specification was edited since" if edited else "not as this eventgen writes them"
    return [Found(f"{_named(paths)} out of date: {why}", "eventgen generate")]


def _named(paths: list[str]) -> str:
    more = len(paths) - _MOST_NAMED
    shown = ", ".join(paths[:_MOST_NAMED])
    return f"{shown} and {more} more are" if more > 0 else f"{shown} {'are' if paths[1:] else 'is'}"


def _orphans(facts: Facts) -> Iterable[Found] | None:
    if facts.plan is None:
        return None
    steps = facts.plan.steps
    return [
        Found(
            f"nothing asks for {step.path} any more"
            + (f"; if it was renamed, its code goes to {target}" if target else ""),
            f"git rm {shlex.quote(step.path)}   # once you have what you need of it",
            is_wrong=False,
        )
        for step in facts.plan.of(Deed.ORPHAN)
        for target in (moved_to(step, steps),)
    ]


def _requirements(facts: Facts) -> Iterable[Found] | None:
    if facts.plan is None:
        return None
    moved = any(not one.is_wrong for one in _template(facts) or ())
    fix = "eventgen update" if moved else "$EDITOR pyproject.toml   # add it, then install it"
    return [
        Found(f"pyproject.toml does not ask for {one}", fix)
        for one in regenerate.not_asked_for(facts.root, facts.plan)
    ]


def _template(facts: Facts) -> Iterable[Found] | None:
    if facts.config is None:
        return None
    try:
        made_from = answers.read(facts.root)
    except answers.NoAnswersError as problem:
        return [Found(f"{problem}; the project cannot be updated", "git log -- " + answers.FILE)]
    if made_from.version not in history.versions():
        unknown = f"made from template {made_from.version}, and this is eventgen {__version__}"
        return [Found(unknown, "python -m pip install --upgrade eventgen")]
    wanted = Wanted.of(facts.config, __version__)
    return [
        Found(f"an update would bring {line}", "eventgen update", is_wrong=False)
        for line in wanted.differences(made_from)
    ]


CHECKS = (
    Check("tools", "what eventgen needs is installed", _tools),
    Check("git", "git is there, and keeps the project", _git),
    Check("repository", "what others need is committed, and nothing is in conflict", _repository),
    Check("interrupted", "no run stopped half-way", _interrupted),
    Check("specification", "it can be generated", _specification),
    Check("edited", "nobody edited a generated file", _edited),
    Check("generated", "the generated files are what the specification asks for", _generated),
    Check("orphans", "every handler has its event", _orphans),
    Check("requirements", "pyproject.toml asks for what the service needs", _requirements),
    Check("template", "the skeleton is that of this eventgen", _template),
)
