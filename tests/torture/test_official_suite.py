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
# Verdicts that differ: the file, the group, the value (as patterns), and why.
READ_OTHERWISE: tuple[tuple[str, str, str, str], ...] = ()
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
            assert more, f"refused, and no schema is to blame: {error}"
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
    wrong = []
    excused = set()
    count = 0
    for group, about, event, value, valid in made.verdicts():
        count += 1
        problem = _problem(event, value, valid=valid)
        if problem is None:
            continue
        row = next((row for row in READ_OTHERWISE if _fits(row, group, about)), None)
        if row is None:
            wrong.append(
                f"{group.file}: {group.description}: {about}: {json.dumps(group.schema)[:150]} {str(value)[:100]}: {problem}"
            )
        else:
            excused.add(row)
    for name, why in made.refused.items():
        if not IDENTIFIERS.search(json.dumps(made.groups[name].schema)):
            print("REF", made.groups[name], why)
    for w in wrong:
        print("WRONG", w)
    print(count, len(made.refused), len(made.groups))
    assert not wrong, "\n".join(wrong)


def _fits(row: tuple[str, str, str, str], group: Group, about: str) -> bool:
    return (
        row[0] == group.file
        and bool(re.search(row[1], group.description))
        and bool(re.search(row[2], about))
    )


def _problem(event: Event, value: Any, *, valid: bool) -> str | None:
    """What goes wrong on the wire with a value; None when nothing does."""
    body = json.dumps(value).encode()
    if event.accepts(body) != valid:
        return "is refused" if valid else "is taken"
    if valid and not same(sent := event.sent_on(body), value):
        return f"is sent as {sent}"
    return None
