"""Documents that people wrote: each is read, or refused in words, and means what it says.

The corpus says which documents the official parser accepts, and what it finds in them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from eventgen.diagnostics import Severity
from eventgen.diagnostics.show import concise, full
from eventgen.model import Action, Location, Message, Part, Schema, Service
from eventgen.model.config import Config, Database, Perspective
from eventgen.pipeline import Checked, examine
from eventgen.spec.load import load

from tests.support import corpus

# The official parser reads `publish` and `subscribe` as the specification does.
CONFIG = Config(
    spec="", broker="", database=Database.SQLITE, v2_perspective=Perspective.SPECIFICATION
)
FOREIGN = ("avro", "protobuf", "raml")
Oracle = dict[str, Any]


@dataclass(frozen=True)
class Difference:
    """Why our verdict on a document is not the official parser's."""

    reason: str
    place: str  # in the specification

    def __post_init__(self) -> None:
        assert self.reason
        assert self.place


_OF_COMPONENTS = Difference(
    "the messages of an operation are named in components; they are its channel's all the same,"
    " so this is a warning",
    "3.0.0, Operation Object, `messages`: a subset of the messages of the channel",
)
# Documents that the official parser refuses and we read: their authors' meaning is clear.
ACCEPTED = {
    "DEFRA__ffc-future-grants-apply/docs/asyncapi.yaml": Difference(
        "`required: true` on properties is read as their names in the list of the object",
        "JSON Schema Validation draft 07, 6.5.3: `required` is a list of names",
    ),
    "EsportsHubIPZ__Media-Content-Service/docs/asyncapi.yaml": _OF_COMPONENTS,
    "bitsy-ai__printnanny-webapp/asyncapi/asyncapi.yaml": Difference(
        "a payload of OpenAPI is a reference, which is followed as any other",
        "2.4.0, Message Object, `payload`: any, of the language that `schemaFormat` names",
    ),
    "sngular__scs-multiapi-plugin/multiapi-engine/src/test/resources/asyncapigenerator/v3/"
    "testCustomValidators/event-api.yml": _OF_COMPONENTS,
    "sngular__scs-multiapi-plugin/multiapi-engine/src/test/resources/asyncapigenerator/v3/"
    "testFileGenerationExternalAvro/event-api.yml": Difference(
        "a payload that is a file `.avsc` is Avro, whether or not a `schemaFormat` says so",
        "3.0.0, Multi Format Schema Object: `schemaFormat` is how a consumer is to read it",
    ),
}
# Documents that the official parser accepts and we do not.
REFUSED: dict[str, Difference] = {}


@cache
def documents() -> dict[str, tuple[Checked, Oracle]]:
    """Each document as we read it, and what the official parser found."""
    root = corpus.folder()
    lines = (root / "oracle.jsonl").read_text(encoding="utf-8").splitlines()
    oracle = {found["local"]: found for found in map(json.loads, lines)}
    return {
        name.removeprefix("docs/"): (read(root, name), found)
        for name, found in sorted(oracle.items())
    }


def read(root: Path, name: str) -> Checked:
    """What we find in a document, with the folder of its own repository as its project."""
    project = root.joinpath(*Path(name).parts[:2])
    loaded = load(root / name, CONFIG, name, root=project, fetch=corpus.fetch)
    return examine(loaded, CONFIG, None, name)


def both() -> Iterator[tuple[str, Service, Oracle]]:
    """The valid documents that we read."""
    for name, (checked, found) in documents().items():
        if found["parsed"] and checked.service is not None:
            yield name, checked.service, found


def is_second(found: Oracle) -> bool:
    return str(found["version"]).startswith("2.")


def errors(checked: Checked) -> set[str]:
    return {found.name for found in checked.findings if found.severity is Severity.ERROR}


def test_every_document_is_read_or_refused_in_words() -> None:
    for name, (checked, _) in documents().items():
        findings = checked.findings
        assert bool(errors(checked)) == (checked.service is None), name
        for found in findings:
            assert found.primary is not None, (name, found.name)
            assert found.message.strip()
        assert full.show(findings) or not findings
        assert len(concise.show(findings).splitlines()) == len(findings)


def test_our_verdict_is_that_of_the_official_parser() -> None:
    accepted, refused = set(), set()
    for name, (checked, found) in documents().items():
        if checked.service is not None and not found["parsed"]:
            accepted.add(name)
        if checked.service is None and found["parsed"]:
            refused.add(name)
    assert accepted == ACCEPTED.keys()
    assert refused == REFUSED.keys()


def compare(ours: Callable[[Service, Oracle], Any], theirs: Callable[[Oracle], Any]) -> None:
    different = {}
    compared = 0
    for name, service, found in both():
        left, right = ours(service, found), theirs(found)
        compared += 1
        if left != right:
            different[name] = (left, right)
    assert different == {}
    assert compared > 100


def test_servers_are_those_of_the_official_parser() -> None:
    def ours(service: Service, found: Oracle) -> Any:
        hosts = {server["id"]: server["host"] for server in found["servers"]}
        urls = {
            server.name.raw.value: server.host.value + server.pathname.value
            for server in service.servers
        }
        if is_second(found):  # the parser loses a host without a scheme, and the user in front
            assert all(hosts[name] in urls[name] for name in urls)
        else:
            assert all(urls[name].startswith(hosts[name]) for name in urls)
        return {server.name.raw.value: server.protocol.value for server in service.servers}

    compare(ours, lambda found: {server["id"]: server["protocol"] for server in found["servers"]})


def test_channels_and_their_parameters_are_those_of_the_official_parser() -> None:
    def ours(service: Service, found: Oracle) -> Any:
        return {
            channel.id.value: (
                channel.id.value
                if is_second(found)
                else (channel.address.value if channel.addressed else None),
                sorted(parameter.name for parameter in channel.parameters),
            )
            for channel in service.channels
        }

    def theirs(found: Oracle) -> Any:
        return {
            channel["id"]: (channel.get("address"), sorted(channel["parameters"]))
            for channel in found["channels"]
        }

    compare(ours, theirs)


def test_operations_and_their_replies_are_those_of_the_official_parser() -> None:
    def ours(service: Service, found: Oracle) -> Any:
        return Counter(
            (
                "" if is_second(found) else operation.id.value,
                operation.action is Action.SEND,
                address(service.channel(operation.channel), found),
                len(operation.messages),
                operation.reply
                and (
                    operation.reply.channel
                    and address(service.channel(operation.reply.channel), found),
                    operation.reply.address and written(operation.reply.address.location),
                ),
            )
            for operation in service.operations
        )

    def theirs(found: Oracle) -> Any:
        return Counter(
            (
                "" if is_second(found) else operation["id"],
                operation["send"],
                channel,
                len(operation["messages"]),
                operation["reply"]
                and (operation["reply"]["channel"], operation["reply"]["address"]),
            )
            for operation in found["operations"]
            for channel in operation["channels"]
        )

    compare(ours, theirs)


def address(channel: Any, found: Oracle) -> Any:
    if is_second(found):
        return channel.id.value
    return channel.address.value if channel.addressed else None


def written(location: Location | None) -> str | None:
    """A location as documents have it."""
    if location is None:
        return None
    part = "header" if location.part is Part.HEADERS else "payload"
    return f"$message.{part}#/" + "/".join(location.path)


def test_messages_are_those_of_the_official_parser() -> None:
    def ours(service: Service, _: Oracle) -> Any:
        return Counter(
            [seen(message, service.schemas) for message in service.messages]
            + [seen(message, service.spare.schemas) for message in service.spare.messages]
        )

    def theirs(found: Oracle) -> Any:
        return Counter(
            (
                message["contentType"] or "application/json",
                message["headers"],
                message["correlationId"],
                None
                if any(word in (message["schemaFormat"] or "") for word in FOREIGN)
                else facts(message["payload"] or {"type": "object"}),
            )
            for message in found["messages"]
        )

    compare(ours, theirs)


def seen(message: Message, schemas: tuple[Schema, ...]) -> Any:
    documents = {schema.name: schema.document for schema in schemas}
    document = documents[message.schema]
    while len(document.get("allOf", ())) == 1 and "properties" not in document:
        document = documents[document["allOf"][0]["$ref"].removeprefix("#/$defs/")]
    return (
        message.content_type.value,
        message.headers is not None or message.foreign_headers is not None,
        message.correlation is not None,
        None if message.foreign_payload else facts(document),
    )


def facts(schema: Any) -> Any:
    """What the corpus says of a payload, in a form that can be counted."""
    kind = schema.get("type") or "anything"
    kinds = {kind} if isinstance(kind, str) else {*kind}
    lists = (tuple(sorted(schema.get(key) or ())) for key in ("properties", "required"))
    return (*sorted(kinds - {"null"}), *lists)  # `nullable` is no keyword to the parser


def test_names_and_formats_of_messages_are_those_of_the_official_parser() -> None:
    compared = 0
    for name, service, found in both():
        ids = Counter(message.get("id") for message in found["messages"])
        theirs = {one.get("id"): one for one in found["messages"] if ids[one.get("id")] == 1}
        for message in service.messages:
            one = theirs.get(message.id.value)
            if one is None:
                continue
            assert one["name"] in (None, message.type.value), name
            assert message.schema_format.value in ("", one["schemaFormat"]), name
            compared += 1
    assert compared > 300
