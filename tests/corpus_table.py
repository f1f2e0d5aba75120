"""`python -m tests.corpus_table`: which broker each valid document can be a service for.

Every document of the corpus that the official parser accepts is generated for every broker, and
what comes of it is compiled: two or three minutes. Prints Markdown; what fails goes by the name of
its finding. `tests/CORPUS.md` is the same without the documents, and `test_corpus_table.py` holds
it to be so.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from eventgen import catalogue, pipeline
from eventgen.brokers import discover
from eventgen.diagnostics import Severity
from eventgen.model.config import Config, Database
from eventgen.pipeline import Checked
from eventgen.plan.broker import Broker
from eventgen.spec.load import Loaded, load

from tests.support import corpus

FOUND = Path(__file__).with_name("CORPUS.md")

CRASHES = "generator-crashes"
NO_PYTHON = "not-python"
# What no finding has a name for, because it must not be.
_OURS = {
    CRASHES: "The generator ends with a traceback.",
    NO_PYTHON: "What was generated cannot be compiled.",
}
_OTHER_LANGUAGES = ("avro-", "protobuf-")
_TITLE = """\
# Documents that people wrote, and the brokers they are services for

Made by `python -m tests.corpus_table`, of every document of the corpus that the official parser
accepts. Nothing is left out: what is not generated is refused, with findings.
"""


@dataclass(frozen=True, slots=True)
class Cell:
    """A document and a broker. `failures` are names of findings; none when all went well."""

    document: str
    broker: str
    failures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """A document that was checked for a broker, and how."""

    cell: Cell
    broker: Broker
    config: Config
    checked: Checked


def cases() -> Iterator[Case]:
    """Every document for every broker, in the order of their names."""
    root = corpus.folder()
    for name in _valid(root):
        # The folder of its own repository is its project.
        project = root.joinpath(*Path(name).parts[:2])
        config = Config(spec=name, broker="", database=Database.SQLITE)
        loaded = load(root / name, config, name, root=project, fetch=corpus.fetch)
        for broker in _brokers():
            yield _case(name, broker, config, loaded)


def generate(case: Case, models: Path) -> Cell:
    """The case's cell after the files were made and compiled, if the document was not refused.

    `models` is the folder of the models' cache: they are the same for every broker.
    """
    if case.checked.service is None:
        return case.cell
    try:
        made = pipeline.compile(case.checked, case.config, case.broker, example=False, cache=models)
    except Exception:  # noqa: BLE001  - whatever it is, it is a row of the table
        return replace(case.cell, failures=(CRASHES,))
    python = (file.text for file in made.files if file.path.endswith(".py"))
    if all(map(_is_python, python)):
        return case.cell
    return replace(case.cell, failures=(NO_PYTHON,))


def table(cells: Iterable[Cell]) -> str:
    """How many documents become services, by broker; how many do not, by broker and finding."""
    by_broker: dict[str, list[Cell]] = {}
    for cell in cells:
        by_broker.setdefault(cell.broker, []).append(cell)
    brokers = sorted(by_broker)
    refused = {
        name: Counter(failure for cell in by_broker[name] for failure in cell.failures)
        for name in brokers
    }
    names = sorted({failure for found in refused.values() for failure in found})
    services = {name: sum(not cell.failures for cell in by_broker[name]) for name in brokers}
    rows = [
        ["documents", *(str(len(by_broker[name])) for name in brokers)],
        ["generated, and compiled", *(str(services[name]) for name in brokers)],
        *([f"`{one}`", *(str(refused[name][one]) for name in brokers)] for one in names),
    ]
    explained = _OURS | {k: catalogue.summary(v) for k, v in catalogue.explained().items()}
    lines = [
        _TITLE,
        *_table(["", *brokers], rows),
        *(["", *(f"- `{failure}`: {explained[failure]}" for failure in names)] if names else ()),
    ]
    return "\n".join(lines) + "\n"


def failures(cells: Iterable[Cell]) -> str:
    """Each document that some broker cannot have, and why."""
    found: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for cell in cells:
        if cell.failures:
            found.setdefault((cell.document, cell.failures), []).append(cell.broker)
    everywhere = len(_brokers())
    rows = [
        [
            document,
            ", ".join(f"`{name}`" for name in names),
            "all" if len(brokers) == everywhere else ", ".join(brokers),
        ]
        for (document, names), brokers in sorted(found.items())
    ]
    return "\n".join(["## Which documents", "", *_table(["document", "finding", "for"], rows)])


def _valid(root: Path) -> list[str]:
    lines = (root / "oracle.jsonl").read_text(encoding="utf-8").splitlines()
    return sorted(found["local"] for found in map(json.loads, lines) if found["parsed"])


@cache
def _brokers() -> tuple[Broker, ...]:
    """Those that are part of eventgen."""
    return tuple(broker for broker in discover().values() if broker.templates is None)


def _case(name: str, broker: Broker, config: Config, loaded: Loaded) -> Case:
    """What a document says does not depend on the broker: it was read once."""
    database = Database.POSTGRES if broker.requires else Database.SQLITE
    config = replace(config, broker=broker.name, database=database)
    checked = pipeline.generable(pipeline.examine(loaded, config, broker, name))
    return Case(Cell(name, broker.name, _failures(checked)), broker, config, checked)


def _failures(checked: Checked) -> tuple[str, ...]:
    """The errors; and the warnings that say why a schema of another language could not be read."""
    if checked.service is not None:
        return ()
    return tuple(
        sorted(
            {
                found.name
                for found in checked.findings
                if found.severity is Severity.ERROR or found.name.startswith(_OTHER_LANGUAGES)
            }
        )
    )


@cache
def _is_python(text: str) -> bool:
    """Cached, as most of a service is the same in each."""
    try:
        compile(text, "<generated>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def _table(columns: list[str], rows: list[list[str]]) -> list[str]:
    lines = [columns, ["---"] * len(columns), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def main() -> None:
    with tempfile.TemporaryDirectory() as models:
        cells = [generate(case, Path(models)) for case in cases()]
    print(table(cells))
    print(failures(cells))


if __name__ == "__main__":
    main()
