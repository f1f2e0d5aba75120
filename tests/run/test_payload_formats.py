"""Services whose payloads are not JSON: they run, and every event comes back as it was sent."""

from __future__ import annotations

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


@pytest.mark.parametrize(
    ("spec", "package", "events"), [("avro", "billing", 2), ("protobuf", "fleet", 2)]
)
def test_a_service_sends_and_handles_its_events(
    spec: str, package: str, events: int, tmp_path: Path
) -> None:
    made = eventgen(
        "new", "service", "service", "--spec", SPECS / f"{spec}.yaml", "--broker", "embedded",
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT / "generator")},
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    project = tmp_path / "service"
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
