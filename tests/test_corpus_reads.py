"""Documents that people wrote: each is read, or refused in words, and means what it says.

The corpus says which documents the official parser accepts, and what it finds in them.
"""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from eventgen.diagnostics import Severity
from eventgen.diagnostics.show import concise, full
from eventgen.model import Service
from eventgen.model.config import Config, Database
from eventgen.rules import check_all
from eventgen.spec.load import Loaded, load

from tests.support import corpus

CONFIG = Config(spec="", broker="", database=Database.SQLITE)
# Documents with these errors are valid, and cannot be read yet.
NOT_YET: set[str] = set()
READ = 137  # valid documents that give a service; it only ever rises
MOST_REFUSED = 0

# Documents the official parser refuses and we read: their authors' meaning is clear.
ACCEPTED = {
    "DEFRA__ffc-future-grants-apply/docs/asyncapi.yaml": "required: true on properties",
    "EsportsHubIPZ__Media-Content-Service/docs/asyncapi.yaml": "operation messages of components",
    "axway-amplify-streams__axway-amplify-streams-asyncapi/asyncapi.yml": "siblings of $ref",
    "bitsy-ai__printnanny-webapp/asyncapi/asyncapi.yaml": "parts of the root we do not read",
    "microcks__microcks/minions/async/src/test/resources/io/github/microcks/minion/async/"
    "user-signedup-asyncapi-3.0-reply.yaml": "operation messages of components",
    "microcks__microcks/webapp/src/test/resources/io/github/microcks/util/asyncapi/"
    "account-service-asyncapi.yaml": "an example that does not match",
    "sngular__scs-multiapi-plugin/multiapi-engine/src/test/resources/asyncapigenerator/v3/"
    "testCustomValidators/event-api.yml": "operation messages of components",
    "strogmv__ang/examples/minimal/api/asyncapi.yaml": "no channels",
    "strogmv__ang/examples/pdf-chart-python/api/asyncapi.yaml": "no channels",
}


@cache
def documents() -> dict[str, tuple[Loaded, dict[str, Any]]]:
    """Each document as we read it, and what the official parser found."""
    root = corpus.folder()
    oracle = {}
    for line in (root / "oracle.jsonl").read_text(encoding="utf-8").splitlines():
        found = json.loads(line)
        oracle[found["local"]] = found
    return {
        name.removeprefix("docs/"): (read(root, name), found)
        for name, found in sorted(oracle.items())
    }


def read(root: Path, name: str) -> Loaded:
    """A document, with the folder of its own repository as its project."""
    project = root.joinpath(*Path(name).parts[:2])
    return load(root / name, CONFIG, name, root=project, fetch=corpus.fetch)


def errors(loaded: Loaded) -> set[str]:
    return {found.name for found in loaded.findings if found.severity is Severity.ERROR}


def test_every_document_is_read_or_refused_in_words() -> None:
    for name, (loaded, _) in documents().items():
        findings = loaded.findings
        if loaded.service is None:
            assert errors(loaded), name
        else:
            assert not errors(loaded), name
            findings += tuple(check_all(loaded.service, CONFIG))
        for found in findings:
            assert found.primary is not None, (name, found.name)
            assert found.message.strip()
        assert full.show(findings) or not findings
        assert len(concise.show(findings).splitlines()) == len(findings)


def test_valid_documents_are_read() -> None:
    refused = {
        name: errors(loaded)
        for name, (loaded, found) in documents().items()
        if found["parsed"] and loaded.service is None
    }
    assert {name: why for name, why in refused.items() if not why <= NOT_YET} == {}
    valid = sum(found["parsed"] for _, found in documents().values())
    assert valid - len(refused) >= READ
    assert len(refused) <= MOST_REFUSED


def test_invalid_documents_are_refused() -> None:
    accepted = {
        name
        for name, (loaded, found) in documents().items()
        if not found["parsed"] and loaded.service is not None
    }
    assert accepted == ACCEPTED.keys()


def test_channels_operations_and_messages_are_those_of_the_official_parser() -> None:
    for name, loaded, found in both():
        channels = Counter(channel["id"] for channel in found["channels"])
        assert Counter(channel.name.raw.value for channel in loaded.channels) == channels, name
        assert ours(loaded, found) == theirs(found), name


def test_payloads_have_the_properties_of_the_official_parser() -> None:
    compared = 0
    for name, loaded, found in both():
        expected = Counter(message.get("id") for message in found["messages"])
        for message in found["messages"]:
            properties = (message["payload"] or {}).get("properties")
            one = next(
                (one for one in loaded.messages if one.name.raw.value == message.get("id")), None
            )
            if one is None or one.foreign_payload is not None:
                continue
            if "id" not in message or expected[message["id"]] > 1 or not properties:
                continue
            schemas = {schema.name: schema.document for schema in loaded.schemas}
            document = schemas[one.schema]
            if list(document) == ["allOf"]:
                (part,) = document["allOf"]
                document = schemas[part["$ref"].removeprefix("#/$defs/")]
            assert sorted(document["properties"]) == sorted(properties), (name, message["id"])
            compared += 1
    assert compared > 200


def both() -> list[tuple[str, Service, dict[str, Any]]]:
    """The valid documents that we read."""
    return [
        (name, loaded.service, found)
        for name, (loaded, found) in documents().items()
        if found["parsed"] and loaded.service is not None
    ]


def ours(loaded: Service, found: dict[str, Any]) -> Counter[tuple[str, int]]:
    """For each operation its channel's address, and how many messages it has."""
    addresses = _addresses(found)
    return Counter(
        (addresses[operation.channel.raw.value], len(operation.messages))
        for operation in loaded.operations
    )


def theirs(found: dict[str, Any]) -> Counter[tuple[str, int]]:
    addresses = _addresses(found)
    return Counter(
        (addresses.get(channel, channel or ""), len(operation["messages"]))
        for operation in found["operations"]
        for channel in operation["channels"]
    )


def _addresses(found: dict[str, Any]) -> dict[str, str]:
    """Channel -> address, as the official parser gives it: none where the document has none."""
    return {channel["id"]: channel.get("address") or "" for channel in found["channels"]}
