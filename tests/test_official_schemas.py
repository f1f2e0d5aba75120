"""Our shapes of AsyncAPI's objects against the official JSON Schemas: the verdicts agree.

Where they do not, the table says why, and where the specification says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from eventgen.spec.document.schema import definitions, validator
from eventgen.spec.document.shapes import of_version

from tests.support import official
from tests.support.instances import broken, instance

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

# Where the verdicts differ: the object ("" for any), the key ("" for any), whether we are the one
# who accepts, and why.
DIFFERENCES = (
    ("", "bindings", False, "an unknown protocol: reported as a warning (Bindings Objects: x-)"),
    (
        "",
        "parameters",
        False,
        "officially unchecked (Parameters Object: a map of Parameter Objects)",
    ),
    (
        "document",
        "asyncapi",
        True,
        "the version is read before the shape (AsyncAPI Version String)",
    ),
    ("info", "x-", True, "extensions are their authors' (Specification Extensions)"),
    ("message", "payload", True, "a schema may be true or false (Schema Object: JSON Schema)"),
    ("message", "headers", True, "a schema may be true or false (Schema Object: JSON Schema)"),
    ("message-trait", "headers", True, "a schema may be true or false"),
    (
        "security-scheme",
        "unknown",
        False,
        "officially open for some types (Security Scheme Object)",
    ),
    ("security-scheme", "scheme", True, "`bearerFormat` with another scheme is only of no use"),
    ("operation", "retry", True, "a proposal for the specification, read already"),
    ("operation", "deadLetter", True, "a proposal for the specification, read already"),
)


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
    assert compared > 3000


def _expected(ours: str, key: str, we_accept: bool) -> bool:
    return any(
        name in ("", ours) and key.startswith(start) and who == we_accept
        for name, start, who, _ in DIFFERENCES
    )


def _values(version: str, ours: str, name: str) -> Iterator[tuple[str, str, Any]]:
    """Values the official schema and ours allow, and each of those with one key changed."""
    official_root = {"definitions": official.definitions(f"{version}.0")}
    their_schema = (
        {"$ref": f"#/definitions/{name}"} if name else official.official_schema(f"{version}.0")
    )
    found: list[Any] = []
    for root, schema in (
        (official_root, their_schema),
        ({"$defs": definitions(version)}, {"$ref": f"#/$defs/{ours}"}),
    ):
        for full in (False, True):
            for choice in range(CHOICES):
                value = instance(root, schema, full=full, choice=choice)
                if isinstance(value, dict) and ours == "document":
                    value["asyncapi"] = f"{version}.0"
                if isinstance(value, dict) and ours == "info":
                    value.pop("x-linkedin", None)
                if value not in found:
                    found.append(value)
    for value in found:
        yield "", "whole", value
        if isinstance(value, dict):
            yield from broken(value)
