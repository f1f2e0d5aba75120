"""Whatever a file holds, reading it gives findings or a service, in little time and memory."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from eventgen.diagnostics.show import concise, full
from eventgen.model.config import Config, Database
from eventgen.spec.load import load
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import corpus, fuzz

ROOT = Path(__file__).parents[1]
CONFIG = Config(spec="", broker="", database=Database.SQLITE)
MUTANTS = 1_500  # of each worker
WORKERS = {"good": 6, "bad": 1, "corpus": 5}
MADE_UP = 2_000
MOST_MEGABYTES = 500


@pytest.mark.parametrize(
    ("kind", "number"),
    [(kind, number) for kind, count in WORKERS.items() for number in range(count)],
)
def test_a_changed_specification_is_read(kind: str, number: int) -> None:
    """The worker ends an input that takes more than 2 seconds, and itself above 500 MB."""
    folder = corpus.folder() / "docs" if kind == "corpus" else ROOT / "specs" / kind
    ran = subprocess.run(
        [sys.executable, "-m", "tests.support.fuzz", folder, f"{kind} {number}", str(MUTANTS)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-5_000:] + ran.stderr[-5_000:]
    seen = json.loads(ran.stdout)
    assert seen["inputs"] == MUTANTS
    assert seen["megabytes"] < MOST_MEGABYTES
    # Some changes do no harm: what is behind the reading of a document is reached, too.
    assert seen["services"] > 50 or kind == "bad"


def test_twenty_thousand_inputs_are_read() -> None:
    assert sum(WORKERS.values()) * MUTANTS + MADE_UP >= 20_000


# Words of specifications, so that what is made up is taken for one.
WORDS = st.sampled_from((*fuzz.KEYS, "channels", "operations", "components", "schemas", "address"))
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(("object", "string", "send", "receive", "#/channels/a", "{a}", "a"))
)  # fmt: skip
VALUES: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)
DOCUMENTS = st.fixed_dictionaries(
    {
        "asyncapi": st.sampled_from(("2.0.0", "2.6.0", "3.0.0", "3.1.0")),
        "info": st.just({"title": "Orders", "version": "1.0.0"}) | VALUES,
    },
    optional={
        "channels": st.dictionaries(st.sampled_from("ab"), VALUES, max_size=2) | VALUES,
        "operations": st.dictionaries(st.sampled_from("ab"), VALUES, max_size=2) | VALUES,
        "components": st.dictionaries(WORDS, VALUES, max_size=3) | VALUES,
        "servers": VALUES,
        "x-eventgen": VALUES,
    },
)
SHORTS = st.fixed_dictionaries(
    {"eventgen": st.just(1), "service": st.just("orders") | VALUES},
    optional={
        key: st.dictionaries(st.sampled_from(("a.b", "c")), VALUES, max_size=2) | VALUES
        for key in ("publishes", "subscribes", "types")
    },
)
SIGNS = st.sampled_from("{}[]&*!|>'\"%@`#,?:-~\\ \t\n\rabcd")
CHARACTERS = st.text(SIGNS | st.characters(), max_size=60)


@given(st.one_of(DOCUMENTS.map(json.dumps), SHORTS.map(json.dumps), CHARACTERS, st.text()))
@settings(
    max_examples=MADE_UP,
    deadline=2_000,  # milliseconds
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_a_made_up_specification_is_read(tmp_path_factory: Any, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "made-up.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    fuzz.look_at(path, "embedded")


def test_no_finding_shows_a_whole_document(tmp_path: Path) -> None:
    target = tmp_path / "spec.json"
    target.write_text(json.dumps({"asyncapi": "3.0.0" + "x" * 10_000, "info": []}))
    (found,) = load(target, CONFIG, "spec.json").findings
    assert max(map(len, full.show([found]).splitlines())) < 600
    assert re.match(r"spec\.json:1:\d+: error\[unsupported-version\]", concise.show([found]))
