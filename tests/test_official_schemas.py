"""Our shapes of AsyncAPI's objects against the official JSON Schemas: the verdicts agree.

Where they do not, the table says why, and where the specification says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from eventgen.diagnostics import Source
from eventgen.spec import source, tree
from eventgen.spec.document.schema import definitions, validator
from eventgen.spec.document.shapes import of_version

from tests.support import corpus, official
from tests.support.instances import broken, instance
from tests.support.mutate import mutations

GOOD = Path(__file__).parents[1] / "specs" / "good"

VERSIONS = ("2.0", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "3.0", "3.1")
# Our name of an object, and the official one: in AsyncAPI 2, in AsyncAPI 3.
OBJECTS = {
    "document": ("", ""),
    "info": ("info", "info"),
    "contact": ("contact", "contact"),
    "license": ("license", "license"),
    "server": ("server", "server"),
    "server-variable": ("serverVariable", "serverVariable"),
    "channel": ("channelItem", "channel"),
    "operation": ("operation", "operation"),
    "operation-trait": ("operationTrait", "operationTrait"),
    "operation-reply": (None, "operationReply"),
    "operation-reply-address": (None, "operationReplyAddress"),
    "parameter": ("parameter", "parameter"),
    "message": ("message", "messageObject"),
    "message-trait": ("messageTrait", "messageTrait"),
    "message-example": (None, "messageExampleObject"),
    "correlation-id": ("correlationId", "correlationId"),
    "external-docs": ("externalDocs", "externalDocs"),
    "tag": ("tag", "tag"),
    "components": ("components", "components"),
    "security": ("SecurityRequirement", None),
    "security-scheme": ("SecurityScheme", "SecurityScheme"),
    "any-schema": (None, "anySchema"),
    "schema": ("schema", "schema"),
}
CHOICES = 14  # as many alternatives as a security scheme has

# Where the verdicts differ: the object ("" for any), how the key begins, whether it is we who
# accept, and why. In brackets is the part of the specification.
DIFFERENCES = (
    ("", "bindings", False, "an unknown protocol is a warning [Bindings Objects: may have x-]"),
    ("", "parameters", False, "officially unchecked [Parameters Object: of Parameter Objects]"),
    ("document", "asyncapi", True, "read before the shape is [AsyncAPI Version String]"),
    ("message", "payload", True, "may be true or false [Schema Object: superset of JSON Schema]"),
    ("message", "headers", True, "may be true or false [Schema Object: superset of JSON Schema]"),
    ("message-trait", "headers", True, "may be true or false [Schema Object]"),
    ("security-scheme", "scheme", True, "`bearerFormat` is a hint [Security Scheme Object]"),
    ("operation", "retry", True, "a proposal for the specification that is read already"),
    ("operation", "deadLetter", True, "a proposal for the specification that is read already"),
)
# The same for whole documents, by a part of the path to what was changed.
IN_DOCUMENTS = (
    ("/bindings/", False, "in AsyncAPI 2 and where fields are unknown, a warning [Bindings]"),
    ("/bindings/", True, "which field goes with which is not of the shape [Bindings]"),
    ("/serverBindings/", False, "as above"),
    ("/channelBindings/", False, "as above"),
    ("/operationBindings/", False, "as above"),
    ("/messageBindings/", False, "as above"),
    ("/parameters/", False, "officially unchecked [Parameters Object]"),
    ("/schemaFormat/", False, "if misspelt, officially unchecked [Multi Format Schema Object]"),
    (
        "/payload/",
        True,
        "schemas of other languages are left to those [Multi Format Schema Object]",
    ),
)
# Objects of bindings that differ, and whether it is we who accept.
IN_BINDINGS = (
    ("amqp.channel", True, "whether `is` goes with `queue` or `exchange` is not of the shape"),
    ("ibmmq.channel", True, "whether `queue` or `topic` is given is not of the shape"),
    ("ibmmq.message", True, "which fields go with which `type` is not of the shape"),
    ("solace.operation", True, "queue or topic; other tools write extensions here too"),
    ("kafka.message", False, "a key of Avro is written as a payload in Avro is"),
    ("mqtt.message", False, "a schema that is `true` says nothing"),
    ("mqtt.operation", False, "a schema that is `true` says nothing"),
    ("mqtt.server", False, "a schema that is `true` says nothing"),
)
MUTANTS = 60  # of each document


def pairs() -> Iterator[tuple[str, str, str]]:
    for version in VERSIONS:
        for ours, names in OBJECTS.items():
            name = names[version.startswith("3")]
            if name is not None and ours in of_version(version).objects:
                yield version, ours, name


@pytest.mark.parametrize("version", VERSIONS)
def test_the_verdicts_of_every_object_agree(version: str) -> None:
    compared = 0
    unlike = []
    for _, ours, name in (pair for pair in pairs() if pair[0] == version):
        theirs, mine = official.official(f"{version}.0", name), validator(version, ours)
        for key, how, value in _values(version, ours, name):
            compared += 1
            accepted, we_accept = theirs.is_valid(value), mine.is_valid(value)
            if accepted != we_accept and not _expected(ours, key, we_accept):
                unlike.append((ours, key, how, f"official: {accepted}", value))
    assert not unlike, (len(unlike), unlike[:5])
    assert compared > 1500


def _expected(ours: str, key: str, we_accept: bool) -> bool:
    return any(
        name in ("", ours) and key.startswith(start) and who == we_accept
        for name, start, who, _ in DIFFERENCES
    )


@pytest.mark.parametrize("version", ["3.0", "3.1"])
def test_the_verdicts_of_every_binding_agree(version: str) -> None:
    root = {"definitions": official.definitions(f"{version}.0")}
    compared = 0
    for name in root["definitions"]:
        if not name.startswith("bindings-"):
            continue
        _, protocol, number, level = name.split("-")
        ours = f"{'ws' if protocol == 'websockets' else protocol}.{level}"
        theirs = official.official(f"{version}.0", name)
        shapes = ((root, f"#/definitions/{name}"), (_ours(version), f"#/$defs/{ours}"))
        for value in _instances(shapes):
            value["bindingVersion"] = number
            for key, _, changed in broken(value):
                if key != "bindingVersion" and _known_fields_only(theirs, changed):
                    compared += 1
                    faults = list(validator(version, ours).iter_errors(changed))
                    we_accept = all(one.kind.name == "additionalProperties" for one in faults)
                    agree = theirs.is_valid(changed) == we_accept
                    assert agree or (ours, we_accept) in {row[:2] for row in IN_BINDINGS}, (
                        ours,
                        key,
                        changed,
                        faults,
                    )
    assert compared > 500


def test_the_verdicts_of_documents_and_of_mutants_of_them_agree() -> None:
    compared = 0
    for name, version, document in _documents():
        theirs, mine = official.official(f"{version}.0"), validator(version, "document")
        if not (theirs.is_valid(document) and mine.is_valid(document)):
            continue
        for mutation in mutations(document, name, MUTANTS):
            compared += 1
            accepted, we_accept = (one.is_valid(mutation.document) for one in (theirs, mine))
            expected = any(
                part in mutation.keys and who == we_accept for part, who, _ in IN_DOCUMENTS
            )
            # Each schema may be true or false [Schema Object]; officially not all in AsyncAPI 3.
            expected |= we_accept and mutation.value is True
            assert accepted == we_accept or expected, (name, mutation.what, mutation.path)
    assert compared > 5000


def _documents() -> Iterator[tuple[str, str, Any]]:
    """The documents of the corpus, and our own, as plain data with the version they are of."""
    root = corpus.folder()
    lines = (root / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    paths = [root / json.loads(line)["local"] for line in lines]
    for path in (*paths, *sorted(GOOD.glob("*.yaml"))):
        loaded = source.load(path, path.name)
        assert isinstance(loaded, Source)
        document = tree.plain(tree.parse(loaded)[0])
        version = str((document or {}).get("asyncapi", ""))[:3]
        if version in VERSIONS:
            yield path.name, version, {**document, "asyncapi": f"{version}.0"}


def _known_fields_only(theirs: Any, value: Any) -> bool:
    """Whether no field is unknown, which we say as a warning."""
    return all(one.kind.name != "additionalProperties" for one in theirs.iter_errors(value))


def _ours(version: str) -> dict[str, Any]:
    return {"$defs": definitions(version)}


def _instances(shapes: Iterable[tuple[dict[str, Any], str]]) -> list[Any]:
    """Values that each schema allows, least and full, with every alternative; none twice."""
    found: list[Any] = []
    for root, reference in shapes:
        schema = {"$ref": reference} if reference else root
        for full in (False, True):
            for choice in range(CHOICES):
                value = instance(root, schema, full=full, choice=choice)
                if value not in found:
                    found.append(value)
    return found


def _values(version: str, ours: str, name: str) -> Iterator[tuple[str, str, Any]]:
    """Values the official schema and ours allow, and each of those with one key changed."""
    theirs = {"definitions": official.definitions(f"{version}.0")}
    if not name:
        theirs = {**official.official_schema(f"{version}.0"), **theirs}
    reference = f"#/definitions/{name}" if name else ""
    for value in _instances(((theirs, reference), (_ours(version), f"#/$defs/{ours}"))):
        if isinstance(value, dict):
            if ours == "document":
                value["asyncapi"] = f"{version}.0"
            yield from broken(value)
        yield "", "whole", value
