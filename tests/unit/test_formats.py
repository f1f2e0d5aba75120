"""Findings for programs: what each format promises, whatever the text it carries."""

from __future__ import annotations

import json
from typing import Any

import pytest
from eventgen.diagnostics import Diagnostic, Label, Severity, Source, Span
from eventgen.diagnostics.show import as_json, concise, github, sarif
from jsonschema import Draft7Validator

SOURCE = Source("specs/my orders,v1.yaml", "a: 1\nb: 2\nc: 3\n")
OTHER = Source("specs/größe.yaml", "m: 1\n")
HOSTILE = "`a\n::error::b%\r\x1b[2J\N{RIGHT-TO-LEFT OVERRIDE}c`"
WHOLE = Diagnostic(
    "one-name",
    Severity.ERROR,
    HOSTILE,
    Label(Span(SOURCE, 2, 4, 2, 5), "here"),
    (Label(Span(OTHER, 1, 1, 1, 2), "and here"),),
    ("a note",),
    "do: this, then that",
)
LONG = Diagnostic("other-name", Severity.WARNING, "text", Label(Span(SOURCE, 1, 1, 3, 2)))
PLACELESS = Diagnostic("file-missing", Severity.ERROR, "there is no file `x`")
ALL = (WHOLE, LONG, PLACELESS)


def test_json_holds_everything_of_a_finding() -> None:
    whole = json.loads(as_json.show(ALL))
    assert {key: whole[key] for key in ("version", "errors", "warnings", "notes")} == {
        "version": 1,
        "errors": 2,
        "warnings": 1,
        "notes": 0,
    }
    assert whole["findings"][0] == {
        "name": "one-name",
        "severity": "error",
        "message": HOSTILE,
        "place": {
            "file": "specs/my orders,v1.yaml",
            "line": 2,
            "column": 4,
            "end_line": 2,
            "end_column": 5,
            "label": "here",
        },
        "secondary": [
            {
                "file": "specs/größe.yaml",
                "line": 1,
                "column": 1,
                "end_line": 1,
                "end_column": 2,
                "label": "and here",
            }
        ],
        "notes": ["a note"],
        "help": "do: this, then that",
        "details": {},
    }
    assert whole["findings"][2]["place"] is None
    assert whole["findings"][2]["help"] is None


def test_json_of_nothing_is_an_empty_list() -> None:
    assert json.loads(as_json.show(())) == {
        "version": 1,
        "errors": 0,
        "warnings": 0,
        "notes": 0,
        "findings": [],
    }


def test_a_workflow_command_is_one_line_that_no_text_can_leave() -> None:
    first, second, third = github.show(ALL).split("\n")
    assert first == (
        "::error file=specs/my orders%2Cv1.yaml,line=2,endLine=2,col=4,endColumn=5,"
        "title=eventgen one-name::`a\\n::error::b%25\\r\\x1b[2J\\u202ec`: here"
        "%0Aspecs/größe.yaml:1: and here%0Anote: a note%0Ahelp: do: this, then that"
    )
    assert second == (
        "::warning file=specs/my orders%2Cv1.yaml,line=1,endLine=3,title=eventgen other-name::text"
    )
    assert third == "::error title=eventgen file-missing::there is no file `x`"


def test_nothing_is_no_workflow_command_and_no_line() -> None:
    assert github.show(()) == ""
    assert concise.show(()) == ""


def closed(required: list[str], **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


TEXT = {"type": "string", "minLength": 1}
FROM_ONE = {"type": "integer", "minimum": 1}
MESSAGE = closed(["text"], text=TEXT)
LOCATION = closed(
    ["physicalLocation"],
    id={"type": "integer", "minimum": 0},
    message=MESSAGE,
    physicalLocation=closed(
        ["artifactLocation", "region"],
        artifactLocation=closed(
            ["uri"], uri={"type": "string", "pattern": r"^[A-Za-z0-9._~/%:-]+$"}
        ),
        region=closed(
            ["startLine", "startColumn", "endLine", "endColumn"],
            startLine=FROM_ONE,
            startColumn=FROM_ONE,
            endLine=FROM_ONE,
            endColumn=FROM_ONE,
        ),
    ),
)
# SARIF 2.1.0, sections 3.13 (log), 3.14 (run), 3.19 (driver), 3.27 (result), 3.28 to 3.30 (places),
# 3.49 (rule): as much of it as there is in ours, and nothing besides.
LOG = closed(
    ["$schema", "version", "runs"],
    **{"$schema": {"type": "string", "format": "uri"}},
    version={"const": "2.1.0"},
    runs={
        "type": "array",
        "minItems": 1,
        "maxItems": 1,
        "items": closed(
            ["tool", "columnKind", "results"],
            tool=closed(
                ["driver"],
                driver=closed(
                    ["name", "semanticVersion", "rules"],
                    name={"const": "eventgen"},
                    semanticVersion={"type": "string", "pattern": r"^\d+\.\d+\.\d+"},
                    rules={
                        "type": "array",
                        "uniqueItems": True,
                        "items": closed(
                            ["id", "shortDescription", "help"],
                            id=TEXT,
                            shortDescription=MESSAGE,
                            help=closed(["text", "markdown"], text=TEXT, markdown=TEXT),
                        ),
                    },
                ),
            ),
            columnKind={"const": "unicodeCodePoints"},
            results={
                "type": "array",
                "items": closed(
                    ["ruleId", "ruleIndex", "level", "message"],
                    ruleId=TEXT,
                    ruleIndex={"type": "integer", "minimum": 0},
                    level={"enum": ["error", "warning"]},
                    message=MESSAGE,
                    locations={"type": "array", "minItems": 1, "items": LOCATION},
                    relatedLocations={"type": "array", "uniqueItems": True, "items": LOCATION},
                ),
            },
        ),
    },
)


@pytest.mark.parametrize("findings", [ALL, ()])
def test_sarif_is_as_its_specification_says(findings: tuple[Diagnostic, ...]) -> None:
    log = json.loads(sarif.show(findings, {"one-name": "It is so.\n\n## Why\n\nBecause."}, "1.2.3"))
    assert [error.message for error in Draft7Validator(LOG).iter_errors(log)] == []
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert rules[-1 if not findings else 1]["help"]["text"].startswith("It is so.")
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]


def test_sarif_places_are_uris_and_regions() -> None:
    log = json.loads(sarif.show(ALL, {}, "1.2.3"))
    first, second, third = log["runs"][0]["results"]
    (location,) = first["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == (
        "specs/my%20orders%2Cv1.yaml"
    )
    assert location["physicalLocation"]["region"] == {
        "startLine": 2,
        "startColumn": 4,
        "endLine": 2,
        "endColumn": 5,
    }
    assert first["relatedLocations"][0]["message"] == {"text": "and here"}
    assert first["message"]["text"].endswith("\nnote: a note\nhelp: do: this, then that")
    assert second["level"] == "warning"
    assert "locations" not in third
    absolute = Diagnostic("n", Severity.ERROR, "m", Label(Span(Source("/a b", ""), 1, 1, 1, 2)))
    log = json.loads(sarif.show([absolute], {}, "1.2.3"))
    assert "file:///a%20b" in json.dumps(log)
