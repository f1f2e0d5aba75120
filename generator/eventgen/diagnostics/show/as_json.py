"""Findings as one JSON object, for programs.

Nothing is cut. Keys may be added within a version, and none is renamed:

    {
      "version": 1,
      "errors": 1,
      "warnings": 0,
      "notes": 0,
      "findings": [
        {
          "name": "dangling-reference",
          "severity": "error",
          "message": "`#/channels/order` names nothing",
          "place": {"file": "asyncapi.yaml", "line": 6, "column": 17,
                    "end_line": 6, "end_column": 35, "label": "there is no `order`"},
          "secondary": [{"file": "asyncapi.yaml", ...}],
          "notes": [],
          "help": "did you mean `orders`?",
          "details": {}
        }
      ]
    }

Lines and columns count from 1, columns in characters; the end is the first place after the region.
`place` is null for a finding about something that has none, as a missing file; `help` is null when
there is none. `details` are what a change between two versions has beside: see `eventgen diff`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from eventgen.diagnostics import Diagnostic, Label, Severity

VERSION = 1


def show(findings: Iterable[Diagnostic]) -> str:
    """The object as text, in ASCII, so that no terminal or encoding can be upset by it."""
    found = tuple(findings)
    counted = {one: sum(finding.severity is one for finding in found) for one in Severity}
    whole = {
        "version": VERSION,
        "errors": counted[Severity.ERROR],
        "warnings": counted[Severity.WARNING],
        "notes": counted[Severity.NOTE],
        "findings": [_finding(one) for one in found],
    }
    return json.dumps(whole, indent=2)


def _finding(found: Diagnostic) -> dict[str, Any]:
    return {
        "name": found.name,
        "severity": found.severity.value,
        "message": found.message,
        "place": None if found.primary is None else _place(found.primary),
        "secondary": [_place(label) for label in found.secondary],
        "notes": list(found.notes),
        "help": found.help,
        "details": dict(found.details),
    }


def _place(label: Label) -> dict[str, Any]:
    span = label.span
    return {
        "file": span.source.path,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
        "label": label.text,
    }
