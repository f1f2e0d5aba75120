"""What each event's attributes travel in: what is said, and what is seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eventgen import explaining
from eventgen.diagnostics import Span
from eventgen.model import Envelope, Message, Wrapping
from eventgen.model.config import Config, EventConfig, Versions
from eventgen.plan import versions
from eventgen.plan.kinds import Subject
from eventgen.spec.envelopes import SEEN, detected

from tests.support.reading import CONFIG, named, read, service

TEXT = {"type": "string"}
OBJECT = {"type": "object", "properties": {"order_id": TEXT}}
SHORT = """\
eventgen: 1
service: shop
publishes:
  order.placed: {{key: id, {said} data: {data}}}
  order.plain: {{key: id, data: {{id: uuid}}}}
"""
ENVELOPE = "{event_id: uuid, event_type: {$const: placed}, timestamp: date-time, id: uuid}"


def of(*names: str, **others: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {**dict.fromkeys(names, TEXT), **others}}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (of("specversion", "id", "source", "type"), "id type source"),
        (of("specversion", "id", "source", "type", "time", data=OBJECT), "id type source time"),
        (of("eventId", "eventType", "occurredAt", "order"), "eventId eventType occurredAt"),
        (of("id", "type", "timestamp", data=OBJECT), "id type timestamp"),
        (of("id", "type", "time", "correlation_id", payload={}), "id type time correlation_id"),
        ({"allOf": [of("id", "type", "time"), of(data=OBJECT)]}, "id type time"),
        (of(meta=of("id", "type", "time"), data=OBJECT), "meta.id meta.type meta.time"),
        # Things of the business that are called nearly so.
        (of("id", "type", "timestamp"), None),
        (of("id", "type", data=OBJECT), None),
        (of("eventId", "eventName", "place"), None),
        (of("eventId", "timestamp", "ticket"), None),
        (of("id", "type", "time", "data"), None),
        (of("id", "time", type=OBJECT, data=OBJECT), None),
        (of("order_id", "note"), None),
        ({}, None),
        (True, None),
    ],
)
def test_an_envelope_is_told_from_things_of_the_business(schema: Any, expected: Any) -> None:
    found = detected(schema, {})
    assert (found and " ".join(sorted(".".join(way) for way in found.values()))) == (
        expected and " ".join(sorted(expected.split()))
    )


def envelope(tmp_path: Path, config: Config = CONFIG, said: str = "", data: str = ENVELOPE) -> Any:
    found = service(tmp_path, SHORT.format(said=said, data=data), config)
    return message(found.messages, "order.placed").envelope


def message(messages: tuple[Message, ...], type_: str) -> Message:
    return next(one for one in messages if one.type.value == type_)


def test_what_is_seen_is_told_once_and_the_type_is_what_the_payload_says(tmp_path: Path) -> None:
    loaded = read(tmp_path, SHORT.format(said="", data=ENVELOPE))
    assert "`envelope: none`" in (named(loaded.findings, "envelope-assumed").help or "")
    assert loaded.service is not None
    found = message(loaded.service.messages, "order.placed")
    assert (found.envelope.wrapping, found.envelope.origin) == (Wrapping.NONE, SEEN)
    assert found.wire_type.value == "placed"
    assert message(loaded.service.messages, "order.plain").envelope == Envelope()


@pytest.mark.parametrize(
    ("config", "said", "expected"),
    [
        ({}, "", Wrapping.NONE),
        ({}, "envelope: plain,", Wrapping.PLAIN),
        ({"envelope": Envelope(Wrapping.PLAIN)}, "", Wrapping.NONE),  # never twice
        (
            {"events": {"order.placed": EventConfig(Envelope())}},
            "envelope: plain,",
            Wrapping.CLOUDEVENTS,
        ),
    ],
)
def test_what_is_said_of_one_event_wins(
    tmp_path: Path, config: dict[str, Any], said: str, expected: Wrapping
) -> None:
    assert envelope(tmp_path, replace(CONFIG, **config), said).wrapping is expected


def test_saying_none_confirms_what_is_seen_and_nothing_is_told(tmp_path: Path) -> None:
    config = replace(CONFIG, envelope=Envelope(Wrapping.NONE))
    loaded = read(tmp_path, SHORT.format(said="", data=ENVELOPE), config)
    assert loaded.findings == ()
    assert loaded.service is not None
    assert message(loaded.service.messages, "order.placed").envelope.paths["id"] == ("event_id",)
    assert message(loaded.service.messages, "order.plain").envelope.paths == {}


@pytest.mark.parametrize("path", ["m.at", "/m/at", "[m, at]"])
def test_a_property_is_named_in_three_ways(tmp_path: Path, path: str) -> None:
    data = "{id: uuid, m: {at: date-time}}"
    found = envelope(tmp_path, said=f"envelope: {{id: id, time: {path}}},", data=data)
    assert found.paths == {"id": ("id",), "time": ("m", "at")}


def test_a_type_that_two_events_share_does_not_tell_them_apart(tmp_path: Path) -> None:
    text = SHORT.format(said="", data=ENVELOPE) + f"  order.again: {{key: id, data: {ENVELOPE}}}\n"
    for one in service(tmp_path, text).messages:
        assert "type" not in one.envelope.paths
        assert one.wire_type == one.type


def test_an_event_that_is_configured_has_to_be_there(tmp_path: Path) -> None:
    config = replace(CONFIG, events={"order.plced": EventConfig()})
    found = read(tmp_path, SHORT.format(said="", data="{id: uuid}"), config).findings
    assert named(found, "unknown-event").help == "did you mean `order.placed`?"


def test_the_explanation_says_what_was_decided_and_where(tmp_path: Path) -> None:
    def row(said: str, data: str) -> explaining.Row:
        subject = Subject(service(tmp_path, SHORT.format(said=said, data=data)), CONFIG)
        section = explaining.explain("order.placed", subject, None)[0]
        return next(one for one in section.rows if one.name == "envelope")

    seen = row("", ENVELOPE)
    assert seen.value == "none: id is event_id, type is event_type, time is timestamp"
    assert seen.origin == SEEN
    said = row("envelope: plain,", "{id: uuid}")
    assert said.value == "plain"
    assert isinstance(said.origin, Span)
    assert said.origin.line == 4


VERSIONS = """\
eventgen: 1
service: shop
subscribes:
  order.placed:
    key: id
    data: {id: uuid}
    versions: {10.0.0: {data: {id: uuid}}, 2.0.0: {data: {id: uuid}}}
"""


def test_versions_have_a_handler_each_until_one_is_asked_for(tmp_path: Path) -> None:
    found = service(tmp_path, VERSIONS)
    separate = Subject(found, CONFIG)
    assert versions.chains(separate) == ()
    assert set(versions.handlers(separate).values()) == {
        "on_order_placed", "on_order_placed_v2", "on_order_placed_v10",
    }  # fmt: skip
    of_event = replace(CONFIG, events={"order.placed": EventConfig(versions=Versions.UPCAST)})
    for config in (replace(CONFIG, versions=Versions.UPCAST), of_event):
        [chain] = versions.chains(Subject(found, config))
        assert [one.major for one in chain] == [1, 2, 10]
        assert set(versions.handlers(Subject(found, config)).values()) == {"on_order_placed"}
