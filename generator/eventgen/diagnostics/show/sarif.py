"""Findings as SARIF 2.1.0, which code hosts and editors read.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from eventgen.diagnostics import Diagnostic, Label, Span

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


def show(
    findings: Iterable[Diagnostic],
    explained: Mapping[str, str],
    version: str,
    locate: Callable[[str], str] = str,
) -> str:
    """One run of the tool.

    `explained` gives the Markdown of each name, whose first line sums it up; `version` is the
    tool's. Every name is listed, so that an empty result says what was looked for. `locate` makes
    of a file's path the one by which the repository knows it.
    """
    found = tuple(findings)
    names = sorted({*explained, *(one.name for one in found)})
    driver = {
        "name": "eventgen",
        "semanticVersion": version,
        "rules": [_rule(name, explained.get(name, name)) for name in names],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, names.index(one.name), locate) for one in found],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(name: str, explanation: str) -> dict[str, Any]:
    summary = explanation.partition("\n")[0]
    return {
        "id": name,
        "shortDescription": {"text": summary},
        "help": {"text": explanation, "markdown": explanation},
    }


def _result(found: Diagnostic, index: int, locate: Callable[[str], str]) -> dict[str, Any]:
    lines = (found.message, *(f"note: {note}" for note in found.notes))
    if found.help is not None:
        lines += (f"help: {found.help}",)
    result: dict[str, Any] = {
        "ruleId": found.name,
        "ruleIndex": index,
        "level": found.severity.value,
        "message": {"text": "\n".join(lines)},
    }
    if found.details:
        result["properties"] = dict(found.details)
    if found.primary is not None:
        result["locations"] = [_location(found.primary, locate)]
    if found.secondary:
        result["relatedLocations"] = [
            {"id": number, **_location(label, locate)}
            for number, label in enumerate(found.secondary)
        ]
    return result


def _location(label: Label, locate: Callable[[str], str]) -> dict[str, Any]:
    physical = {
        "artifactLocation": {"uri": _uri(locate(label.span.source.path))},
        "region": _region(label.span),
    }
    location: dict[str, Any] = {"physicalLocation": physical}
    if label.text:
        location["message"] = {"text": label.text}
    return location


def _region(span: Span) -> dict[str, int]:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def _uri(path: str) -> str:
    """A path as a URI. One that is relative stays so."""
    return Path(path).as_uri() if Path(path).is_absolute() else quote(Path(path).as_posix())
