"""`pytest --update-golden`, and the comparison of a tree of texts with a golden folder."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parents[1] / "golden"
_MOST_LINES = 60

Compare = Callable[[str, Mapping[str, str]], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite the golden files; then read the diff"
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Compare:
    """Compare texts by path with `golden/<folder>`, both ways: missing and extra files count."""
    update = bool(request.config.getoption("--update-golden"))

    def compare(folder: str, texts: Mapping[str, str]) -> None:
        root = GOLDEN / folder
        if update:
            _rewrite(root, texts)
            return
        problems = _differences(root, texts)
        assert not problems, (
            "\n".join(problems[:_MOST_LINES])
            + "\n\nif this is what you meant: pytest --update-golden, then read `git diff golden/`"
        )

    return compare


def _existing(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes().decode()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def _rewrite(root: Path, texts: Mapping[str, str]) -> None:
    for path in _existing(root).keys() - texts.keys():
        (root / path).unlink()
    for path, text in texts.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="\n")


def _differences(root: Path, texts: Mapping[str, str]) -> list[str]:
    wanted = _existing(root)
    problems = [f"not in the golden folder: {path}" for path in texts.keys() - wanted.keys()]
    problems += [f"only in the golden folder: {path}" for path in wanted.keys() - texts.keys()]
    for path in sorted(texts.keys() & wanted.keys()):
        diff = difflib.unified_diff(
            wanted[path].splitlines(), texts[path].splitlines(), f"golden/{path}", path, lineterm=""
        )
        problems += diff
        if not problems and wanted[path] != texts[path]:
            problems.append(f"{path}: only line ends differ")
    return problems
