"""A broker that is no part of eventgen, installed as anybody's package would be.

That it keeps the contract of all brokers is shown where that of the others is: tests/contract.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.support.generate import Run, eventgen, run
from tests.support.runtime import PLUGIN


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a Python that has the plug-in."""
    target = tmp_path_factory.mktemp("installed")
    options = ("--quiet", "--no-deps", "--target", str(target), "--disable-pip-version-check")
    made = run(sys.executable, "-m", "pip", "install", *options, PLUGIN, cwd=target)
    assert made.returncode == 0, made.stderr
    inherited = os.environ.get("PYTHONPATH", "")
    return {"PYTHONPATH": os.pathsep.join(filter(None, [str(target), inherited]))}


@pytest.fixture(scope="module")
def service(installed: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The orders example on the plug-in's broker, and SQLite."""
    folder = tmp_path_factory.mktemp("service")
    how = ("--broker", "shelf", "--database", "sqlite")
    made = eventgen("new", "service", "orders", *how, cwd=folder, env=installed)
    assert made.returncode == 0, made.stderr
    return folder / "orders"


def folder_of(installed: dict[str, str]) -> str:
    """The folder that the plug-in was installed into."""
    return installed["PYTHONPATH"].split(os.pathsep)[0]


def python(service: Path, *arguments: str | Path, **env: str) -> Run:
    return run(sys.executable, *arguments, cwd=service, env={"PYTHONPATH": "src", **env})


def test_it_is_listed_and_chosen_like_any_other(installed: dict[str, str], tmp_path: Path) -> None:
    listed = eventgen("brokers", cwd=tmp_path, env=installed)
    assert "A shelf of files" in listed.stdout
    assert "A shelf of files" not in eventgen("brokers", cwd=tmp_path).stdout


def test_its_service_is_up_to_date_by_its_own_check(
    service: Path, installed: dict[str, str]
) -> None:
    checked = eventgen("generate", "--check", cwd=service, env=installed)
    assert checked.returncode == 0, checked.stderr


def test_without_the_plug_in_the_service_says_what_is_missing(service: Path) -> None:
    checked = eventgen("generate", "--check", cwd=service)
    assert checked.returncode == 3
    assert "There is no broker `shelf`" in checked.stderr
    assert "Traceback" not in checked.stderr


def test_another_version_of_the_plug_in_is_noticed(
    service: Path, installed: dict[str, str], tmp_path: Path
) -> None:
    mine = shutil.copytree(service, tmp_path / "orders")
    newer = shutil.copytree(folder_of(installed), tmp_path / "newer")
    env = {"PYTHONPATH": installed["PYTHONPATH"].replace(folder_of(installed), str(newer))}
    assert eventgen("generate", cwd=mine, env=env).returncode == 0
    module = newer / "eventgen_shelf/templates/brokers/shelf/shelf.py"
    module.write_text(module.read_text().replace("PARTITIONS = 4", "PARTITIONS = 5"))
    checked = eventgen("generate", "--check", cwd=mine, env=env)
    assert checked.returncode == 1
    assert "_runtime/shelf.py" in checked.stderr + checked.stdout


def test_its_service_is_clean_and_typed(service: Path) -> None:
    for command in (("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",)):
        found = python(service, "-m", *command)
        assert found.returncode == 0, found.stdout


def test_its_service_passes_its_own_tests(service: Path) -> None:
    found = python(service, "-m", "pytest", "-q")
    assert found.returncode == 0, found.stdout
