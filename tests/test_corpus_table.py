"""What `tests/CORPUS.md` says of the corpus is so.

All documents are checked for all brokers. Of those that pass some are generated too, each for
another broker than the one before; `python -m tests.corpus_table` does it for all.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import corpus_table

EACH = 29  # every so many pairs of a document and a broker: with six brokers, each in turn


def test_the_table_of_the_corpus_is_current(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    cells = [
        corpus_table.generate(case, tmp_path) if place % EACH == 0 else case.cell
        for place, case in enumerate(corpus_table.cases())
    ]
    text = corpus_table.table(cells)
    if request.config.getoption("--update-golden"):
        corpus_table.FOUND.write_text(text, encoding="utf-8", newline="\n")
    found = corpus_table.FOUND.read_text(encoding="utf-8")
    assert found == text, corpus_table.failures(cells) + "\n\npytest --update-golden, then read it"
