"""What `generate` does once it knows that something changed; `new` ends with it too."""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from eventgen import pipeline
from eventgen.commands import choose, moving, progress, project, remote, show
from eventgen.commands.exits import Exit, Stop
from eventgen.model.config import Config
from eventgen.plan import wires
from eventgen.plan.kinds import Owner
from eventgen.remote.reader import Reader
from eventgen.write.apply import apply, load_manifest, reader
from eventgen.write.manifest import Entry
from eventgen.write.reconcile import CHANGES, REFUSED, Deed, Step, moved_to, reconcile

_MOST_LISTED = 12


@dataclass(frozen=True, slots=True)
class Plan:
    """What a generation would do to a project."""

    steps: tuple[Step, ...]
    manifest: dict[str, Entry]
    inputs: tuple[Path, ...]
    requires: tuple[str, ...]  # the distributions that its broker and its payloads need
    plug_in: str  # the name of its broker, when that is no part of eventgen

    def of(self, *deeds: Deed) -> tuple[Step, ...]:
        """The steps with one of these deeds."""
        return tuple(step for step in self.steps if step.deed in deeds)

    @property
    def refused(self) -> tuple[Step, ...]:
        """Where a person's work would be overwritten."""
        return self.of(*REFUSED)


def plan(root: Path, *, allow_remote: bool = False) -> Plan:
    """Compute a generation for the project as it is configured; findings go to stderr."""
    config = choose.config(root)
    broker = choose.broker(config.broker)
    fetch = remote.reader(root, allowed=allow_remote)
    with progress.phase(f"reading {config.spec}"):
        checked = pipeline.check(root / config.spec, config, broker, config.spec, fetch=fetch)
    return plan_checked(root, checked, config, fetch)


def plan_checked(
    root: Path, checked: pipeline.Checked, config: Config, fetch: Reader, *, example: bool = False
) -> Plan:
    """The same, for a specification that was read already, with `fetch`."""
    checked = pipeline.generable(checked)
    show.findings(checked.findings, sys.stderr)
    if checked.service is None:
        raise Stop(Exit.INVALID, f"{config.spec} cannot be used as it is; nothing was written")
    for path in checked.inputs:
        show.detail(f"read {path}")
    show.detail(f"for {config.broker} and {config.database.value}")
    return compute(root, checked, config, fetch, example=example)


def compute(
    root: Path, checked: pipeline.Checked, config: Config, fetch: Reader, *, example: bool = False
) -> Plan:
    """The same, without a word, for a specification that has no errors."""
    assert checked.service is not None
    broker = choose.broker(config.broker)
    cache = project.cache_folder()
    with progress.phase("generating"):
        made = pipeline.compile(checked, config, broker, example=example, cache=cache)
        known = dict(load_manifest(root))
        steps = reconcile(made.files, known, reader(root)) + remote.step(fetch, root)
    requires = (*broker.requires, *wires.requirements(checked.service))
    return Plan(steps, known, checked.inputs, requires, broker.name if broker.templates else "")


def not_asked_for(root: Path, planned: Plan) -> tuple[str, ...]:
    """What is required and pyproject.toml, which is its owner's, does not ask for."""
    file = root / "pyproject.toml"
    asked = file.read_text(encoding="utf-8") if file.is_file() else ""
    names = {required: required.partition(">")[0] for required in planned.requires}
    return tuple(
        required
        for required, name in names.items()
        if f'"{name}' not in asked and f"'{name}" not in asked
    )


Report = Callable[[tuple[Step, ...]], None]


def carry_out(root: Path, planned: Plan, report: Report, *, force: bool = False) -> Exit:
    """Write, unless something would be lost; then say what was done."""
    if planned.refused and not force:
        return refuse(planned)
    steps = _forced(planned.steps)
    with progress.phase("writing"):
        apply(root, steps, planned.manifest)
    project.save_state(root, planned.inputs, planned.plug_in)
    report(steps)
    for required in not_asked_for(root, planned):
        show.say(f'add "{required}" to the dependencies in pyproject.toml and install it')
    for line in moving.advice(steps):
        show.say(line)
    return Exit.OK


def write_new(root: Path, planned: Plan, inputs: tuple[Path, ...]) -> None:
    """Write a project that did not exist before; what the skeleton holds already is adopted."""
    apply(root, _forced(planned.steps), planned.manifest)
    project.save_state(root, inputs, planned.plug_in)


def report_drift(planned: Plan, report: Report) -> Exit:
    """`--check`: each path that is not as it would be generated, and why."""
    report(planned.steps)
    drift = planned.of(*CHANGES, *REFUSED)
    if drift:
        show.say(f"{len(drift)} files are not up to date; run `eventgen generate`")
        return Exit.FINDINGS
    show.say("everything is up to date")
    return Exit.OK


def print_diff(planned: Plan) -> Exit:
    """`--diff`: what a generation would change, as a unified diff."""
    for step in planned.of(*CHANGES, *REFUSED):
        print(_diff(step), end="")
    return Exit.OK


def as_json(steps: tuple[Step, ...]) -> None:
    """`--json`: every path that is not simply kept."""
    files = [
        {"path": step.path, "action": step.deed.value, "owner": step.owner.value}
        for step in steps
        if step.deed is not Deed.KEEP
    ]
    print(json.dumps({"files": files}, indent=2))


def as_drift(steps: tuple[Step, ...]) -> None:
    """One line for each path that is not up to date."""
    for step in steps:
        if step.deed in _DRIFT:
            print(f"{_DRIFT[step.deed]:<9} {step.path}")


def as_done(steps: tuple[Step, ...]) -> None:
    """What was done, for people."""
    changes = [step for step in steps if step.deed in CHANGES]
    listed = len(changes) if show.is_verbose() else _MOST_LISTED
    for step in changes[:listed]:
        yours = "   (yours from now on)" if step.owner in (Owner.PERSON, Owner.STARTER) else ""
        show.say(f"{_DONE[step.deed]:<8} {step.path}{yours}")
    if len(changes) > listed:
        show.say(f"         and {len(changes) - listed} more")
    for step in steps:
        if step.deed is Deed.ORPHAN:
            show.say(f"orphan   {step.path}: nothing asks for it any more, but it is yours")
            if (target := moved_to(step, steps)) is not None:
                show.say(f"         if it was renamed, move your code to {target}")
    if not changes:
        show.say("everything is up to date")


def as_finished(steps: tuple[Step, ...]) -> None:
    """The same, and what is left to do."""
    as_done(steps)
    made = [step for step in steps if step.deed is Deed.CREATE]
    if any(step.owner is Owner.APPENDED for step in made):
        show.say("next: `make migrate`, which changes the runtime's tables and keeps their rows")
    if any(step.owner is Owner.PERSON for step in made):
        show.say("next: write what the new files are to do, then `make test`")
    elif any(step.deed in CHANGES for step in steps):
        show.say("next: `make types` and `make test` tell what of your code has to follow")


def as_planned(steps: tuple[Step, ...]) -> None:
    """The same before it is done."""
    as_done(_forced(steps))
    show.say("nothing was written (--dry-run)")


_DRIFT = {
    Deed.CREATE: "missing",
    Deed.UPDATE: "outdated",
    Deed.REMOVE: "orphaned",
    Deed.EDITED: "edited",
    Deed.IN_THE_WAY: "foreign",
}
_DONE = {Deed.CREATE: "created", Deed.UPDATE: "updated", Deed.REMOVE: "removed"}


def _forced(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    return tuple(
        replace(step, deed=Deed.UPDATE) if step.deed in REFUSED else step for step in steps
    )


def _diff(step: Step) -> str:
    before = (step.before or b"").replace(b"\r\n", b"\n").decode(errors="replace")
    lines = before.splitlines(keepends=True), (step.after or "").splitlines(keepends=True)
    return "".join(difflib.unified_diff(*lines, f"a/{step.path}", f"b/{step.path}"))


def refuse(planned: Plan) -> Exit:
    """Show what would be overwritten, and what can be done about it."""
    for step in planned.refused:
        why = "was edited by hand" if step.deed is Deed.EDITED else "was not written by eventgen"
        show.complain(f"refused: {step.path} {why}")
        show.say(f"this would be lost:\n{_diff(step)}")
    show.stop(
        Stop(
            Exit.REFUSED,
            f"{len(planned.refused)} files would be overwritten, so nothing was written",
            "move your code into a handler, keep the file as yours with `eventgen eject FILE`, "
            "or overwrite it with `eventgen generate --force`",
        )
    )
    return Exit.REFUSED
