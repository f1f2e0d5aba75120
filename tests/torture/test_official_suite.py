"""The official JSON-Schema-Test-Suite on the wire: what a service takes is what the suite says.

Every schema is a payload, and a property of a payload. The tables say what is left out, and why.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support import payloads, suite
from tests.support.payloads import DRAFT_07, DRAFT_2020_12, Event, RefusedError
from tests.support.suite import Group

LANGUAGES = {"draft7": DRAFT_07, "draft2020-12": DRAFT_2020_12}
# Files of the suite that are about something else than whether a payload is valid.
LEFT_OUT = {
    "refRemote": "wants a server with further schemas",
    "vocabulary": "is about metaschemas, which say what a schema may say",
}


def _groups(draft: str) -> dict[str, Group]:
    found = (one for one in suite.groups(draft) if one.file not in LEFT_OUT)
    return {f"case{number:04}": group for number, group in enumerate(found)}


def _service(
    root: Path, groups: dict[str, Group], language: str
) -> tuple[dict[str, Event], dict[str, str]]:
    schemas: dict[str, Any] = {}
    for name, group in groups.items():
        schemas[name] = group.schema, language
        schemas[f"{name}_in"] = (
            {
                "type": "object",
                "properties": {"value": {"$ref": f"./{name}.json"}},
                "required": ["value"],
            },
            language,
        )
    try:
        return payloads.service(root, schemas), {}
    except RefusedError as error:
        refused = {name.removesuffix("_in"): why for name, why in error.names.items()}
    kept = {name: group for name, group in groups.items() if name not in refused}
    assert len(kept) < len(groups), "refused, and no schema is to blame"
    events, more = _service(root, kept, language)
    return events, {**refused, **more}


@pytest.mark.parametrize("draft", LANGUAGES)
def test_the_verdicts_on_the_wire_are_those_of_the_suite(draft: str, tmp_path: Path) -> None:
    groups = _groups(draft)
    events, refused = _service(tmp_path, groups, LANGUAGES[draft])
    print({(groups[n].file, groups[n].description): w for n, w in refused.items()})
    count = 0
    wrong = []
    for name, group in groups.items():
        if name in refused:
            continue
        for description, value, valid in group.tests:
            for event, sent in ((events[name], value), (events[f"{name}_in"], {"value": value})):
                count += 1
                body = json.dumps(sent).encode()
                try:
                    ok = event.accepts(body)
                    if ok and valid:
                        back = event.sent_on(body)
                        ok = True if back == sent else f"ROUND {json.dumps(back)[:100]}"
                except Exception as e:
                    ok = repr(e)[:200]
                if ok != valid:
                    wrong.append(
                        (
                            group.file,
                            group.description,
                            description,
                            json.dumps(group.schema)[:150],
                            json.dumps(sent)[:100],
                            valid,
                            ok,
                            event.is_checked,
                        )
                    )
    print(count)
    for w in wrong:
        print(*w, sep=" | ")
    assert not wrong, len(wrong)
