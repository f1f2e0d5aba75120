"""The rules: what they are silent about, and what needs a configuration or a broker."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from eventgen.brokers import discover
from eventgen.model.config import Config, Convention, Database, Naming
from eventgen.model.names import words
from eventgen.pipeline import check
from eventgen.rules._conventions import STYLES, rewritten
from eventgen.rules._verbs import NOUNS, PAST
from eventgen.spec.config import load as load_config

CONFIG = Config(spec="", broker="", database=Database.SQLITE)
GOOD = sorted((Path(__file__).parents[2] / "specs" / "good").glob("*.yaml"))
_HEAD = "asyncapi: 3.0.0\ninfo: {title: Orders, version: 1.0.0}\n"
# What good specifications leave open on purpose.
_OPEN = {"ordering-without-key", "perspective-assumed", "reply-ignored"}


def short(name: str, side: str = "publishes") -> str:
    """A specification of one event in the short form."""
    return f"eventgen: 1\nservice: orders\n{side}:\n  {name}: {{key: id, data: {{id: uuid}}}}\n"


def found(
    tmp_path: Path, text: str, config: Config = CONFIG, broker: str = ""
) -> list[tuple[str, str]]:
    """The name and message of each finding."""
    path = tmp_path / "spec.yaml"
    path.write_text(text, encoding="utf-8")
    chosen = discover()[broker] if broker else None
    return [(one.name, one.message) for one in check(path, config, chosen, "spec.yaml").findings]


def places(tmp_path: Path, text: str, name: str, broker: str) -> list[str]:
    """What stands where such a finding points."""
    path = tmp_path / "spec.yaml"
    path.write_text(text, encoding="utf-8")
    lines = text.splitlines()
    return [
        lines[one.primary.span.line - 1][one.primary.span.column - 1 :].split("}")[0]
        for one in check(path, CONFIG, discover()[broker], "spec.yaml").findings
        if one.name == name and one.primary is not None
    ]


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_the_rules_are_silent_on_good_specifications(path: Path) -> None:
    names = {one.name for one in check(path, CONFIG, None, path.name).findings}
    assert names <= _OPEN


@pytest.mark.parametrize(
    ("convention", "right", "wrong"),
    [
        (Convention.DOTTED, "shop.order.placed", "OrderPlaced"),
        (Convention.DOTTED, "order-line.added.v2", "order.Placed"),
        (Convention.KEBAB, "order-placed", "order.placed"),
        (Convention.SNAKE, "order_placed", "order-placed"),
        (Convention.PATH, "/shop/{shop_id}/orders", "shop//orders"),
        (Convention.PASCAL, "OrderPlacedV2", "orderPlaced"),
    ],
)
def test_a_convention_knows_its_names(convention: Convention, right: str, wrong: str) -> None:
    assert STYLES[convention].right.match(right)
    assert not STYLES[convention].right.match(wrong)


@pytest.mark.parametrize("convention", Convention)
@pytest.mark.parametrize("name", ["OrderPlaced", "order.placed", "shop/order-line/added", "HTTPUp"])
def test_what_a_convention_suggests_is_right_by_it(convention: Convention, name: str) -> None:
    style = STYLES[convention]
    assert style.right.match(rewritten(name, style))
    assert style.right.match(style.shown)


def test_conventions_are_chosen_in_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "eventgen.yaml"
    text = "spec: a.yaml\nbroker: some\ncheck: {event_names: dotted, channel_names: path}\n"
    path.write_text(text, encoding="utf-8")
    config = load_config(path, "eventgen.yaml").config
    assert config is not None
    assert config.naming == Naming(Convention.DOTTED, Convention.PATH)


def test_only_events_that_are_sent_are_named_by_convention(tmp_path: Path) -> None:
    text = (
        "eventgen: 1\nservice: orders\nsubscribes:\n  PaymentTaken: {key: id, data: {id: uuid}}\n"
    )
    config = replace(CONFIG, naming=Naming(events=Convention.DOTTED))
    assert found(tmp_path, text, config) == []
    (one,) = found(tmp_path, text.replace("subscribes", "publishes"), config)
    assert one[0] == "unconventional-event-name"


@pytest.mark.parametrize(
    "name", ["order.cancel", "OrderCancelEvent", "order.update", "order/stop/v2"]
)
def test_an_event_that_says_what_to_do_is_told(tmp_path: Path, name: str) -> None:
    text = short(name)
    assert "event-not-in-past-tense" in {one for one, _ in found(tmp_path, text)}


@pytest.mark.parametrize(
    "name", ["order.cancelled", "CancelOrder", "OrderUpdate", "price.list", "cancel", "order.sent"]
)
def test_what_happened_commands_and_things_are_names_for_events(tmp_path: Path, name: str) -> None:
    text = short(name)
    assert found(tmp_path, text) == []


def test_a_verb_is_one_word_and_its_past_another() -> None:
    for verb, past in {**PAST, **NOUNS}.items():
        assert len(words(verb)) == len(words(past)) == 1
        assert verb != past


_BOUND = (
    _HEAD
    + """\
servers:
  production: {host: 'broker.example.com:9092', protocol: PROTOCOL}
channels:
  a: {address: shop.orders, messages: {a: {$ref: '#/components/messages/a'}}, bindings: BINDINGS}
  b: {address: OTHER, messages: {a: {$ref: '#/components/messages/a'}}}
operations:
  sendA: {action: send, channel: {$ref: '#/channels/a'}}
  sendB: {action: send, channel: {$ref: '#/channels/b'}}
components:
  messages:
    a:
      x-eventgen: {key: id}
      payload: {type: object, required: [id], properties: {id: {type: string}}}
"""
)


def bound(protocol: str = "kafka", bindings: str = "{}", other: str = "shop.refunds") -> str:
    text = _BOUND.replace("PROTOCOL", protocol)
    return text.replace("BINDINGS", bindings).replace("OTHER", other)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (bound(), []),
        (bound("kafka-secure", "{kafka: {partitions: 3}, amqp: {is: queue}}"), []),
        (bound("amqp"), ["server-of-another-broker"]),
        (bound(bindings="{amqp: {is: queue}}"), ["binding-of-another-broker"]),
        (bound(other="shop_orders"), ["kafka-topic-collision"]),
        (bound(other="/shop/orders"), ["kafka-topic-collision"]),
        (bound(bindings="{kafka: {topicConfiguration: {cleanup.policy: [compact]}}}"), []),
    ],
)
def test_what_kafka_would_not_honour_is_told(tmp_path: Path, text: str, names: list[str]) -> None:
    assert [name for name, _ in found(tmp_path, text, broker="kafka")] == names
    assert found(tmp_path, text, broker="embedded") == []


def sending(binding: str, action: str = "send") -> str:
    text = bound("amqp").replace(
        "{action: send,", f"{{action: {action}, bindings: {{amqp: {binding}}},"
    )
    assert binding in text
    return text


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (bound("amqp", "{amqp: {is: routingKey, exchange: {type: topic}}}"), []),
        (bound("amqp", "{amqp: {is: queue}}"), ["rabbitmq-channel-is-queue"]),
        (bound("amqp", "{amqp: {exchange: {type: fanout}}}"), ["rabbitmq-exchange-not-topic"]),
        (sending("{priority: 0, deliveryMode: 2, mandatory: true, ack: true}"), []),
        (sending("{expiration: 60000}"), ["rabbitmq-field-ignored"] * 2),
        (sending("{priority: 5, deliveryMode: 1}"), ["rabbitmq-field-ignored"] * 4),
        (sending("{cc: [audit], bcc: [spies]}"), ["rabbitmq-field-ignored"] * 4),
        (sending("{expiration: 60000}", "receive"), []),
    ],
)
def test_what_rabbitmq_is_not_asked_for_is_told(
    tmp_path: Path, text: str, names: list[str]
) -> None:
    assert [name for name, _ in found(tmp_path, text, broker="rabbitmq")] == names
    assert found(tmp_path, text, broker="embedded") == []


@pytest.mark.parametrize(
    ("bindings", "ordering", "names"),
    [
        ("{sns: {name: orders, ordering: {type: FIFO}}}", "key", []),
        ("{sns: {name: orders, ordering: {type: standard}}}", "none", []),
        ("{sns: {name: a, ordering: {type: standard}}}", "key", ["sqs-kind-contradicts-order"]),
        ("{sns: {name: a, ordering: {type: FIFO}}}", "none", ["sqs-kind-contradicts-order"]),
        ("{sqs: {queue: {name: a, fifoQueue: true}}}", "key", []),
        ("{sqs: {queue: {name: a, fifoQueue: true}}}", "none", ["sqs-kind-contradicts-order"]),
        ("{sqs: {queue: {name: a, fifoQueue: false}}}", "key", ["sqs-kind-contradicts-order"]),
        ("{sqs: {queue: {name: a, fifoQueue: true, deliveryDelay: 0}}}", "key", []),
        (
            "{sqs: {queue: {name: a, fifoQueue: true, deliveryDelay: 60}}}",
            "key",
            ["sqs-delay-ignored"],
        ),
    ],
)
def test_what_sqs_is_not_asked_for_is_told(
    tmp_path: Path, bindings: str, ordering: str, names: list[str]
) -> None:
    text = bound("sqs", f"{bindings}, x-eventgen: {{ordering: {ordering}}}")
    assert [name for name, _ in found(tmp_path, text, broker="sqs")] == names
    assert found(tmp_path, text, broker="embedded") == []


@pytest.mark.parametrize("broker", discover())
def test_a_text_that_no_message_has_room_for_is_told(tmp_path: Path, broker: str) -> None:
    room = discover()[broker].capabilities.max_message_bytes
    most = 10**9 if room is None else room
    lines = [f"{{type: string, maxLength: {number}}}" for number in (most, most + 1)]
    fits, larger = (
        bound().replace("{id: {type: string}}", f"{{id: {{type: string}}, scan: {line}}}")
        for line in lines
    )
    named = "longer-than-a-message"
    assert named not in {name for name, _ in found(tmp_path, fits, broker=broker)}
    told = [text for name, text in found(tmp_path, larger, broker=broker) if name == named]
    assert len(told) == (0 if room is None else 1)
    assert all(text.startswith(f"`scan` may have {most + 1:,} characters, and ") for text in told)
    assert places(tmp_path, larger, named, broker) == [str(most + 1)] * len(told)
    received = larger.replace("action: send", "action: receive")
    assert named not in {name for name, _ in found(tmp_path, received, broker=broker)}


@pytest.mark.parametrize(
    ("other", "names"),
    [
        ("shop.refunds", []),
        ("shop", []),
        ("shop.orders.16", []),
        ("shop.orders.placed.{id}", []),
        ("shop_orders", ["nats-stream-collision"]),
        ("/shop/orders", ["nats-stream-collision"]),
        ("shop.orders.7", ["nats-subjects-overlap"]),
        ("shop.{kind}", ["nats-subjects-overlap"]),
        ("{place}.orders", ["nats-subjects-overlap"]),
        ("shop.orders.{id}", ["nats-subjects-overlap"]),
        ("shop.o-{kind}", ["nats-subjects-overlap"]),
    ],
)
def test_what_jetstream_would_not_keep_apart_is_told(
    tmp_path: Path, other: str, names: list[str]
) -> None:
    named = "".join(re.findall(r"\{(\w+)\}", other))
    address = f"'{other}', parameters: {{{named}: {{}}}}" if named else f"'{other}'"
    text = bound("nats", other=address)
    assert [name for name, _ in found(tmp_path, text, broker="nats")] == names
