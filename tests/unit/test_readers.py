"""The readers of AsyncAPI: what a document says is in the model, wherever each version keeps it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from eventgen import pipeline
from eventgen.brokers import discover
from eventgen.commands import new
from eventgen.commands.exits import Exit
from eventgen.diagnostics import Severity
from eventgen.model import Location, Part, Retry, Service, Text
from eventgen.model.config import Perspective

from tests.support.reading import CONFIG, named, read, schema, service, strip_spans

WHOLE_2 = """
asyncapi: 2.6.0
id: urn:example:shop
info:
  title: Shop
  version: 1.2.0
  description: Sells.
  termsOfService: https://example.com/terms
  contact: {name: Anna, url: https://example.com, email: anna@example.com}
  license: {name: Apache-2.0, url: https://example.com/license}
  x-owner: {team: sales}
tags: [{name: shop, description: All of it, externalDocs: {url: https://example.com/shop}}]
externalDocs: {url: https://example.com/docs, description: Read more}
defaultContentType: application/cloudevents+json
x-eventgen: {v2_perspective: application}
x-root: [1, 2]
servers:
  production:
    url: '{region}.example.com:{port}/events'
    protocol: kafka-secure
    protocolVersion: '3.2'
    description: The real one.
    tags: [{name: env}]
    variables:
      port: {default: '9093'}
      region: {enum: [eu, us], default: eu, description: Where., examples: [eu]}
    security: [{scram: []}]
    bindings: {kafka: {schemaRegistryUrl: https://example.com/registry, x-own: 1}}
  test: {$ref: '#/components/servers/test'}
channels:
  orders/{orderId}/{kind}:
    description: Orders.
    servers: [production]
    parameters:
      orderId: {$ref: '#/components/parameters/orderId'}
      kind: {description: Its kind., schema: {enum: [a, b], default: a, examples: [b]}}
    bindings: {$ref: '#/components/channelBindings/partitioned'}
    x-channel: yes
    publish:
      operationId: sendOrder
      summary: Send an order.
      tags: [{name: out}]
      externalDocs: {url: https://example.com/send}
      security: [{scram: []}]
      bindings: {kafka: {clientId: {type: string}}}
      traits: [{$ref: '#/components/operationTraits/described'}]
      x-operation: 1
      message:
        oneOf: [{$ref: '#/components/messages/placed'}, {$ref: '#/components/messages/paid'}]
components:
  servers: {test: {url: localhost, protocol: kafka}}
  parameters:
    orderId: {description: The order., location: $message.payload#/order/id}
  channelBindings: {partitioned: {kafka: {partitions: 3, topicConfiguration: {$ref: '#/x-config'}}}}
  operationTraits: {described: {description: From the trait., bindings: {amqp: {ack: true}}}}
  securitySchemes: {scram: {type: scramSha256, description: By password.}}
  messages:
    placed:
      messageId: placed
      name: order.placed
      title: Order placed
      summary: It was placed.
      tags: [{name: event}]
      externalDocs: {url: https://example.com/placed}
      contentType: application/json
      correlationId: {description: The request., location: $message.header#/request~1id}
      headers: {type: object, properties: {request/id: {type: string}}}
      payload: {$ref: '#/components/schemas/Order'}
      bindings: {kafka: {key: {type: string}}}
      examples:
        - {name: one, summary: An order., payload: {order: {id: 1}}, headers: {request/id: a}}
      traits: [{x-trait: [a]}]
      x-eventgen: {key: order.id, version: 2.0.0}
      x-message: {a: null}
    paid: {messageId: paid, name: order.paid, payload: {type: object}}
    unsent: {messageId: unsent, name: order.unsent, payload: {$ref: '#/components/schemas/Order'}}
  schemas:
    Order: {type: object, properties: {order: {type: object, properties: {id: {type: integer}}}}}
x-config: {retention.ms: 5}
"""

WHOLE_3 = """
asyncapi: 3.0.0
id: urn:example:shop
info:
  title: Shop
  version: 1.2.0
  description: Sells.
  termsOfService: https://example.com/terms
  contact: {name: Anna, url: https://example.com, email: anna@example.com}
  license: {name: Apache-2.0, url: https://example.com/license}
  tags: [{name: shop, description: All of it, externalDocs: {url: https://example.com/shop}}]
  externalDocs: {url: https://example.com/docs, description: Read more}
  x-owner: {team: sales}
defaultContentType: application/cloudevents+json
x-root: [1, 2]
servers:
  production:
    host: '{region}.example.com:{port}'
    pathname: /events
    protocol: kafka-secure
    protocolVersion: '3.2'
    description: The real one.
    tags: [{name: env}]
    variables:
      port: {default: '9093'}
      region: {enum: [eu, us], default: eu, description: Where., examples: [eu]}
    security: [{$ref: '#/components/securitySchemes/scram'}]
    bindings: {kafka: {schemaRegistryUrl: https://example.com/registry, x-own: 1}}
  test: {$ref: '#/components/servers/test'}
channels:
  orders/{orderId}/{kind}:
    address: orders/{orderId}/{kind}
    description: Orders.
    servers: [{$ref: '#/servers/production'}]
    parameters:
      orderId: {$ref: '#/components/parameters/orderId'}
      kind: {description: Its kind., enum: [a, b], default: a, examples: [b]}
    bindings: {$ref: '#/components/channelBindings/partitioned'}
    x-channel: yes
    messages:
      placed: {$ref: '#/components/messages/placed'}
      paid: {name: order.paid, payload: {type: object}}
operations:
  sendOrder:
    action: send
    channel: {$ref: '#/channels/orders~1{orderId}~1{kind}'}
    summary: Send an order.
    tags: [{name: out}]
    externalDocs: {url: https://example.com/send}
    security: [{$ref: '#/components/securitySchemes/scram'}]
    bindings: {kafka: {clientId: {type: string}}}
    traits: [{$ref: '#/components/operationTraits/described'}]
    x-operation: 1
components:
  servers: {test: {host: localhost, protocol: kafka}}
  parameters:
    orderId: {description: The order., location: $message.payload#/order/id}
  channelBindings: {partitioned: {kafka: {partitions: 3, topicConfiguration: {$ref: '#/x-config'}}}}
  operationTraits: {described: {description: From the trait., bindings: {amqp: {ack: true}}}}
  securitySchemes: {scram: {type: scramSha256, description: By password.}}
  messages:
    placed:
      name: order.placed
      title: Order placed
      summary: It was placed.
      tags: [{name: event}]
      externalDocs: {url: https://example.com/placed}
      contentType: application/json
      correlationId: {description: The request., location: $message.header#/request~1id}
      headers: {type: object, properties: {request/id: {type: string}}}
      payload: {$ref: '#/components/schemas/Order'}
      bindings: {kafka: {key: {type: string}}}
      examples:
        - {name: one, summary: An order., payload: {order: {id: 1}}, headers: {request/id: a}}
      traits: [{x-trait: [a]}]
      x-eventgen: {key: order.id, version: 2.0.0}
      x-message: {a: null}
    unsent: {name: order.unsent, payload: {$ref: '#/components/schemas/Order'}}
  schemas:
    Order: {type: object, properties: {order: {type: object, properties: {id: {type: integer}}}}}
x-config: {retention.ms: 5}
"""


def test_both_versions_say_everything_the_same_way(tmp_path: Path) -> None:
    second, third = service(tmp_path, WHOLE_2), service(tmp_path, WHOLE_3)
    # What parameters may be stands in a schema in 2.x, which is kept as well.
    (channel,) = second.channels
    assert [one.schema for one in channel.parameters] == [
        {"enum": ["a", "b"], "default": "a", "examples": ["b"]},
        None,
    ]
    parameters = tuple(replace(one, schema=None) for one in channel.parameters)
    second = replace(second, channels=(replace(channel, parameters=parameters),))
    assert strip_spans(second) == strip_spans(third)


def test_a_document_is_read_whole(tmp_path: Path) -> None:
    shop = service(tmp_path, WHOLE_3)
    assert shop.info.id == Text("urn:example:shop")
    assert shop.info.contact is not None
    assert shop.info.contact.email == Text("anna@example.com")
    assert shop.info.about.extensions == {"x-owner": {"team": "sales"}}
    assert shop.info.about.tags[0].docs is not None
    assert shop.extensions == {"x-root": [1, 2], "x-config": {"retention.ms": 5}}
    production = next(one for one in shop.servers if one.protocol_version)
    assert (production.host.value, production.pathname.value) == (
        "{region}.example.com:{port}",
        "/events",
    )
    assert [(one.name, one.default) for one in production.variables] == [
        ("port", Text("9093")),
        ("region", Text("eu")),
    ]
    assert production.security[0][0].scheme.type == Text("scramSha256")
    (channel,) = shop.channels
    assert channel.servers == (production.name,)
    assert channel.bindings["kafka"]["topicConfiguration"] == {"retention.ms": 5}
    kind, order_id = channel.parameters
    assert (kind.enum, kind.default, kind.examples) == (
        (Text("a"), Text("b")),
        Text("a"),
        (Text("b"),),
    )
    assert order_id.location == Location(Part.PAYLOAD, ("order", "id"))
    (operation,) = shop.operations
    assert operation.about.words == Text("From the trait.")
    assert operation.bindings == {"kafka": {"clientId": {"type": "string"}}, "amqp": {"ack": True}}
    placed = next(one for one in shop.messages if one.key)
    assert placed.correlation is not None
    assert placed.correlation.location == Location(Part.HEADERS, ("request/id",))
    assert placed.examples[0].parts == {
        "payload": {"order": {"id": 1}},
        "headers": {"request/id": "a"},
    }
    assert placed.about.extensions == {"x-message": {"a": None}, "x-trait": ["a"]}


def test_a_message_of_no_channel_is_kept_and_nothing_comes_of_it(tmp_path: Path) -> None:
    shop = service(tmp_path, WHOLE_3)
    (unsent,) = shop.spare.messages
    assert unsent.type == Text("order.unsent")
    assert [one.name for one in shop.spare.schemas] == ["OrderUnsent"]
    assert unsent.name not in {message.name for message in shop.messages}


def test_places_lead_to_the_parts_of_an_object(tmp_path: Path) -> None:
    (channel,) = service(tmp_path, WHOLE_3).channels

    def at(*way: str) -> str:
        span = channel.places.at(*way)
        return span.source.line(span.line)[span.column - 1 : span.end_column - 1]

    assert at("address") == "orders/{orderId}/{kind}"
    assert at("parameters", "kind") == "kind"
    assert at("parameters", "kind", "default") == "a"
    assert at("servers") == "servers"
    assert at("parameters", "kind", "no", "such") == "kind"
    assert channel.places.at("title") == channel.span


TRAITS = """
components:
  messages:
    placed:
      payload: {type: object}
      headers: {$ref: '#/components/schemas/Own'}
      title: own
      traits:
        - headers: {$ref: '#/components/schemas/First'}
          summary: first
          bindings: {kafka: {a: 1, b: 1}}
        - {title: second, summary: second, bindings: {kafka: {b: 2}}}
  schemas:
    Own: {type: object, required: [id], properties: {id: {type: string}, own: {type: string}}}
    First: {type: object, required: [at], properties: {id: {type: integer}, at: {type: string}}}
"""
HEAD_2 = """
asyncapi: 2.6.0
info: {title: Shop, version: 1.0.0}
x-eventgen: {v2_perspective: application}
channels:
  orders: {publish: {message: {$ref: '#/components/messages/placed'}}}
"""
HEAD_3 = """
asyncapi: 3.0.0
info: {title: Shop, version: 1.0.0}
channels:
  orders: {address: orders, messages: {placed: {$ref: '#/components/messages/placed'}}}
  retries: {address: retries, messages: {again: {name: again, payload: {type: object}}}}
  dead: {address: null, messages: {dead: {name: dead, payload: {type: object}}}}
operations:
  receiveOrder:
    action: receive
    channel: {$ref: '#/channels/orders'}
"""
PLACED = "components: {messages: {placed: {payload: {type: object}}}}"


@pytest.mark.parametrize(
    ("head", "title", "required", "id_type"),
    [(HEAD_2, "second", ["at"], "integer"), (HEAD_3, "own", ["id"], "string")],
)
def test_traits_are_merged_as_the_version_says(
    tmp_path: Path, head: str, title: str, required: list[str], id_type: str
) -> None:
    messages = service(tmp_path, head + TRAITS).messages
    placed = next(one for one in messages if one.id.value == "placed")
    assert placed.about.title == Text(title)
    assert placed.about.summary == Text("second")
    assert placed.bindings == {"kafka": {"a": 1, "b": 2}}
    assert placed.headers["required"] == required
    assert placed.headers["properties"] == {
        "id": {"type": id_type},
        "own": {"type": "string"},
        "at": {"type": "string"},
    }


def test_null_in_a_trait_takes_a_field_away_where_traits_are_merge_patches(tmp_path: Path) -> None:
    traits = "traits: [{bindings: {kafka: {a: 1}, amqp: {c: 1}}}, {bindings: {amqp: null}}]"
    text = f"components: {{messages: {{placed: {{payload: {{type: object}}, {traits}}}}}}}"
    (placed,) = service(tmp_path, HEAD_2 + text).messages
    assert placed.bindings == {"kafka": {"a": 1}}


def test_traits_that_contain_themselves_have_an_end(tmp_path: Path) -> None:
    text = """
components:
  messages:
    placed:
      payload: {type: object}
      headers: {$ref: '#/components/schemas/A'}
      traits: [{headers: {$ref: '#/components/schemas/B'}}]
  schemas:
    A: {type: object, properties: {next: {$ref: '#/components/schemas/A'}, a: {type: string}}}
    B: {type: object, properties: {next: {$ref: '#/components/schemas/B'}, b: {type: string}}}
"""
    (placed,) = service(tmp_path, HEAD_2 + text).messages
    assert placed.headers["properties"].keys() == {"next", "a", "b"}


def test_a_reply_goes_to_a_channel_or_where_its_request_says(tmp_path: Path) -> None:
    text = """    reply:
      channel: {$ref: '#/channels/dead'}
      messages: [{$ref: '#/channels/dead/messages/dead'}]
      address: {location: $message.header#/replyTo, description: Where to.}
  ask:
    action: send
    channel: {$ref: '#/channels/orders'}
    reply:
      address: {location: $message.payload#/back}
      messages: [{$ref: '#/components/messages/placed'}]
"""
    shop = service(tmp_path, HEAD_3 + text + PLACED)
    ask, receive = shop.operations
    assert receive.reply is not None
    assert receive.reply.channel is not None
    assert receive.reply.channel.snake == "dead"
    assert [name.snake for name in receive.reply.messages] == ["dead"]
    assert receive.reply.address is not None
    assert receive.reply.address.location == Location(Part.HEADERS, ("replyTo",))
    assert receive.reply.address.description == Text("Where to.")
    assert not shop.channel(receive.reply.channel).addressed
    assert ask.reply is not None
    assert ask.reply.channel is None
    assert [name.snake for name in ask.reply.messages] == ["placed"]


RECOVERY = """    retry:
      channel: {$ref: '#/channels/retries'}
      messages: [{$ref: '#/channels/retries/messages/again'}]
      maxAttempts: 4
      strategy: STRATEGY
    deadLetter:
      channel: {$ref: '#/channels/dead'}
      messages: [{$ref: '#/channels/dead/messages/dead'}]
"""


@pytest.mark.parametrize(
    ("strategy", "meant"),
    [
        ("{type: fixed, delay: PT1M30S}", Retry(5, 90, 1, 90)),
        ("{type: exponential, initialDelay: PT0.5S, multiplier: 2}", Retry(5, 0.5, 2, 3600)),
        (
            "{type: exponential, initialDelay: PT2H, multiplier: 2, maxDelay: PT3H}",
            Retry(5, 7200, 2, 10800),
        ),
        ("{type: linear, initialDelay: PT10S, delayIncrement: PT5S}", Retry(5, 10, 1.5, 25)),
    ],
)
def test_an_operation_says_how_it_recovers(tmp_path: Path, strategy: str, meant: Retry) -> None:
    shop = service(tmp_path, HEAD_3 + RECOVERY.replace("STRATEGY", strategy) + PLACED)
    (operation,) = shop.operations
    assert operation.retry == meant
    assert operation.retry_route is not None
    assert operation.retry_route.channel is not None
    assert operation.retry_route.channel.snake == "retries"
    assert operation.dead_letter is not None
    assert [name.snake for name in operation.dead_letter.messages] == ["dead"]
    assert shop.channel(operation.channel).retry == meant


def test_own_settings_of_an_operation_win(tmp_path: Path) -> None:
    own = "    x-eventgen: {retry: {attempts: 3}}\n"
    recovery = RECOVERY.replace("STRATEGY", "{type: fixed, delay: PT5S}")
    shop = service(tmp_path, HEAD_3 + own + recovery + PLACED)
    assert shop.operations[0].retry == Retry(attempts=3)
    second = HEAD_2.replace("{publish: {", "{subscribe: {x-eventgen: {retry: {attempts: 3}}, ")
    (channel,) = service(tmp_path, second + PLACED).channels
    assert channel.retry == Retry(attempts=3)


def foreign(tmp_path: Path) -> Service:
    """A service that receives a payload in RAML."""
    text = """
components:
  messages:
    placed:
      headers: {schemaFormat: text/x-own, schema: [own]}
      payload:
        schemaFormat: application/raml+yaml;version=1.0
        schema: {type: object, properties: {id: string}}
"""
    return service(tmp_path, HEAD_3 + text)


def test_a_schema_in_another_language_is_read_as_it_is(tmp_path: Path) -> None:
    shop = foreign(tmp_path)
    placed = next(one for one in shop.messages if one.id.value == "placed")
    assert placed.foreign_payload is not None
    assert placed.foreign_payload.format == Text("application/raml+yaml;version=1.0")
    assert placed.foreign_payload.document["properties"] == {"id": "string"}
    assert placed.foreign_headers is not None
    assert placed.foreign_headers.document == ["own"]
    assert schema(shop, placed.schema) == {}


def test_only_a_generation_has_to_understand_every_payload(tmp_path: Path) -> None:
    foreign(tmp_path)
    config = replace(CONFIG, spec="spec.yaml", broker="embedded")
    broker = discover()["embedded"]
    checked = pipeline.check(tmp_path / "spec.yaml", config, broker, "spec.yaml")
    assert checked.service is not None
    assert named(checked.findings, "unsupported-schema-format").severity is Severity.WARNING
    refused = pipeline.generable(checked)
    assert refused.service is None
    told = [one for one in refused.findings if one.name == "unsupported-schema-format"]
    assert [one.severity for one in told] == [Severity.ERROR]


def test_what_is_used_in_two_places_is_not_given_twice(tmp_path: Path) -> None:
    text = """
asyncapi: 2.6.0
info: {title: Shop, version: 1.0.0}
x-eventgen: {v2_perspective: application}
channels:
  a: {publish: {operationId: a, message: {$ref: '#/components/messages/shared'}}}
  b: {publish: {operationId: b, message: {$ref: '#/components/messages/shared'}}}
components: {messages: {shared: {messageId: shared, payload: {type: object}}}}
"""
    assert read(tmp_path, text).findings == ()


def test_a_value_that_contains_itself_is_its_reference(tmp_path: Path) -> None:
    text = """
asyncapi: 3.0.0
info: {title: Shop, version: 1.0.0}
channels:
  orders:
    address: orders
    bindings: {$ref: '#/components/channelBindings/looped'}
    messages: {placed: {payload: {type: object}}}
components: {channelBindings: {looped: {own: {a: {$ref: '#/components/channelBindings/looped'}}}}}
"""
    (channel,) = service(tmp_path, text).channels
    assert channel.bindings == {"own": {"a": {"$ref": "#/components/channelBindings/looped"}}}


VIEW = """
asyncapi: 2.6.0
info: {title: Shop, version: 1.0.0}
channels:
  orders: {publish: {operationId: onOrder, message: {name: placed, payload: {type: object}}}}
"""


def test_the_view_that_was_assumed_is_kept_by_a_new_project(tmp_path: Path) -> None:
    assert read(tmp_path, VIEW).assumed is Perspective.SPECIFICATION
    given = replace(CONFIG, v2_perspective=Perspective.APPLICATION)
    assert read(tmp_path, VIEW, given).assumed is None
    words = ["service", str(tmp_path / "shop"), "--spec", str(tmp_path / "spec.yaml")]
    options = new.parser("eventgen new").parse_args([*words, "--broker", "embedded"])
    assert new.run(options) is Exit.OK
    written = (tmp_path / "shop" / "eventgen.yaml").read_text(encoding="utf-8")
    assert "v2_perspective: specification" in written


def test_keys_that_the_checker_cannot_name_are_no_stumble(tmp_path: Path) -> None:
    keys = ("''", "'0'", "'00'", "'+1'", "a/b~c")
    properties = ", ".join(f"{key}: {{'': {{type: 7}}, type: strin, $id: 5}}" for key in keys)
    text = f"components: {{schemas: {{One: {{type: object, properties: {{{properties}}}}}}}}}"
    loaded = read(tmp_path, HEAD_2 + text)
    assert {"unknown-type", "text-without-quotes"} <= {found.name for found in loaded.findings}
