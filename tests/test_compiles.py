"""Is it code? Every golden service, whole, through compileall, ruff and `mypy --strict`."""

from __future__ import annotations

import compileall
import shutil
import sys
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.support.generate import compile_spec, run, texts, write
from tests.test_golden import CASES, SPECS

Trees = dict[str, Path]


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Trees:
    """The source folder of each golden service, with its runtime."""
    root = tmp_path_factory.mktemp("services")
    made = {}
    for spec, broker in CASES:
        name = f"{spec}-{broker}"
        files = texts(compile_spec(SPECS / f"{spec}.yaml", broker, example=spec == "orders"))
        (package,) = {path.split("/")[1] for path in files if path.startswith("src/")}
        write({**files, f"src/{package}/__init__.py": ""}, root / name)
        made[name] = root / name
    return made


def test_every_service_byte_compiles(trees: Trees) -> None:
    assert {
        name: compileall.compile_dir(tree, quiet=1) for name, tree in trees.items()
    } == dict.fromkeys(trees, True)


RUFF = ("-m", "ruff", "--isolated", "--config", 'src=["src"]', "--config", "line-length=100")
RULES = "E4,E7,E9,F,I,UP,B,SIM,ASYNC,C4,PIE,RET"


def test_ruff_finds_nothing(trees: Trees) -> None:
    """What is generated and copied passes the checks that a service's own pyproject asks for."""
    for name, tree in trees.items():
        found = run(sys.executable, *RUFF, "check", "--select", RULES, ".", cwd=tree)
        assert found.returncode == 0, f"{name}\n{found.stdout}"


def test_ruff_would_format_nothing(trees: Trees) -> None:
    for name, tree in trees.items():
        found = run(sys.executable, *RUFF, "format", "--check", ".", cwd=tree)
        assert found.returncode == 0, f"{name}\n{found.stdout}"


# What services import: nine tenths of the time of a check go into it, and it is always the same.
LIBRARIES = """\
import aiosqlite, alembic.command, alembic.op, asyncpg, click, confluent_kafka, fastavro
import google.protobuf.json_format, opentelemetry.trace, prometheus_client, pydantic
import pydantic_settings, pytest, sqlalchemy.ext.asyncio, starlette.applications, structlog, uvicorn
"""


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """mypy's cache of the libraries alone."""
    folder = tmp_path_factory.mktemp("libraries")
    (folder / "imports.py").write_text(LIBRARIES)
    mypy(folder, folder / "cache", "imports.py")
    return folder / "cache"


def mypy(tree: Path, cache: Path, *what: str) -> CompletedProcess[str]:
    return run(
        sys.executable, "-m", "mypy", "--strict", "--python-version", "3.11",
        "--cache-dir", cache, "--no-error-summary", *what,
        cwd=tree,
        env={"MYPYPATH": "src"},
    )  # fmt: skip


@pytest.mark.parametrize(("spec", "broker"), CASES, ids=lambda value: value)
def test_mypy_strict_finds_nothing(
    spec: str, broker: str, trees: Trees, libraries: Path, tmp_path: Path
) -> None:
    # A cache of its own: services share module names, and mypy would mix them up.
    cache = shutil.copytree(libraries, tmp_path / "cache")
    found = mypy(trees[f"{spec}-{broker}"], cache, "src", "tests")
    assert found.returncode == 0, found.stdout


def test_a_handler_that_takes_another_event_is_a_type_error(
    trees: Trees, libraries: Path, tmp_path: Path
) -> None:
    """The negative control: the type checker does look at the generated wiring."""
    tree = shutil.copytree(trees["orders-embedded"], tmp_path / "orders")
    handler = tree / "src/orders/handlers/on_payment_failed.py"
    handler.write_text(handler.read_text().replace("PaymentFailed", "PaymentCaptured"))
    found = refused(tree, shutil.copytree(libraries, tmp_path / "cache"))
    assert "on_payment_failed" in found or "arg-type" in found


def refused(tree: Path, cache: Path) -> str:
    """What the type checker has against the wiring of a service."""
    found = mypy(tree, cache, "src")
    assert found.returncode == 1
    assert "_generated/subscribers.py" in found.stdout
    return found.stdout


def test_an_upcaster_that_makes_something_else_is_a_type_error(
    trees: Trees, libraries: Path, tmp_path: Path
) -> None:
    tree = shutil.copytree(trees["short-envelopes-embedded"], tmp_path / "parcels")
    upcaster = tree / "src/parcels/upcasters/parcel_weighed.py"
    upcaster.write_text(upcaster.read_text().replace("ParcelWeighedV2", "ParcelWeighedV3"))
    assert "[assignment]" in refused(tree, shutil.copytree(libraries, tmp_path / "cache"))


def test_nothing_generated_imports_eventgen(trees: Trees) -> None:
    import ast

    for tree in trees.values():
        for path in tree.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and node.level == 0:
                    names = [node.module or ""]
                assert not any(name.split(".")[0] == "eventgen" for name in names), path
