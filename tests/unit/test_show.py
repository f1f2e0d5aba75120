"""How findings look, whatever the text they quote."""

from __future__ import annotations

import pytest
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
    assert lines[3] == "2 |     кey日本: {bad\N{SYMBOL FOR ESCAPE}[31m}"
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


def marked(text: str, column: int, end: int) -> tuple[str, str]:
    """A source line of one character a column, and the mark below it."""
    line, mark = shown(Label(at(1, column, end, Source("a.yaml", text))))[3:5]
    return line.removeprefix("1 | "), mark.removeprefix("  | ")


def test_combining_characters_take_no_column() -> None:
    line, mark = marked("cafe\N{COMBINING ACUTE ACCENT}: [x", 8, 9)
    assert line == "cafe\N{COMBINING ACUTE ACCENT}: [x"
    assert mark == "      ^"
    assert marked("\N{HEAVY BLACK HEART}\N{VARIATION SELECTOR-16}x", 3, 4)[1] == " ^"


def test_emoji_take_two_columns() -> None:
    assert marked("🎉🎉: x", 2, 3)[1] == "  ^^"


def test_what_turns_text_around_is_seen() -> None:
    line, mark = marked("a\N{RIGHT-TO-LEFT OVERRIDE}b\N{ZERO WIDTH SPACE}\x00\x7fc", 7, 8)
    assert line == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}␀␡c"
    assert mark == "      ^"


def test_a_document_on_one_line_is_shown_around_its_places_at_once() -> None:
    import time

    source = Source("a.json", '{"a": 1, ' + '"x": "y", ' * 20_000 + '"a": 2}')
    assert len(source.text) > 200_000
    end = len(source.text)
    labels = [Label(at(1, end - 6, end - 3, source), "again"), Label(at(1, 2, 5, source), "first")]
    begun = time.process_time()
    for _ in range(100):
        lines = shown(*labels)
    assert time.process_time() - begun < 2
    assert lines[3].startswith('1 | {"a": 1, "x": "y"')
    assert lines[4] == "  |  --- first"
    assert lines[5].startswith("1 | …")
    assert lines[5].endswith('"y", "a": 2}')
    assert lines[6].index("^^^ again") == lines[5].index('"a"')
    assert max(map(len, lines)) < 120


def test_a_long_line_of_tabs_or_marks_keeps_the_place_in_sight() -> None:
    line, mark = marked("\t" * 60 + "x" + "y" * 100, 61, 62)
    assert line[mark.index("^")] == "x"
    line, mark = marked("a" + "\N{COMBINING ACUTE ACCENT}" * 10_000 + "x", 10_002, 10_003)
    assert len(line) < 500
    assert line.endswith("x")


def test_places_in_one_line_share_it() -> None:
    assert shown(Label(at(1, 4, 5), "value"), Label(at(1, 1, 2), "key"))[3:6] == [
        "1 | x: 1",
        "  | - key",
        "  |    ^ value",
    ]


def test_a_region_of_several_lines_is_marked_to_the_end_of_its_first() -> None:
    lines = shown(Label(Span(SOURCE, 1, 4, 3, 2), "all this"))
    assert lines[3:5] == ["1 | x: 1", "  |    ^ all this"]


def test_line_numbers_stand_below_each_other() -> None:
    source = Source("a.yaml", "\n".join("abcdefghijkl"))
    lines = shown(Label(at(12, 1, 2, source)), Label(at(9, 1, 2, source)))
    assert lines[1:] == [
        "  --> a.yaml:12:1",
        "   |",
        " 9 | i",
        "   | -",
        "...",
        "12 | l",
        "   | ^",
        "   |",
    ]


@pytest.mark.parametrize("end", ["\r\n", "\r", "\u2028"])
def test_every_end_of_a_line_that_yaml_knows_ends_it(end: str) -> None:
    source = Source("a.yaml", end.join(["a: 1", "b: 2", "c: 3"]))
    assert shown(Label(at(2, 4, 5, source)))[3:5] == ["2 | b: 2", "  |    ^"]


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
