"""compile: from a specification to files and findings. Reads, computes, and touches nothing else.

`check` uses its first half, `generate` and `new` all of it, and the golden tests what it returns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from eventgen import catalogue, verdict
from eventgen.diagnostics import Diagnostic, Label, Severity, has_errors
from eventgen.model import Foreign, Service
from eventgen.model.config import Config, Perspective
from eventgen.plan import protocols, sizes
from eventgen.plan.broker import Broker
from eventgen.plan.kinds import RenderedFile, Subject
from eventgen.rules import check_all
from eventgen.spec import formats
from eventgen.spec.addresses import Fetch, offline
from eventgen.spec.load import Loaded, in_order, load


@dataclass(frozen=True, slots=True)
class Checked:
    """A specification that was read. `inputs` are all the files it consists of."""

    service: Service | None  # None when there are errors
    findings: tuple[Diagnostic, ...]
    inputs: tuple[Path, ...]
    assumed: Perspective | None  # as in `Loaded`


@dataclass(frozen=True, slots=True)
class Compilation:
    """What a generation would write; no files when there are errors."""

    files: tuple[RenderedFile, ...]
    checked: Checked


def check(
    spec: Path, config: Config, broker: Broker | None, display: str, *, fetch: Fetch = offline
) -> Checked:
    """Read a specification and hold every rule, and the broker's own limits, against it.

    `fetch` reads what it refers to on other machines; by itself it reads nothing from there.
    """
    return examine(load(spec, config, display, fetch=fetch), config, broker, display)


def examine(loaded: Loaded, config: Config, broker: Broker | None, display: str) -> Checked:
    """The same for a specification that was read: what is found, and what is left of it."""
    fixed = [one for one in loaded.findings if one.severity is Severity.ERROR]
    free = [one for one in loaded.findings if one.severity is not Severity.ERROR]
    if loaded.service is not None:
        free += check_all(loaded.service, config)
        free = verdict.by_language(free, loaded.invalidating)
        if broker is not None:
            free += protocols.check(loaded.service, broker)
            free += sizes.check(loaded.service, broker)
            free += broker.check(Subject(loaded.service, config))
    free += _about_suppressions(loaded, free, broker)
    judged = verdict.judge(fixed, free, loaded.suppressions, config.check)
    findings = in_order(judged, display)
    service = None if has_errors(findings) else loaded.service
    return Checked(service, findings, loaded.inputs, loaded.assumed)


def _about_suppressions(
    loaded: Loaded, found: Sequence[Diagnostic], broker: Broker | None
) -> Iterator[Diagnostic]:
    """What is wrong with the suppressions themselves.

    That one is of no use can be said only when all rules were held against the specification, and
    only of its own file: another specification may refer to the others.
    """
    if not loaded.suppressions:
        return
    yield from verdict.unknown(loaded.suppressions, catalogue.explained())
    if loaded.service is not None:
        main = loaded.service.span.source
        own = [one for one in loaded.suppressions if one.place.source is main]
        yield from verdict.idle(own, found, catalogue.searched(broker))


def generable(checked: Checked) -> Checked:
    """The same for a generation, which has to understand every payload it is to write."""
    service = checked.service
    if service is None:
        return checked
    used = {message.name: message for _, message in (*service.sent(), *service.received())}
    refused = [
        _refused(message.name.raw.value, message.foreign_payload)
        for message in used.values()
        if message.foreign_payload is not None and message.foreign_payload.wire is None
    ]
    if not refused:
        return checked
    kept = [one for one in checked.findings if one.name != refused[0].name]
    return replace(checked, service=None, findings=(*kept, *refused))


def _refused(name: str, foreign: Foreign) -> Diagnostic:
    if formats.is_read(foreign.format.value):
        why = "cannot be generated, as its schema could not be read"
        remedy = "see what else is said of it"
    else:
        why = f"is `{foreign.format.value}`, which cannot be generated"
        remedy = f"describe the payload as {formats.SUPPORTED}"
    message = f"the payload of `{name}` {why}"
    at = Label(foreign.span)
    return Diagnostic("unsupported-schema-format", Severity.ERROR, message, at, help=remedy)


def compile(  # noqa: A001  - the field's own word for it
    checked: Checked, config: Config, broker: Broker, *, example: bool, cache: Path | None
) -> Compilation:
    """Plan and render what a checked specification asks for."""
    # `check` needs neither, and they are a third of what it would import.
    from eventgen.plan.plan import plan  # noqa: PLC0415
    from eventgen.render.run import render  # noqa: PLC0415

    if checked.service is None:
        return Compilation((), checked)
    planned = plan(Subject(checked.service, config, example), broker)
    extra = (broker.templates,) if broker.templates else ()
    return Compilation(render(planned, extra, cache), checked)
