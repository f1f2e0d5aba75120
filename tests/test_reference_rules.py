"""Each rule by which the official parser refuses a document is an error here too.

The names are those of the rules of `@asyncapi/parser`, whose severity is error; that of its schemas
of a document's shape is held against ours elsewhere.
"""

from __future__ import annotations

import pytest
from eventgen.diagnostics import Severity

from tests.test_bad_specs import BAD, findings

# The parser's rule -> our findings, each with the specification of `specs/bad` that shows it.
RULES = {
    "asyncapi-is-asyncapi": [
        ("unknown-document", "unknown-document"),
        ("unsupported-version", "unsupported-version"),
    ],
    "asyncapi-document-resolved": [
        ("dangling-reference", "dangling-reference"),
        ("missing-key", "missing-key"),
        ("wrong-kind", "wrong-kind"),
    ],
    "asyncapi2-server-security": [
        ("unknown-security-scheme", "unknown-security-scheme"),
        ("unknown-scope", "unknown-scope"),
    ],
    "asyncapi2-operation-security": [
        ("unknown-security-scheme", "unknown-security-scheme"),
        ("unknown-scope", "unknown-scope"),
    ],
    "asyncapi2-server-variables": [
        ("undeclared-variable", "undeclared-variable.in-2"),
        ("unused-variable", "undeclared-variable.in-2"),
    ],
    "asyncapi2-channel-parameters": [
        ("undeclared-parameter", "undeclared-parameter.in-2"),
        ("unused-parameter", "undeclared-parameter.in-2"),
    ],
    "asyncapi2-channel-servers": [("unknown-server", "unknown-server.in-2")],
    "asyncapi2-channel-no-query-nor-fragment": [("address-with-query", "address-with-query.in-2")],
    "asyncapi2-operation-operationId-uniqueness": [("given-twice", "given-twice")],
    "asyncapi2-message-messageId-uniqueness": [("given-twice", "given-twice")],
    "asyncapi2-tags-uniqueness": [("given-twice", "given-twice")],
    "asyncapi2-message-examples": [("example-does-not-match", "example-does-not-match.in-2")],
    "asyncapi2-message-examples-custom-format": [
        ("example-does-not-match", "example-does-not-match.in-2")
    ],
    "asyncapi2-schemas": [
        ("unknown-type", "unknown-type"),
        ("wrong-kind", "wrong-kind.schema"),
    ],
    "asyncapi2-schema-default": [
        ("schema-example-does-not-match", "schema-example-does-not-match.in-2")
    ],
    "asyncapi2-schema-examples": [
        ("schema-example-does-not-match", "schema-example-does-not-match.in-2")
    ],
    "asyncapi3-operation-messages-from-referred-channel": [
        ("message-not-in-channel", "message-not-in-channel"),
        # `message-of-component` is a warning: the meaning is clear.
    ],
    "asyncapi3-required-operation-channel-unambiguity": [
        ("operation-without-channel", "operation-without-channel.component")
    ],
    "asyncapi3-required-channel-servers-unambiguity": [("unknown-server", "unknown-server")],
    "asyncapi3-channel-servers": [("unknown-server", "unknown-server")],
    "asyncapi3-channel-no-query-nor-fragment": [
        ("address-with-query", "address-with-query.in-key")
    ],
    "asyncapi3-channel-parameters": [("unused-parameter", "unused-parameter")],
}
CASES = [(rule, *ours) for rule, several in RULES.items() for ours in several]


@pytest.mark.parametrize(("rule", "name", "spec"), CASES)
def test_what_the_official_parser_refuses_is_an_error(rule: str, name: str, spec: str) -> None:
    found = findings(BAD / f"{spec}.yaml")
    assert (name, Severity.ERROR) in {(one.name, one.severity) for one in found}, rule
