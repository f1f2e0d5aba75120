"""What `--help` says of each command, and that every example in it works."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from eventgen import cli

from tests.support.generate import SPECS, new_service, run
from tests.support.terminal import INTERRUPT, Terminal

COMMANDS = [name for name, _ in cli._COMMANDS]
WIDEST = 100
# Whom one of these is for, is a person: the test below types for them.
ON_A_TERMINAL = {"eventgen new", "eventgen generate --watch"}


def help_of(command: str) -> str:
    return cli.parser_of(command, f"eventgen {command}").format_help()


def examples(text: str) -> Iterator[str]:
    """The commands below `examples:`, without what is said of them."""
    _, found, rest = text.partition("\nexamples:\n")
    lines = rest.partition("\n\n")[0].splitlines() if found else ()
    return (re.split(r" {2,}", line.strip())[0] for line in lines)


EXAMPLES = sorted(
    {
        example
        for text in (cli.parser().format_help(), *map(help_of, COMMANDS))
        for example in examples(text)
    }
)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's project in a repository, with what the examples name."""
    folder = new_service(tmp_path_factory.mktemp("pristine"), "--broker", "embedded")
    for name in ("billing", "old", "new", "specs/orders", "api/orders"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(SPECS / "orders.yaml", folder / f"{name}.yaml")
    shutil.copy(SPECS / "orders-short.yaml", folder / "orders.yaml")
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-C", str(folder))
    for command in (
        ("init", "--quiet", "--initial-branch=main"),
        ("add", "."),
        ("commit", "--quiet", "--message=first"),
        ("tag", "v1.2.0"),
        ("tag", "v1.3.0"),
    ):
        subprocess.run([*git, *command], check=True)
    return folder


@pytest.fixture
def here(pristine: Path, tmp_path: Path) -> Path:
    (tmp_path / ".config/fish/completions").mkdir(parents=True)
    return shutil.copytree(pristine, tmp_path / "here")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_how_it_is_used(command: str) -> None:
    text = help_of(command)

    assert list(examples(text))
    assert all(option in text for option in ("--help", "--quiet", "--verbose"))
    assert max(map(len, text.splitlines())) <= WIDEST


@pytest.mark.parametrize("example", sorted({*EXAMPLES} - ON_A_TERMINAL))
def test_an_example_works_as_it_stands_there(example: str, here: Path) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

    done = run("bash", "-c", example, cwd=here, env={"PATH": path, "HOME": str(here.parent)})

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("example", sorted(ON_A_TERMINAL))
def test_so_does_one_that_is_for_a_terminal(example: str, here: Path) -> None:
    assert example in EXAMPLES
    terminal = Terminal(*example.split()[1:], cwd=here)
    if example.endswith("--watch"):
        terminal.wait_for("watching")
        terminal.type(INTERRUPT)
        assert terminal.finish() == 130
        return
    for question in ("Specification", "Broker, by", "Database", "Folder"):
        terminal.wait_for(question)
        terminal.type("\n")
    assert terminal.finish() == 0
