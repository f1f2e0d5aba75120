"""Whenever the process dies, the next run finds the old tree or the new one, never a mixture."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from eventgen.write import journal, lock
from eventgen.write.apply import load_manifest

from tests.write import crashes
from tests.write.projects import (
    NEW,
    OLD,
    again,
    at_touch,
    generate,
    killed_after,
    killed_at,
    tree,
)


@pytest.fixture(autouse=True)
def _no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process wrote outlives it: only a power cut could tell, and syncing takes seconds."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def trees(tmp_path: Path) -> tuple[Path, dict[str, str | None], dict[str, str | None]]:
    root = again(tmp_path / "project")
    old = tree(root)
    generate(root, NEW)
    new = tree(root)
    assert old != new
    return root, old, new


Trees = tuple[Path, dict[str, str | None], dict[str, str | None]]


def test_killed_at_any_system_call_it_is_the_old_tree_or_the_new_one(trees: Trees) -> None:
    root, old, new = trees
    ends = []
    number = 1
    while killed_at(number, work(again(root))):
        ends.append(recovered(root))
        assert ends[-1] in (old, new), number
        generate(root, NEW)
        assert tree(root) == new
        number += 1

    assert len(ends) > 30
    assert old in ends
    assert new in ends


def test_killed_while_it_takes_back_it_is_taken_back_by_the_next_run(trees: Trees) -> None:
    root, old, _ = trees
    middle = half_way(root)
    number = 1
    while True:
        again(root)
        assert killed_at(middle, work(root))
        assert journal.is_pending(root)
        if not killed_at(number, lambda: journal.roll_back(root)):
            break
        assert recovered(root) == old
        number += 1
    assert number > 10


@pytest.mark.parametrize("seed", range(2))
def test_killed_at_a_random_moment_it_is_the_old_tree_or_the_new_one(
    trees: Trees, seed: int
) -> None:
    root, old, new = trees
    chance = random.Random(seed)
    for _ in range(20):
        killed_after(chance.uniform(0, 0.02), work(again(root)))
        assert recovered(root) in (old, new)


def test_a_full_disk_at_any_moment_changes_nothing(trees: Trees) -> None:
    root, old, new = trees
    number = 1
    while True:
        again(root)
        try:
            touched = at_touch(number, _full, work(root))
        except OSError:
            assert tree(root) == old, number
            assert not journal.is_pending(root)
        else:
            assert tree(root) == new
            if touched < number:
                break
        number += 1
    assert number > 30


def test_what_somebody_edits_after_a_crash_is_left_alone(trees: Trees) -> None:
    root, old, _ = trees
    middle = half_way(root)
    again(root)
    assert killed_at(middle, work(root))
    (root / "src/a.py").write_text("a = 'mine'\n", encoding="utf-8")

    assert recovered(root) == {**old, "src/a.py": "a = 'mine'\n"}


def test_only_one_at_a_time_writes(tmp_path: Path) -> None:
    busy = pytest.raises(lock.BusyError, match="another eventgen")
    with lock.held(tmp_path), busy, lock.held(tmp_path):
        pass
    with lock.held(tmp_path):
        generate(tmp_path, OLD)
    assert load_manifest(tmp_path)


def test_the_command_killed_anywhere_leaves_the_old_tree_or_the_new_one(tmp_path: Path) -> None:
    """A few of the crashes of `python -m tests.write.crashes`."""
    trial = crashes.prepare(tmp_path)
    chance = random.Random(1)

    outcomes = {crashes.crash(trial, number, chance) for number in range(12)}

    assert {"died before it wrote", "was taken back"} <= outcomes


def work(root: Path) -> Callable[[], object]:
    return lambda: generate(root, NEW)


def half_way(root: Path) -> int:
    """A touch at which some files have taken their places, and others not."""
    number, pending = 0, [False]
    while not pending[-1]:
        number += 1
        at_touch(number, lambda: pending.append(journal.is_pending(root)), work(again(root)))
    return number + 4


def recovered(root: Path) -> dict[str, str | None]:
    if journal.is_pending(root):
        journal.roll_back(root)
    return tree(root)


def _full() -> None:
    raise OSError(28, "No space left on device")
