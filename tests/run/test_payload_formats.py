"""Services whose payloads are not JSON: they run, and every event comes back as it was sent."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.support.generate import ROOT, SPECS, eventgen, run

# Prints the events that came back from their bytes as they were.
THERE_AND_BACK = """\
from importlib import import_module
from {package}._generated import examples, topology
from {package}._runtime.codec import decode, encode
for name in dir(topology):
    event = getattr(topology, name)
    if name.startswith("EVENT_"):
        example = getattr(examples, name.removeprefix("EVENT_").lower())()
        body = encode(event, example)
        assert decode(event, body) == example, name
        assert not body.startswith(b"{{"), name
        print(name, event.content_type)
"""


OURS = {"PYTHONPATH": str(ROOT / "generator")}


def service(folder: Path, spec: Path) -> Path:
    """A new project for a specification."""
    made = eventgen(
        "new", "service", "service", "--spec", spec, "--broker", "embedded", cwd=folder, env=OURS
    )
    assert made.returncode == 0, made.stderr
    return folder / "service"


@pytest.mark.parametrize(
    ("spec", "package", "events"), [("avro", "billing", 2), ("protobuf", "fleet", 2)]
)
def test_a_service_sends_and_handles_its_events(
    spec: str, package: str, events: int, tmp_path: Path
) -> None:
    project = service(tmp_path, SPECS / f"{spec}.yaml")
    path = {"PYTHONPATH": "src"}
    back = run(sys.executable, "-c", THERE_AND_BACK.format(package=package), cwd=project, env=path)
    assert back.returncode == 0, back.stderr
    assert len(back.stdout.splitlines()) == events
    assert back.stdout.count(f"application/{spec}") == events

    tested = run(sys.executable, "-m", "pytest", "-q", "tests/handlers", cwd=project)
    assert tested.returncode == 0, tested.stdout
    shown = run(sys.executable, "-m", package, "dev", cwd=project, env=path)
    assert shown.returncode == 0, shown.stderr
    assert "1  events handled (inbox)" in shown.stdout
    assert "0  dead letters (parked)" in shown.stdout


def test_what_an_edit_makes_necessary_is_said_until_it_is_there(tmp_path: Path) -> None:
    spec = tmp_path / "publisher.yaml"
    shutil.copy(SPECS / "publisher.yaml", spec)
    project = service(tmp_path, spec)
    for name in ("avro.yaml", "com.acme.Money.avsc", "payment-captured.avsc"):
        shutil.copy(SPECS / name, project / ("publisher.yaml" if name == "avro.yaml" else name))
    needed = 'add "fastavro>=1.12,<2" to the dependencies in pyproject.toml and install it'
    generated = eventgen("generate", cwd=project, env=OURS)
    assert generated.returncode == 0, generated.stderr
    assert needed in generated.stderr

    pyproject = project / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace('"click', '"fastavro>=1.12,<2",\n  "click'))
    again = eventgen("generate", "--check", cwd=project, env=OURS)
    assert again.returncode == 0, again.stderr
    assert needed not in again.stderr
