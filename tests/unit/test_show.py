"""How findings look, whatever the text they quote."""

from __future__ import annotations

from eventgen.diagnostics import Diagnostic, Label, Severity, Source, Span
from eventgen.diagnostics.show import concise, full

SOURCE = Source("a.yaml", "x: 1\n\tкey日本: {bad\x1b[31m}\nz: 3\n" + "y" * 500 + " END\nq: 1\n")
OTHER = Source("b.yaml", "m: 1")


def at(line: int, column: int, end: int, source: Source = SOURCE) -> Span:
    return Span(source, line, column, line, end)


def shown(*labels: Label, message: str = "sentence", help_: str | None = None) -> list[str]:
    primary, *rest = labels
    found = Diagnostic("name", Severity.ERROR, message, primary, tuple(rest), (), help_)
    return full.show([found]).splitlines()


def test_tabs_and_wide_characters_keep_the_caret_in_place() -> None:
    lines = shown(Label(at(2, 5, 7), "here"))
    assert lines[3] == "2 |     кey日本: {bad\N{REPLACEMENT CHARACTER}[31m}"
    assert lines[4] == "  |        ^^^^ here"


def test_places_stand_in_the_order_of_the_file_and_other_files_follow() -> None:
    lines = shown(Label(at(5, 1, 2), "b"), Label(at(1, 1, 2), "a"), Label(at(1, 1, 2, OTHER), "c"))
    assert lines[1:] == [
        " --> a.yaml:5:1",
        "  |",
        "1 | x: 1",
        "  | - a",
        "...",
        "5 | q: 1",
        "  | ^ b",
        " ::: b.yaml:1:1",
        "  |",
        "1 | m: 1",
        "  | - c",
        "  |",
    ]


def test_a_long_line_is_cut_around_its_place() -> None:
    lines = shown(Label(at(4, 502, 505)))
    assert lines[3].startswith("4 | …yyy")
    assert lines[3].endswith("yyy END")
    assert lines[4].index("^") == lines[3].index("END")
    assert lines[4].count("^") == 3
    assert len(shown(Label(at(4, 1, 505)))[3]) < 120


def test_a_place_past_the_end_is_shown() -> None:
    assert shown(Label(at(99, 7, 9)))[3:5] == ["99 |", "   | ^"]


def test_what_users_wrote_cannot_steer_a_terminal() -> None:
    message = "`a\nb\x1b[2J\N{RIGHT-TO-LEFT OVERRIDE}c`"
    (first, *_) = shown(Label(at(1, 1, 2)), message=message, help_="\x07")
    assert first == "error[name]: `a\\nb\\x1b[2J\\u202ec`"
    line = concise.show([Diagnostic("n", Severity.WARNING, message, Label(at(1, 1, 2)))])
    assert line == "a.yaml:1:1: warning[n] `a\\nb\\x1b[2J\\u202ec`"
    assert len(shown(Label(at(1, 1, 2)), message="x" * 10_000)[0]) < 500


def test_a_finding_without_a_place_is_shown() -> None:
    found = Diagnostic("file-missing", Severity.ERROR, "there is no file `x`", help="look")
    assert full.show([found]) == "error[file-missing]: there is no file `x`\n  = help: look"
    assert concise.show([found]) == "error[file-missing] there is no file `x`"


def test_colour_is_for_terminals_only() -> None:
    found = Diagnostic("n", Severity.ERROR, "sentence", Label(at(1, 1, 2)), help="do")
    assert "\x1b" not in full.show([found])
    coloured = full.show([found], colour=True)
    assert "\x1b[1;31merror[n]\x1b[0m" in coloured
