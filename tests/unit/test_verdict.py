"""Which findings are reported: what is selected, and what an author suppresses with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from eventgen.diagnostics import Severity
from eventgen.model.config import Config, Database, Selection
from eventgen.pipeline import Checked, check

KEYLESS = "  order.placed: {data: {order_id: uuid}}"
LIKE_A_SCHEMA = "  order.placed: {data: {order_id: {type: string, format: date}}}"


def checked(tmp_path: Path, text: str, selection: Selection | None = None) -> Checked:
    path = tmp_path / "spec.yaml"
    path.write_text(text, encoding="utf-8", newline="")
    config = Config("", "", Database.SQLITE, check=selection or Selection())
    return check(path, config, None, "spec.yaml")


def names(tmp_path: Path, text: str, selection: Selection | None = None) -> list[str]:
    return [found.name for found in checked(tmp_path, text, selection).findings]


def short(*lines: str) -> str:
    return "\n".join(["eventgen: 1", "service: orders", "publishes:", *lines, ""])


@pytest.mark.parametrize(
    "lines",
    [
        [f"{KEYLESS}  # eventgen: ignore[ordering-without-key] -- never changed"],
        ["  # eventgen: ignore[ordering-without-key] -- never changed", KEYLESS],
        ["# eventgen:ignore[ ordering-without-key ] -- never changed", KEYLESS],
        ["  # eventgen: ignore[ordering-without-key] -- never changed", "", "  # more", KEYLESS],
        [
            "  # eventgen: ignore[ordering-without-key] -- never changed",
            "  # eventgen: ignore[schema-in-short-form] -- ours",
            LIKE_A_SCHEMA,
        ],
        [
            "  # eventgen: ignore[schema-in-short-form, ordering-without-key] -- both",
            LIKE_A_SCHEMA,
        ],
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_comment_suppresses_on_its_line_or_on_the_next(
    lines: list[str], end: str, tmp_path: Path
) -> None:
    assert names(tmp_path, short(*lines).replace("\n", end)) == []


@pytest.mark.parametrize(
    "lines",
    [
        [
            "  # eventgen: ignore[ordering-without-key] -- too far",
            "  a: {key: id, data: {id: uuid}}",
        ],
        ["  a: {key: id, data: {id: uuid}}  # eventgen: ignore[ordering-without-key] -- not here"],
    ],
)
def test_a_comment_elsewhere_suppresses_nothing_and_is_told(
    lines: list[str], tmp_path: Path
) -> None:
    assert sorted(names(tmp_path, short(*lines, KEYLESS))) == [
        "ordering-without-key",
        "unused-suppression",
    ]


@pytest.mark.parametrize(
    "description",
    [
        '    description: "# eventgen: ignore[nothing] -- text"',
        "    description: '# eventgen: ignore[nothing] -- text'",
        "    description: |\n      x\n      # eventgen: ignore[nothing] -- text",
        "    description: >-\n      # eventgen: ignore -- text\n\n    # a comment",
        '    description: "two lines\n      # eventgen: ignore[nothing] -- text"',
        "    description: no#eventgen:ignore[nothing]",
        "    # about eventgen: ignore this",
        "    # eventgen: 1 is the short form",
    ],
)
def test_what_is_no_comment_for_eventgen_is_none(description: str, tmp_path: Path) -> None:
    event = ["  order.placed:", description, "    key: id", "    data: {id: uuid}"]
    assert names(tmp_path, short(*event)) == []


def test_a_comment_may_follow_the_sign_that_begins_a_block(tmp_path: Path) -> None:
    comment = "# eventgen: ignore[nothing] -- here"
    event = ["  order.placed:", f"    description: | {comment}", "      text", "    key: id"]
    assert names(tmp_path, short(*event, "    data: {id: uuid}")) == ["suppression-of-unknown-name"]


@pytest.mark.parametrize(
    ("comment", "name", "column"),
    [
        ("# eventgen: ignore", "suppression-without-name", 3),
        ("# eventgen: ignore -- because", "suppression-without-name", 3),
        ("# eventgen: ignore[] -- because", "suppression-without-name", 3),
        ("# eventgen: ignore[ordering-without-key", "suppression-without-name", 3),
        ("# eventgen: ignore[ordering-without-key]", "suppression-without-reason", 3),
        ("# eventgen: ignore[ordering-without-key] --", "suppression-without-reason", 3),
        ("# eventgen: ignore[ordering-without-key] - why", "suppression-without-reason", 3),
        ("# eventgen: ignore[x, no-key] -- why", "suppression-of-unknown-name", 22),
    ],
)
def test_a_suppression_that_is_wrong_is_told_and_counts_for_nothing(
    comment: str, name: str, column: int, tmp_path: Path
) -> None:
    found = checked(tmp_path, short(f"  {comment}", KEYLESS)).findings
    assert {one.name for one in found} == {name, "ordering-without-key"}
    (first, *_) = found
    assert first.primary is not None
    assert (first.primary.span.line, first.primary.span.column) == (4, column)


JSON = """\
{"asyncapi": "3.0.0", "info": {"title": "Orders \\ud83d\\ude00", "version": "1.0.0"},
 "channels": {"orders": {"address": "orders", "x-eventgen": {"ignore": {%s}},
   "messages": {"order.placed": {"payload": {"type": "object"}}}}}}
"""


def test_an_object_of_json_suppresses_for_itself_and_all_in_it(tmp_path: Path) -> None:
    assert names(tmp_path, JSON % '"unused-channel": "kept for old consumers"') == []
    assert names(tmp_path, JSON % '"unused-channel": " "') == [
        "unused-channel",
        "suppression-without-reason",
    ]
    assert names(tmp_path, JSON.replace("{%s}", '["unused-channel"]')) == [
        "unused-channel",
        "suppression-without-reason",
    ]
    assert names(tmp_path, JSON % '"unused-chanel": "kept"') == [
        "unused-channel",
        "suppression-of-unknown-name",
    ]
    assert names(tmp_path, JSON % '"unused-channel": "kept", "no-channels": "why"') == [
        "unused-suppression"
    ]


def test_a_suppression_in_another_file_counts_and_is_not_called_unused(tmp_path: Path) -> None:
    (tmp_path / "shared.yaml").write_text(
        "order:\n"
        "  payload:\n"
        "    type: object\n"
        "    # eventgen: ignore[unknown-format] -- ours\n"
        "    properties: {id: {type: string, format: ours}}\n"
        "# eventgen: ignore[no-channels] -- of no use here\n"
    )
    text = (
        "asyncapi: 3.0.0\ninfo: {title: Orders, version: 1.0.0}\n"
        "channels: {orders: {address: o, messages: {m: {$ref: 'shared.yaml#/order'}}}}\n"
        "operations: {read: {action: receive, channel: {$ref: '#/channels/orders'}}}\n"
    )
    assert names(tmp_path, text) == []


BROKEN = (
    "channels: {a: {address: a, messages: {m: {$ref: '#/nope'}}}}  # eventgen: ignore[%s] -- so"
)


@pytest.mark.parametrize("how", ["comment", "ignore", "severity"])
def test_an_error_that_makes_a_document_unreadable_stays(how: str, tmp_path: Path) -> None:
    name = "dangling-reference"
    selection = {
        "comment": Selection(),
        "ignore": Selection(ignore=frozenset({name})),
        "severity": Selection(severity={name: Severity.WARNING}),
    }[how]
    text = BROKEN % (name if how == "comment" else "unused-channel")
    text = f"asyncapi: 3.0.0\ninfo: {{title: Orders, version: 1.0.0}}\n{text}\n"
    result = checked(tmp_path, text, selection)
    assert result.service is None
    (found,) = result.findings
    assert (found.name, found.severity) == (name, Severity.ERROR)
    assert found.notes == (
        "this cannot be ignored: the specification cannot be read while it is there",
    )


def test_findings_are_selected_ignored_and_graded_by_name(tmp_path: Path) -> None:
    text = short(LIKE_A_SCHEMA)
    both = ["ordering-without-key", "schema-in-short-form"]
    assert names(tmp_path, text) == both
    assert names(tmp_path, text, Selection(select=frozenset(both[:1]))) == both[:1]
    assert names(tmp_path, text, Selection(ignore=frozenset(both[:1]))) == both[1:]
    graded = checked(tmp_path, text, Selection(severity={both[0]: Severity.ERROR}))
    assert [one.severity for one in graded.findings] == [Severity.ERROR, Severity.WARNING]
    assert graded.service is None


def test_an_error_of_a_rule_can_be_made_less(tmp_path: Path) -> None:
    text = short("  order.placed: {key: nope, data: {order_id: uuid}}")
    assert checked(tmp_path, text).service is None
    less = checked(tmp_path, text, Selection(severity={"key-not-in-payload": Severity.WARNING}))
    assert less.service is not None


def test_the_command_line_wins_over_the_project() -> None:
    project = Selection(
        ignore=frozenset({"a", "b"}), severity={"c": Severity.ERROR, "d": Severity.ERROR}
    )
    asked = Selection(select=frozenset({"a", "c"}), ignore=frozenset({"c"}))
    both = project.under(asked)
    assert [name for name in "abcd" if both.wants(name)] == ["a"]
    assert project.under(Selection()) == project
