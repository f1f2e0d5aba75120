"""`eventgen new service`: a project that runs, from a specification or from the orders example."""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from eventgen import pipeline
from eventgen.brokers import plugged_in
from eventgen.commands import choose, progress, project, questions, regenerate, remote, show
from eventgen.commands import options as shared
from eventgen.commands.exits import Exit, Stop
from eventgen.model import Service
from eventgen.model.config import Config, Database
from eventgen.plan import wires
from eventgen.remote.reader import Reader
from eventgen.render.templates import data_root
from eventgen.scaffold import Answers, scaffold

_EXAMPLE = "specs/good/orders.yaml"


_EPILOG = """\
examples:
  eventgen new                                          asks, on a terminal
  eventgen new service --broker embedded                the orders example; no broker, no server
  eventgen new service --spec billing.yaml --broker embedded --database postgres
  eventgen new service services/billing --spec billing.yaml --broker embedded

The specification, and what it refers to, is copied into the project.

exit codes:
  0 ok   2 usage   3 the specification is not valid
  6 PATH is there already, or cannot be written   130 interrupted; nothing is left"""


def parser(prog: str) -> argparse.ArgumentParser:
    """The word `service`, PATH, and the choices."""
    made = argparse.ArgumentParser(
        prog=prog,
        description=(
            "Start a new service: a project that runs, tests and deploys.\n"
            "Without --broker, and on a terminal, it asks for what was not given."
        ),
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument(
        "what", nargs="?", choices=["service"], metavar="service", help="what to start"
    )
    made.add_argument("path", nargs="?", type=Path, metavar="PATH", help="default: its name")
    made.add_argument("--spec", type=Path, metavar="FILE", help="default: the orders example")
    made.add_argument("--broker", metavar="NAME", help="see `eventgen brokers`")
    made.add_argument(
        "--database",
        choices=[database.value for database in Database],
        help="default: postgres, or sqlite when there is no broker",
    )
    made.add_argument("--name", help="the service's name (default: from the specification)")
    choose.offer_perspective(made)
    shared.add_allow_remote(made)
    return made


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the specification's files come from, and where they go in the project."""

    base: Path  # the folder they are all below
    spec: str  # the specification, relative to the project


def run(options: argparse.Namespace) -> Exit:
    """Make the project beside its place, then move it there in one step."""
    asks = options.broker is None
    if asks:
        _require_somebody()
        options = questions.answered(options)
    broker = choose.broker(options.broker)
    spec = options.spec or data_root() / _EXAMPLE
    config = Config(
        spec=str(spec),
        broker=broker.name,
        database=Database(options.database or questions.default(broker)),
        service=options.name,
        v2_perspective=choose.perspective(options.v2_perspective),
    )
    fetch = remote.reader(remote.place(spec), allowed=options.allow_remote)
    display = str(options.spec or "orders.yaml")
    with progress.phase(f"reading {display}"):
        checked = pipeline.check(spec, config, broker, display, fetch=fetch)
    if checked.service is None:
        regenerate.plan_checked(spec.parent, checked, config, fetch)
        raise AssertionError("plan_checked stops on a specification with errors")
    name = checked.service.name.kebab
    path = options.path or (questions.folder(name) if asks else Path(name))
    target = path.absolute()
    with _in_place(target) as folder:
        _fill(folder, checked, config, fetch, example=options.spec is None)
    _what_next(target, checked.service)
    if asks:
        show.say(f"\nThe same without questions:\n  {questions.command(options, path)}")
    return Exit.OK


def _require_somebody() -> None:
    if not questions.can_be_asked():
        raise Stop(
            Exit.USAGE, "name the broker: `--broker NAME`", "`eventgen brokers` lists them all"
        )


def _fill(
    folder: Path, checked: pipeline.Checked, config: Config, fetch: Reader, *, example: bool
) -> None:
    service = checked.service
    assert service is not None
    layout = _layout(Path(config.spec), checked.inputs, example=example)
    written = Config(
        spec=layout.spec,
        broker=config.broker,
        database=config.database,
        service=service.name.kebab,
        v2_perspective=config.v2_perspective or checked.assumed,
    )
    with progress.phase("starting the project"):
        scaffold(folder, _answers(service, written))
    inputs = _copy_inputs(folder, checked.inputs, layout, Path(config.spec))
    plan = regenerate.plan_checked(folder, checked, written, fetch, example=example)
    regenerate.write_new(folder, plan, inputs)


def _answers(service: Service, config: Config) -> Answers:
    return Answers(
        service=service.name.kebab,
        package=service.name.snake,
        title=service.info.about.title.value,
        description=service.info.about.description.value,
        broker=config.broker,
        database=config.database.value,
        spec=config.spec,
        plugged_in=plugged_in(config.broker),
        payload_requirements=wires.requirements(service),
    )


def _layout(spec: Path, inputs: tuple[Path, ...], *, example: bool) -> Layout:
    """A specification that keeps to its own folder goes to the root, any other below `spec/`."""
    main = spec.resolve()
    if example:
        return Layout(main.parent, "asyncapi.yaml")
    if all(path.resolve().is_relative_to(main.parent) for path in inputs):
        return Layout(main.parent, main.name)
    base = Path(os.path.commonpath([str(path.resolve().parent) for path in (main, *inputs)]))
    return Layout(base, f"spec/{main.relative_to(base).as_posix()}")


def _copy_inputs(
    folder: Path, inputs: tuple[Path, ...], layout: Layout, spec: Path
) -> tuple[Path, ...]:
    target = folder / layout.spec
    prefix = folder / "spec" if layout.spec.startswith("spec/") else folder
    copied = []
    for path in {spec.resolve(), *(given.resolve() for given in inputs)}:
        place = target if path == spec.resolve() else prefix / path.relative_to(layout.base)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
        copied.append(place)
    return tuple(copied)


@contextmanager
def _in_place(target: Path) -> Iterator[Path]:
    """A folder to fill, which becomes `target` when all went well and vanishes when not."""
    project.require_free(target)
    missing = [one for one in target.parents if not one.exists()]
    target.parent.mkdir(parents=True, exist_ok=True)
    stage = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        folder = stage / target.name
        folder.mkdir()
        yield folder
        folder.replace(target)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
        for one in missing:
            with suppress(OSError):  # the project is in it
                one.rmdir()


def _what_next(target: Path, service: Service) -> None:
    show.say(f"created {service.name.kebab} in {target}")
    show.say("")
    show.say(f"  cd {os.path.relpath(target)}")
    show.say("  make dev                see an event go through, with nothing to install or start")
    show.say("  make test               your handlers in isolation, and the delivery proofs")
    show.say("  eventgen generate       after you edited the specification")
