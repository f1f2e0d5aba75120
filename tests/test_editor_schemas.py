"""The schemas for editors: current, and of one mind with the readers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import jsonschema_rs
import pytest
from eventgen.diagnostics import Source
from eventgen.render.templates import templates_root
from eventgen.spec import editor
from eventgen.spec.tree import parse, plain
from hypothesis import HealthCheck, given, settings

from tests.support import shorts
from tests.support.generate import ROOT

SCHEMAS: dict[str, Callable[[], dict[str, Any]]] = {
    "eventgen.schema": editor.configuration,
    "short.schema": editor.short_form,
}
GOOD = [
    path
    for path in sorted((ROOT / "specs" / "good").glob("*.yaml"))
    if "eventgen: 1\n" in path.read_text(encoding="utf-8")
]
CONFIGS = sorted((ROOT / "golden").glob("*/*/eventgen.yaml"))
# Bad specifications that a schema can tell from good ones: a key or a value that is never right.
MISSHAPEN = (
    "missing-key.short",
    "unknown-key.short-facet",
    "unknown-type.short-facet",
    "unknown-type.short-meant",
    "wrong-kind.short",
)
BAD_CONFIGS = (
    "spec: a.yaml",
    "{spec: a.yaml, broker: b, brokr: c}",
    "{spec: a.yaml, broker: b, database: postgre}",
    "{spec: a.yaml, broker: b, channels: [x]}",
    "{spec: a.yaml, broker: b, channels: {o: {retry: {attempts: 0}}}}",
    "{spec: a.yaml, broker: b, channels: {o: {ordering: keys}}}",
    "{spec: a.yaml, broker: b, check: {severity: {unused-channel: bad}}}",
)


def document(text: str) -> Any:
    root, findings = parse(Source("document.yaml", text))
    assert findings == ()
    return plain(root)


def accepts(name: str, value: Any) -> bool:
    return bool(jsonschema_rs.Draft7Validator(SCHEMAS[name]()).is_valid(value))


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_files_that_services_get_are_current(name: str, request: pytest.FixtureRequest) -> None:
    path = templates_root() / "common" / "schemas" / f"{name}.json"
    text = json.dumps(SCHEMAS[name](), indent=1) + "\n"
    if request.config.getoption("--update-golden"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_is_a_schema_of_draft_07(name: str) -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMAS[name]())


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_every_good_specification_is_accepted(path: Path) -> None:
    assert accepts("short.schema", document(path.read_text(encoding="utf-8")))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(document=shorts.documents())
def test_every_document_that_is_read_is_accepted(document: dict[str, Any]) -> None:
    assert accepts("short.schema", document)


@pytest.mark.parametrize("name", MISSHAPEN)
def test_a_specification_of_the_wrong_shape_is_not(name: str) -> None:
    text = (ROOT / "specs" / "bad" / f"{name}.yaml").read_text(encoding="utf-8")
    assert not accepts("short.schema", document(text))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.parts[-3])
def test_every_configuration_that_is_written_is_accepted(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=.eventgen/schemas/eventgen.schema.json")
    assert accepts("eventgen.schema", document(text))
    # What stands in it as a comment is an example.
    shown = text.replace("# channels:", "channels:").replace("#   ", "   ")
    assert accepts("eventgen.schema", document(shown))


@pytest.mark.parametrize("text", BAD_CONFIGS)
def test_a_configuration_of_the_wrong_shape_is_not(text: str) -> None:
    assert not accepts("eventgen.schema", document(text))


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_key_is_explained(name: str) -> None:
    keys = dict(properties(SCHEMAS[name]()))
    assert len(keys) >= 10
    for key, schema in keys.items():
        assert schema["description"].endswith("."), key


def properties(schema: Any) -> Iterator[tuple[str, Any]]:
    """Each key and its schema, at every depth."""
    if isinstance(schema, list):
        for item in schema:
            yield from properties(item)
    elif isinstance(schema, dict):
        yield from schema.get("properties", {}).items()
        for value in schema.values():
            yield from properties(value)
