"""What a service's repository takes from ours: hooks for pre-commit, and a workflow."""

from __future__ import annotations

import shlex
from importlib import import_module
from typing import Any

import pytest
import yaml

from tests.support.generate import ROOT

WORKFLOW = ROOT / ".github" / "workflows" / "service.yml"
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))


def steps() -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = yaml.safe_load(WORKFLOW.read_text("utf-8"))["jobs"]["events"][
        "steps"
    ]
    return made


COMMANDS = [
    *(hook["entry"] for hook in HOOKS),
    *(step["run"] for step in steps() if step.get("run", "").startswith("eventgen ")),
]


@pytest.mark.parametrize("command", dict.fromkeys(COMMANDS))
def test_what_it_runs_is_a_command_of_ours(command: str) -> None:
    program, verb, *arguments = shlex.split(command)
    assert program == "eventgen"
    import_module(f"eventgen.commands.{verb}").parser(verb).parse_args(arguments)


def test_the_workflow_checks_generates_and_compares() -> None:
    verbs = [shlex.split(command)[1] for command in COMMANDS[len(HOOKS) :]]
    assert verbs == ["check", "generate", "diff"]


def test_a_hook_has_all_that_pre_commit_asks_for() -> None:
    assert all({"id", "name", "entry", "language"} <= hook.keys() for hook in HOOKS)
    assert len({hook["id"] for hook in HOOKS}) == len(HOOKS)


def test_no_input_of_the_workflow_becomes_a_part_of_a_script() -> None:
    """An input is handed over in the environment, where it is a word and not a command."""
    assert [step["run"] for step in steps() if "${{" in step.get("run", "")] == []
