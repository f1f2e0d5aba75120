"""What the shell offers when the user presses Tab."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.generate import eventgen


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("eventgen ge", ["generate"]),
        ("eventgen generate --dr", ["--dry-run"]),
        ("eventgen check --format sa", ["sarif"]),
    ],
)
def test_commands_options_and_choices_are_completed(
    line: str, offered: list[str], tmp_path: Path
) -> None:
    answer = tmp_path / "answer"
    asked = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    eventgen(cwd=tmp_path, env=asked)
    assert [word.strip() for word in answer.read_text().split("\v")] == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_code(shell: str, tmp_path: Path) -> None:
    printed = eventgen("completion", shell, cwd=tmp_path)
    assert printed.returncode == 0, printed.stderr
    assert "eventgen" in printed.stdout
    assert "_ARGCOMPLETE" in printed.stdout
