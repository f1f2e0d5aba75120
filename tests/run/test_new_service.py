"""What a person does in the first minutes with a new service, with no server anywhere."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from eventgen.brokers import discover

from tests.support.generate import eventgen, new_service, run


@pytest.mark.parametrize("broker", discover())
def test_a_new_service_passes_its_own_tests_and_shows_an_order_go_through(
    broker: str, tmp_path: Path
) -> None:
    project = new_service(tmp_path, "--broker", broker)
    assert eventgen("generate", "--check", cwd=project).returncode == 0
    for target in ("test", "lint", "types"):
        made = run("make", target, f"PYTHON={sys.executable}", cwd=project)
        assert made.returncode == 0, made.stdout + made.stderr

    shown = run("make", "dev", f"PYTHON={sys.executable}", cwd=project)
    assert shown.returncode == 0, shown.stderr
    counts = dict(_counts(shown.stdout))
    assert counts["orders paid"] == 1
    assert counts["events handled (inbox)"] == 1
    assert counts["events still to be sent (outbox)"] == 0


def _counts(text: str) -> list[tuple[str, int]]:
    return [
        (what, int(number)) for number, what in re.findall(r"^ +(\d+)  (.+)$", text, re.MULTILINE)
    ]
