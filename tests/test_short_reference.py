"""The reference of the short form: its examples are read, and it leaves nothing out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from eventgen.spec import native_fields
from eventgen.spec.fields import Entries, Table

from tests.support.generate import ROOT
from tests.support.reading import read

REFERENCE = ROOT / "specs" / "README.md"
TEXT = REFERENCE.read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
PAGES = [REFERENCE, ROOT / "README.md"]
# What an example cannot be without, where it shows something else.
ALLOWED = {"no-channels", "reply-ignored"}


def whole(example: str) -> str:
    return example if example.startswith("eventgen:") else "eventgen: 1\nservice: some\n" + example


def keys(table: Table) -> set[str]:
    """Every key of a table and of the tables in it."""
    found = set(table.keys)
    for field in table.fields:
        inner = field.kind.of if isinstance(field.kind, Entries) else field.kind
        if isinstance(inner, Table):
            found |= keys(inner)
    return found


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.split("\n")[1].strip())
def test_every_example_is_right(example: str, tmp_path: Path) -> None:
    loaded = read(tmp_path, whole(example))
    assert {found.name for found in loaded.findings} <= ALLOWED
    assert loaded.service is not None


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.parent.name)
def test_every_page_shows_documents_that_can_be_read(page: Path, tmp_path: Path) -> None:
    found = re.findall(
        r"^```yaml\n(eventgen: 1\n.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    assert found
    for example in found:
        assert read(tmp_path, example).service is not None


def test_every_key_is_shown() -> None:
    shown = set(re.findall(r"[$\w]+(?=\??:)", "\n".join(EXAMPLES)))
    tables = (native_fields.ROOT, native_fields.FACETS, native_fields.PARAMETER)
    assert set().union(*map(keys, tables)) - shown == set()


def test_every_word_is_listed() -> None:
    assert [word for word in native_fields.WORDS if f"`{word}`" not in TEXT] == []
