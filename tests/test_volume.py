"""How much a command says, and how: --quiet, --verbose, NO_COLOR, work that takes long."""

from __future__ import annotations

import io
import re
import shutil
import threading
from contextlib import redirect_stderr
from pathlib import Path

import pytest
from eventgen.commands import progress, show
from eventgen.commands.show import Volume

from tests.support.generate import SPECS, eventgen, new_service
from tests.support.terminal import Terminal

GENERATED = "src/orders/_generated/events.py"


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_service(tmp_path_factory.mktemp("pristine"), "--broker", "embedded")


@pytest.fixture
def project(pristine: Path, tmp_path: Path) -> Path:
    return shutil.copytree(pristine, tmp_path / "service")


@pytest.mark.parametrize(
    "command",
    [
        "new service other --broker embedded",
        "generate",
        "generate --dry-run",
        "eject compose.yaml",
        "check",
        "diff old.yaml asyncapi.yaml",
        "docs",
        "convert short.yaml -o converted.yaml",
        "explain",
        "brokers",
    ],
)
def test_quiet_says_nothing_of_what_went_well(command: str, project: Path) -> None:
    shutil.copy(project / "asyncapi.yaml", project / "old.yaml")
    shutil.copy(SPECS / "orders-short.yaml", project / "short.yaml")
    rename(project, "customer_id", "buyer_id")
    expected = 1 if command.startswith("diff") else 0

    told = eventgen(*command.split(), cwd=shutil.copytree(project, project / "told"))
    done = eventgen(*command.split(), "--quiet", cwd=project)

    assert (told.returncode, done.returncode) == (expected, expected)
    assert told.stderr
    assert done.stderr == ""
    assert done.stdout == told.stdout


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("generate", "next: `make types` and `make test` tell what of your code has to follow"),
        ("eject compose.yaml", "to give it back, delete it and run `eventgen generate`"),
        ("check bad.yaml", "next: `eventgen explain missing-key` says more"),
        ("diff old.yaml asyncapi.yaml", "next: `eventgen explain property-required` says more"),
        ("convert short.yaml -o new.yaml", "name it as `spec` in eventgen.yaml"),
        ("explain", "next: `eventgen explain NAME`"),
        ("brokers", "next: `eventgen new service --broker NAME`"),
    ],
)
def test_what_comes_next_is_said(command: str, said: str, project: Path) -> None:
    (project / "bad.yaml").write_text("asyncapi: 3.0.0\n", encoding="utf-8")
    shutil.copy(project / "asyncapi.yaml", project / "old.yaml")
    shutil.copy(SPECS / "orders-short.yaml", project / "short.yaml")
    rename(project, "customer_id", "buyer_id")

    assert said in eventgen(*command.split(), cwd=project).stderr


def test_a_new_handler_is_to_be_written(project: Path) -> None:
    spec = (SPECS / "orders-short.yaml").read_text("utf-8")
    more = "  refund.issued: {key: order_id, data: {order_id: uuid}}\n"
    (project / "asyncapi.yaml").write_text(spec + more, encoding="utf-8")

    made = eventgen("generate", cwd=project)

    assert "next: write what the new files are to do, then `make test`" in made.stderr


def test_quiet_still_says_what_went_wrong(project: Path) -> None:
    with (project / GENERATED).open("a", encoding="utf-8") as file:
        file.write("# mine\n")

    refused = eventgen("generate", "-q", cwd=project)
    (project / "asyncapi.yaml").write_text("asyncapi: 3.0.0\n", encoding="utf-8")
    invalid = eventgen("generate", "-q", cwd=project)

    assert refused.returncode == 4
    assert f"refused: {GENERATED} was edited by hand" in refused.stderr
    assert "eventgen eject" in refused.stderr
    assert "-# mine" not in refused.stderr
    assert invalid.returncode == 3
    assert "error[missing-key]" in invalid.stderr


def test_verbose_says_what_was_read_and_how_long_it_took(project: Path) -> None:
    rename(project, "customer_id", "buyer_id")

    done = eventgen("generate", "--verbose", cwd=project)

    assert re.search(r"^reading asyncapi\.yaml: \d+\.\d\d s$", done.stderr, re.MULTILINE)
    assert re.search(r"^generating: \d+\.\d\d s$", done.stderr, re.MULTILINE)
    assert f"read {project / 'asyncapi.yaml'}\n" in done.stderr
    assert "for embedded and sqlite\n" in done.stderr
    assert re.search(
        r"^checking asyncapi\.yaml: \d", eventgen("check", "-v", cwd=project).stderr, re.MULTILINE
    )


def test_verbose_lists_every_change(tmp_path: Path) -> None:
    root = new_service(tmp_path, "--broker", "embedded")
    shutil.rmtree(root / "src/orders/_runtime")

    assert re.search(r"and \d+ more", eventgen("generate", cwd=root).stderr)
    shutil.rmtree(root / "src/orders/_runtime")
    listed = eventgen("generate", "-v", cwd=root).stderr
    assert " more" not in listed
    assert "created  src/orders/_runtime/wrapping.py" in listed


def test_one_cannot_have_both(tmp_path: Path) -> None:
    assert eventgen("brokers", "-q", "-v", cwd=tmp_path).returncode == 2


@pytest.mark.parametrize("command", ["generate", "check bad.yaml"])
def test_colour_is_for_terminals_that_want_it(command: str, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("asyncapi: 3.0.0\n", encoding="utf-8")
    shown = {}
    for variables in ({}, {"NO_COLOR": "1"}):
        terminal = Terminal(*command.split(), cwd=tmp_path, **variables)
        assert terminal.finish() in (2, 3)
        shown[len(variables)] = terminal.shown

    assert "\x1b[1;31merror" in shown[0]
    assert "\x1b[" not in shown[1]
    assert re.sub(r"\x1b\[[0-9;]*m", "", shown[0]) == shown[1]
    assert "\x1b[" not in "".join(eventgen(*command.split(), cwd=tmp_path).stderr)


class Screen(io.StringIO):
    """A terminal that tells when something was written."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn = threading.Event()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        written = super().write(text)
        self.drawn.set()
        return written


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "30")
    return Screen()


def test_work_that_takes_long_is_named_and_the_line_is_cleared(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_PATIENCE", 0.0)

    with redirect_stderr(screen), progress.phase("reading a specification with a long name"):
        assert screen.drawn.wait(60)

    *lines, last = screen.getvalue().split("\r")
    assert last == "\x1b[K"
    assert "\x1b[Kreading a specification with " in lines  # one column less than there are


def test_work_that_is_soon_over_is_not_named(screen: Screen) -> None:
    progress.begin()
    with redirect_stderr(screen), progress.phase("reading"):
        pass
    assert screen.getvalue() == ""


@pytest.mark.parametrize("why", ["no terminal", "a dumb one", "quiet"])
def test_nothing_is_drawn_for_whom_it_is_not(
    why: str, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_PATIENCE", 0.0)
    if why == "no terminal":
        monkeypatch.setattr(screen, "isatty", lambda: False)
    elif why == "a dumb one":
        monkeypatch.setenv("TERM", "dumb")
    else:
        show.set_volume(Volume.QUIET)
    threads = threading.active_count()
    try:
        with redirect_stderr(screen), progress.phase("reading"):
            assert threading.active_count() == threads
    finally:
        show.set_volume(Volume.NORMAL)
    assert screen.getvalue() == ""


def rename(project: Path, before: str, after: str) -> None:
    spec = project / "asyncapi.yaml"
    spec.write_text(spec.read_text("utf-8").replace(before, after), encoding="utf-8")
