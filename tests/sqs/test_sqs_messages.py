"""How an event is a message of SNS and SQS, and what things are called there."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from runtime.service import Channel, Service, Subscription
from runtime.sqs_messages import pack, size, unpack
from runtime.sqs_names import Names, dead_letters, fit_id, queue_name, topic_name
from runtime.transport import Incoming, Outgoing

EVENT = {
    "ce_specversion": "1.0",
    "ce_id": "0198c0de-0000-7000-8000-000000000001",
    "ce_type": "order.placed",
    "ce_source": "/orders",
    "ce_eventversion": "1.0.0",
    "ce_partitionkey": "o-1",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "content-type": "application/json",
    "tenant": "Zoë 鍵",
}


def received(body: str, attributes: Mapping[str, Any], group: str = "g") -> dict[str, Any]:
    return {
        "Body": body,
        "MessageId": "m",
        "MessageAttributes": attributes,
        "Attributes": {"MessageGroupId": group},
    }


def there_and_back(message: Outgoing) -> Incoming:
    body, attributes = pack(message, names_destination=False)
    assert len(attributes) <= 10
    return unpack(received(body, attributes), message.destination, "q")


@pytest.mark.parametrize(
    "payload",
    [
        b'{"total": 1.10, "note": "na\xc3\xafve"}',
        b"null",
        b'{"total": NaN}',
        b'{"cut": ',
        b'{"no text of SQS": "\xef\xbf\xbf"}',
        b"\x00\xff",
        b"",
    ],
)
@pytest.mark.parametrize("headers", [EVENT, {}, {**EVENT, "content-type": "avro/binary"}])
def test_an_event_is_the_same_when_it_arrives(payload: bytes, headers: dict[str, str]) -> None:
    found = there_and_back(Outgoing("orders", "o-1", headers, payload))
    assert (found.body, dict(found.headers), found.key) == (payload, headers, "o-1")


def test_others_read_a_cloud_event_in_json() -> None:
    body, attributes = pack(Outgoing("orders", "o-1", EVENT, b'{"a": 1}'), names_destination=False)
    event = json.loads(body)
    assert event.pop("data") == {"a": 1}
    assert event == {
        "specversion": "1.0",
        "id": EVENT["ce_id"],
        "type": "order.placed",
        "source": "/orders",
        "eventversion": "1.0.0",
        "partitionkey": "o-1",
        "traceparent": EVENT["traceparent"],
        "datacontenttype": "application/json",
    }
    assert attributes["type"]["StringValue"] == "order.placed"
    assert attributes["content-type"]["StringValue"] == "application/cloudevents+json"


def test_an_envelope_is_not_put_into_another_one() -> None:
    headers = {"content-type": "application/cloudevents+json", "ce_partitionkey": "o-1"}
    body, attributes = pack(
        Outgoing("orders", None, headers, b'{"id": 1}'), names_destination=False
    )
    assert body == '{"id": 1}'
    assert dict(unpack(received(body, attributes), "orders", "q").headers) == headers


@pytest.mark.parametrize("key", [None, "a", "Zoë/ключ 鍵", "k" * 300, ""])
def test_a_key_may_be_anything_and_a_group_may_not(key: str | None) -> None:
    assert there_and_back(Outgoing("orders", key, {}, b"{}")).key == key
    if key is not None:
        assert re.fullmatch("[!-~]{1,128}", fit_id(key))


def test_keys_that_are_different_are_different_groups() -> None:
    keys = ["a", "b", "ключ", "ключ2", "k" * 300, "k" * 301, "a b"]
    assert len({fit_id(key) for key in keys}) == len(keys)
    assert fit_id("order:1/2") == "order:1/2"


def test_messages_of_others_are_taken() -> None:
    attributes = {"tenant": {"DataType": "String", "StringValue": "t"}}
    found = unpack(received("hello", attributes, "their-group"), "orders", "q")
    assert (found.body, dict(found.headers), found.key) == (
        b"hello",
        {"tenant": "t"},
        "their-group",
    )
    assert found.origin == "q/m"


@pytest.mark.parametrize(
    "sent", [Outgoing("o", "k", EVENT, b"{}"), Outgoing("o", "k", {}, b"\xff")]
)
def test_a_body_that_somebody_changed_is_left_to_the_runtime(sent: Outgoing) -> None:
    _, attributes = pack(sent, names_destination=False)
    found = unpack(received("{ab", attributes), "orders", "q")
    assert (found.body, found.key) == (b"{ab", "k")


def test_the_size_is_what_sns_counts() -> None:
    attributes = {"a": {"DataType": "String", "StringValue": "é"}}
    assert size("é", attributes) == 2 + len("a") + len("String") + 2


def channel(destination: str, **values: Any) -> Channel:
    return Channel(name="c", address=destination, destination=destination, **values)


@pytest.mark.parametrize(
    ("of", "name"),
    [
        (channel("order.placed"), "order-placed.fifo"),
        (channel("/user/{id}/signed up/"), "user-any-signed-up.fifo"),
        (channel("order.placed", ordering="none"), "order-placed"),
        (channel("x", options={"topic": "given.fifo"}), "given.fifo"),
        (channel("x", options={"topic": "given.fifo"}, ordering="none"), "given"),
        (channel("///"), "events.fifo"),
    ],
)
def test_topics_have_names_that_sns_takes(of: Channel, name: str) -> None:
    assert topic_name(of) == name


def test_queues_have_names_that_sqs_takes_and_begin_with_the_services() -> None:
    short = Subscription("on-order", channel("order"), ())
    assert queue_name(short, "orders") == "orders_on-order.fifo"
    assert dead_letters(short, "orders") == "orders_on-order_dead.fifo"
    long = [Subscription(f"{'on-' * 40}{n}", channel("order"), ()) for n in range(2)]
    names = {make(one, "orders") for one in long for make in (queue_name, dead_letters)}
    assert len(names) == 4
    assert all(len(name) == 80 and name.startswith("orders_on-") for name in names)
    assert all(name.endswith(".fifo") for name in names)


def test_a_destination_is_of_the_channel_that_means_it() -> None:
    one = Channel("one", "user.{id}", "user.{id}")
    other = Channel("other", "user.vip", "user.vip")
    subscriptions = tuple(Subscription(f"on-{c.name}", c, ()) for c in (one, other))
    service = Service("o", "1", "o", "", None, subscriptions=subscriptions)  # type: ignore[arg-type]
    names = Names(service)
    assert names.channel_of("user.7") == one
    assert names.channel_of("user.vip") == other
    assert names.channel_of("nobody") is None
