"""compile: from a specification to files and findings. Reads, computes, and touches nothing else.

`check` uses its first half, `generate` and `new` all of it, and the golden tests what it returns.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from eventgen.diagnostics import Diagnostic, has_errors
from eventgen.model import Service
from eventgen.model.config import Config
from eventgen.plan.broker import Broker
from eventgen.plan.kinds import RenderedFile, Subject
from eventgen.plan.plan import plan
from eventgen.render.run import render
from eventgen.rules import check_all
from eventgen.spec.load import load


@dataclass(frozen=True, slots=True)
class Checked:
    """A specification that was read. `inputs` are all the files it consists of."""

    service: Service | None  # None when there are errors
    findings: tuple[Diagnostic, ...]
    inputs: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Compilation:
    """What a generation would write; no files when there are errors."""

    files: tuple[RenderedFile, ...]
    checked: Checked


def check(spec: Path, config: Config, broker: Broker | None, display: str) -> Checked:
    """Read a specification and hold every rule, and the broker's own limits, against it."""
    loaded = load(spec, config, display)
    findings = loaded.findings
    if loaded.service is not None:
        findings += tuple(check_all(loaded.service, config))
        if broker is not None:
            findings += tuple(broker.check(Subject(loaded.service, config)))
    service = None if has_errors(findings) else loaded.service
    return Checked(service, findings, loaded.inputs)


def compile(  # noqa: A001  - the field's own word for it
    checked: Checked, config: Config, broker: Broker, *, example: bool, cache: Path | None
) -> Compilation:
    """Plan and render what a checked specification asks for."""
    if checked.service is None:
        return Compilation((), checked)
    planned = plan(Subject(checked.service, config, example), broker)
    extra = (broker.templates,) if broker.templates else ()
    return Compilation(render(planned, extra, cache), checked)
