from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from runtime.tracker import Tracker


def test_nothing_to_commit_before_the_first_message():
    assert Tracker().committable() is None


def test_commits_up_to_the_first_gap():
    tracker = Tracker()
    for offset in (10, 11, 15, 16):
        tracker.add(offset)
    tracker.done(11)
    tracker.done(16)
    assert tracker.committable() == 10
    tracker.done(10)
    assert tracker.committable() == 15  # 12 to 14 never existed
    tracker.done(15)
    assert tracker.committable() == 17
    assert len(tracker) == 0


def test_what_was_never_added_or_is_done_already_changes_nothing():
    tracker = Tracker()
    tracker.done(3)
    tracker.add(5)
    tracker.add(7)
    tracker.done(5)
    for offset in (5, 6, 1, 99):
        tracker.done(offset)
    tracker.add(5)
    assert tracker.committable() == 7


@given(st.lists(st.integers(0, 10_000), unique=True, min_size=1), st.randoms(use_true_random=False))
def test_never_passes_an_open_message_and_never_stays_behind_a_done_one(offsets, random):
    offsets.sort()
    tracker = Tracker()
    for offset in offsets:
        tracker.add(offset)
    todo = list(offsets)
    random.shuffle(todo)
    waiting = set(offsets)
    for offset in todo:
        tracker.done(offset)
        waiting.remove(offset)
        assert tracker.committable() == (min(waiting) if waiting else offsets[-1] + 1)
