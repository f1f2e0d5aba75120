"""The official JSON-Schema-Test-Suite on the wire: what a service takes is what the suite says.

Every schema is a payload, and a property of a payload. The tables say what is left out, and why.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support import payloads, suite
from tests.support.payloads import DRAFT_07, DRAFT_2020_12, Event, RefusedError, same
from tests.support.suite import Group

LANGUAGES = {"draft7": DRAFT_07, "draft2020-12": DRAFT_2020_12}
# Groups that are no payload of a document: the file, how the description begins, and why.
LEFT_OUT = (
    ("refRemote", "", "wants a server with further schemas"),
    ("optional/cross-draft", "", "wants a server with further schemas"),
    ("vocabulary", "", "is about metaschemas, which say what a schema may say"),
    ("optional/id", "", "is about identifiers; AsyncAPI's references are to files"),
    ("optional/unknownKeyword", "", "is about identifiers"),
)
# Verdicts that differ: the file or "", the group and the test (how they begin), and why.
READ_OTHERWISE = (
    ("ref", "root pointer ref", "", "`properties` mean an object; see IMPLIED"),
    (
        "additionalItems",
        "additionalItems ",
        "",
        "`items: [{...}]` means `items: {...}`, with a warning, where no `additionalItems` is",
    ),
    ("format", "", "invalid ", "formats are asserted, in every draft"),
    ("optional/content", "", "", "what is inside a text is not looked at, but for Base64"),
)
# Where no type is stated, `properties` mean an object and `items` an array. These tests say that
# such a schema takes everything else.
IMPLIED = ("ignores ", "JavaScript pseudo-array")
# The generator says an error, and makes nothing of a schema with one of these.
IDENTIFIERS = re.compile(
    r'"\$(?:id|anchor|dynamicRef|dynamicAnchor)"|"\$ref": "(?:https?|urn|file):'
)


@dataclass(frozen=True, slots=True)
class Made:
    """What became of the groups of a draft, by name."""

    groups: dict[str, Group]
    events: dict[str, Event]
    refused: dict[str, str]

    def verdicts(self) -> Iterator[tuple[Group, str, Event, Any, bool]]:
        for name, group in self.groups.items():
            if name not in self.refused:
                for about, value, valid in group.tests:
                    yield group, about, self.events[name], value, valid
                    yield group, about, self.events[_within(name)], {"value": value}, valid


def _made(root: Path, draft: str) -> Made:
    found = [one for one in suite.groups(draft) if not _is_left_out(one)]
    groups = {f"case{number:04}": group for number, group in enumerate(found)}
    refused: dict[str, str] = {}
    while True:
        kept = {name: one.schema for name, one in groups.items() if name not in refused}
        inner = {_within(name): _property(f"./{name}.json") for name in kept}
        schemas = {name: (one, LANGUAGES[draft]) for name, one in {**kept, **inner}.items()}
        try:
            return Made(groups, payloads.service(root, schemas), refused)
        except RefusedError as error:
            more = {name: why for name, why in error.names.items() if name in kept}
            if not more:  # no schema is to blame
                raise
            refused |= more


def _is_left_out(group: Group) -> bool:
    return any(
        group.file == file and group.description.startswith(start) for file, start, _ in LEFT_OUT
    )


def _within(name: str) -> str:
    return f"{name}_within"


def _property(reference: str) -> Any:
    return {"type": "object", "properties": {"value": {"$ref": reference}}, "required": ["value"]}


@pytest.mark.parametrize("draft", LANGUAGES)
def test_verdicts_on_the_wire_are_those_of_the_suite(draft: str, tmp_path: Path) -> None:
    made = _made(tmp_path, draft)
    verdicts = list(made.verdicts())
    wrong = []
    for group, about, event, value, valid in verdicts:
        problem = _problem(event, value, valid=valid)
        if problem is not None and not _is_read_otherwise(group, about):
            wrong.append(f"{group.file}: {group.description}: {about}: {value} {problem}")
    assert not wrong, "\n".join(wrong)
    refused = [json.dumps(made.groups[name].schema) for name in made.refused]
    assert all(map(IDENTIFIERS.search, refused)), made.refused
    assert len(verdicts) > 2500


def _is_read_otherwise(group: Group, about: str) -> bool:
    implies = {"properties", "items", "prefixItems"} & group.schema.keys()
    if implies and "type" not in group.schema and about.startswith(IMPLIED):
        return True
    return any(
        file in ("", group.file) and group.description.startswith(start) and about.startswith(test)
        for file, start, test, _ in READ_OTHERWISE
    )


def _problem(event: Event, value: Any, *, valid: bool) -> str | None:
    """What goes wrong on the wire with a value; None when nothing does."""
    body = json.dumps(value).encode()
    if event.accepts(body) != valid:
        return "is refused" if valid else "is taken"
    if valid and not same(sent := event.sent_on(body), value):
        return f"is sent as {sent}"
    return None
