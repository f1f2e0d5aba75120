"""Where every value of an event was said."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from eventgen import explaining
from eventgen.brokers import discover
from eventgen.diagnostics import Span
from eventgen.explaining import USUAL, Section
from eventgen.plan.kinds import Subject
from eventgen.spec.config import load as load_config
from eventgen.spec.load import load

from tests.support.generate import SPECS, eventgen
from tests.support.reading import CONFIG, service

CONFIGURED = """\
spec: spec.yaml
broker: kafka
channels:
  shop.orders:
    ordering: none
"""
SHORT = """\
eventgen: 1
service: shop
channels:
  orders:
    address: shop.orders
    ordering: key
    retry: {attempts: 3}
    bindings: {kafka: {partitions: 6}}
publishes:
  order.placed:
    channel: orders
    key: [order, id]
    version: 1.2.0
    headers: {trace: string}
    data: {order: {id: uuid}}
subscribes:
  order.seen: {key: id, data: {id: uuid}}
"""


def sections(tmp_path: Path, name: str, text: str, configured: str = "") -> tuple[Section, ...]:
    config = CONFIG
    if configured:
        path = tmp_path / "eventgen.yaml"
        path.write_text(configured, encoding="utf-8")
        loaded = load_config(path, "eventgen.yaml").config
        assert loaded is not None
        config = loaded
    subject = Subject(service(tmp_path, text, config), config)
    return explaining.explain(name, subject, discover()["kafka"])


def shown(section: Section) -> dict[str, tuple[str, str]]:
    return {row.name.strip(): (row.value, place(row.origin)) for row in section.rows}


def place(origin: Span | str) -> str:
    if isinstance(origin, str):
        return origin
    return f"{origin.source.path}:{origin.line}"


def test_every_value_of_an_event_knows_where_it_was_said(tmp_path: Path) -> None:
    event, channel = sections(tmp_path, "order.placed", SHORT)
    assert shown(event) == {
        "type": ("order.placed", "spec.yaml:10"),
        "version": ("1.2.0", "spec.yaml:13"),
        "class": ("OrderPlaced", "its type"),
        "key": ("order.id", "spec.yaml:12"),
        "schema": ("OrderPlaced", "spec.yaml:15"),
        "content type": ("application/json", USUAL),
        "envelope": ("cloudevents", USUAL),
        "headers": ("trace", "spec.yaml:14"),
        "published by": ("publish_orders", "spec.yaml:10"),
    }
    assert shown(channel) == {
        "address": ("shop.orders", "spec.yaml:5"),
        "ordering": ("key", "spec.yaml:6"),
        "retry": (
            "3 attempts; waits 1 s, then 4 times as long each, at most 3600 s",
            "spec.yaml:7",
        ),
        "handling": ("16 at a time, 50 to a transaction, 60 s each", USUAL),
        "dead letter": ("kept in the service's database", USUAL),
        "Apache Kafka": ("shop.orders", "its address"),
        "partitions": ("6", "spec.yaml:8"),
        "binding": ("kafka: partitions", "spec.yaml:8"),
        "carries": ("order.placed", "spec.yaml:10"),
    }


def test_what_nobody_said_is_the_usual(tmp_path: Path) -> None:
    event, channel = sections(tmp_path, "OrderSeen", SHORT)
    assert shown(event)["version"] == ("1.0.0", USUAL)
    assert shown(event)["handled by"] == ("on_order_seen", "spec.yaml:17")
    assert shown(channel)["ordering"] == ("key", USUAL)
    assert shown(channel)["retry"][1] == USUAL


def test_the_configuration_is_named_where_it_wins(tmp_path: Path) -> None:
    (channel,) = sections(tmp_path, "orders", SHORT, CONFIGURED)
    assert shown(channel)["ordering"] == ("none", "eventgen.yaml:5")
    assert shown(channel)["retry"][1] == "spec.yaml:7"


def test_retries_of_an_operation_are_found_there(tmp_path: Path) -> None:
    text = """\
asyncapi: 3.0.0
info: {title: Shop, version: 1.0.0}
defaultContentType: text/plain
channels:
  orders: {address: orders, messages: {placed: {payload: {type: string}}}}
operations:
  handleOrders:
    action: receive
    channel: {$ref: '#/channels/orders'}
    retry: {maxAttempts: 4}
"""
    event, channel = sections(tmp_path, "placed", text)
    assert shown(event)["content type"] == ("text/plain", "the document's default")
    assert shown(channel)["retry"][0].startswith("5 attempts")
    assert shown(channel)["retry"][1] == "spec.yaml:10"


def test_parameters_say_where_their_value_comes_from() -> None:
    loaded = load_config_of("parameters.yaml")
    found = {section.title: section for section in explaining.explain("commands", loaded, None)}
    assert shown(found["channel commands"])["{device_id}"][0] == "given when it is published"


def load_config_of(name: str) -> Subject:
    from eventgen.spec.load import load

    loaded = load(SPECS / name, CONFIG, name).service
    assert loaded is not None
    return Subject(loaded, dataclasses.replace(CONFIG, spec=name))


def test_the_command_explains_findings_first_and_then_events(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(SHORT, encoding="utf-8")
    (tmp_path / "eventgen.yaml").write_text(CONFIGURED, encoding="utf-8")
    finding = eventgen("explain", "unused-channel", cwd=tmp_path)
    assert finding.stdout.startswith("# unused-channel")
    event = eventgen("explain", "order.placed", cwd=tmp_path)
    assert (event.returncode, event.stderr) == (0, "")
    assert "\n  ordering      none " in event.stdout
    assert event.stdout.splitlines()[0] == "event order.placed"
    assert "eventgen.yaml:5:5" in event.stdout
    neither = eventgen("explain", "order.place", cwd=tmp_path)
    assert neither.returncode == 2
    assert "did you mean `order.placed`?" in neither.stderr


def test_without_a_project_there_are_only_findings(tmp_path: Path) -> None:
    shown = eventgen("explain", "order.placed", cwd=tmp_path)
    assert shown.returncode == 2
    assert "no project" in shown.stderr


def test_a_payload_in_avro_has_the_content_type_it_is_sent_with() -> None:
    spec = SPECS / "avro.yaml"
    loaded = load(spec, CONFIG, spec.name).service
    assert loaded is not None
    (event, *_) = explaining.explain("payment.captured", Subject(loaded, CONFIG), None)
    assert shown(event)["content type"] == ("application/avro", "the form of its payload")
