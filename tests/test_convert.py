"""The short form as AsyncAPI 3: what the official schema accepts, and the same service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from eventgen.diagnostics import Source, has_errors
from eventgen.spec.convert import convert
from eventgen.spec.load import load
from eventgen.spec.tree import parse, plain
from hypothesis import HealthCheck, assume, given, settings

from tests.support import shorts
from tests.support.generate import SPECS, compile_spec, eventgen, texts
from tests.support.official import official_schema
from tests.support.reading import CONFIG, strip_spans

SHORT = sorted(
    path for path in SPECS.glob("*.yaml") if "eventgen: 1\n" in path.read_text(encoding="utf-8")
)


def converted(spec: Path, target: Path) -> str:
    made = convert(spec, CONFIG, spec.name, target.parent)
    assert made.text is not None, made.findings
    target.write_text(made.text, encoding="utf-8", newline="\n")
    return made.text


def faults(text: str) -> list[str]:
    """What the official schema has against a document."""
    root, findings = parse(Source("converted.yaml", text))
    assert not findings
    validator = jsonschema_rs.Draft7Validator(official_schema("3.0.0"))
    return [error.message for error in validator.iter_errors(plain(root))]


def test_there_is_something_to_convert() -> None:
    assert len(SHORT) >= 6


@pytest.mark.parametrize("spec", SHORT, ids=lambda path: path.stem)
def test_the_official_schema_accepts_what_is_written(spec: Path, tmp_path: Path) -> None:
    assert faults(converted(spec, tmp_path / spec.name)) == []


def test_the_official_schema_would_find_a_fault(tmp_path: Path) -> None:
    text = converted(SHORT[0], tmp_path / "spec.yaml")
    assert faults(text.replace("action: send", "action: throw")) != []


@pytest.mark.parametrize("spec", SHORT, ids=lambda path: path.stem)
def test_what_is_written_is_the_same_service(spec: Path, tmp_path: Path) -> None:
    target = tmp_path / spec.name
    converted(spec, target)
    after, before = load(target, CONFIG, spec.name), load(spec, CONFIG, spec.name)
    assert {found.message for found in after.findings} == {
        found.message for found in before.findings
    }
    assert strip_spans(after.service) == strip_spans(before.service)
    assert texts(compile_spec(target, "embedded")) == texts(compile_spec(spec, "embedded"))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(document=shorts.documents())
def test_any_document_is_converted_to_the_same_service(
    document: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("convert")
    spec, target = folder / "short.json", folder / "asyncapi.yaml"
    spec.write_text(json.dumps(document), encoding="utf-8")
    before = load(spec, CONFIG, spec.name)
    assume(not has_errors(before.findings))
    text = converted(spec, target)
    after = load(target, CONFIG, target.name)
    assert strip_spans(after.service) == strip_spans(before.service)
    assert faults(text) == []


def test_comments_at_the_head_are_kept(tmp_path: Path) -> None:
    spec = tmp_path / "orders.yaml"
    spec.write_text("# Ours.\n# yaml-language-server: $schema=x\n\n" + LITTLE, encoding="utf-8")
    assert converted(spec, tmp_path / "asyncapi.yaml").startswith("# Ours.\n\nasyncapi: 3.0.0\n")


def test_references_to_files_are_right_in_another_folder(tmp_path: Path) -> None:
    folder = tmp_path / "below"
    folder.mkdir()
    (tmp_path / "order.json").write_text('{"type": "object"}', encoding="utf-8")
    spec = tmp_path / "orders.yaml"
    spec.write_text(LITTLE.replace("{id: uuid}", "{$ref: order.json}"), encoding="utf-8")
    assert "$ref: ../order.json" in converted(spec, folder / "asyncapi.yaml")
    assert "$ref: order.json" in converted(spec, tmp_path / "asyncapi.yaml")


LITTLE = "eventgen: 1\nservice: orders\npublishes:\n  order.placed: {key: id, data: {id: uuid}}\n"


def test_the_command_writes_a_file_and_overwrites_none(tmp_path: Path) -> None:
    (tmp_path / "orders.yaml").write_text(LITTLE, encoding="utf-8")
    shown = eventgen("convert", "orders.yaml", cwd=tmp_path)
    assert (shown.returncode, shown.stderr) == (0, "")
    written = eventgen("convert", "orders.yaml", "-o", "asyncapi.yaml", cwd=tmp_path)
    assert written.returncode == 0
    assert (tmp_path / "asyncapi.yaml").read_text(encoding="utf-8") == shown.stdout
    (tmp_path / "asyncapi.yaml").write_text("mine")
    refused = eventgen("convert", "orders.yaml", "-o", "asyncapi.yaml", cwd=tmp_path)
    assert refused.returncode == 4
    assert "`--force`" in refused.stderr
    assert (tmp_path / "asyncapi.yaml").read_text() == "mine"
    forced = eventgen("convert", "orders.yaml", "-o", "asyncapi.yaml", "--force", cwd=tmp_path)
    assert forced.returncode == 0
    assert (tmp_path / "asyncapi.yaml").read_text(encoding="utf-8") == shown.stdout


def test_the_command_says_why_it_does_not(tmp_path: Path) -> None:
    already = eventgen("convert", SPECS / "orders.yaml", cwd=tmp_path)
    assert already.returncode == 2
    assert "is AsyncAPI already" in already.stderr
    (tmp_path / "bad.yaml").write_text(LITTLE.replace("uuid", "uid"), encoding="utf-8")
    wrong = eventgen("convert", "bad.yaml", cwd=tmp_path)
    assert (wrong.returncode, wrong.stdout) == (3, "")
    assert "unknown-type" in wrong.stderr
