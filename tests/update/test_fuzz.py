"""A few of the random updates; `python -m tests.update.fuzz 1000` does more."""

from __future__ import annotations

import re
import sys

from tests.support.generate import ROOT, run


def test_no_line_is_lost_and_no_conflict_is_needless() -> None:
    made = run(sys.executable, "-W", "ignore", "-m", "tests.update.fuzz", "8", cwd=ROOT)

    assert made.returncode == 0, made.stderr
    line = r"^(\w+) update: 8 updates of \d+ lines: (\d+) lost"
    lost = dict(re.findall(line, made.stdout, re.MULTILINE))
    assert lost["eventgen"] == "0"
    # The control: files that a template renames or removes are where copier drops edits.
    assert int(lost["copier"]) > 0
