"""The dialects: one model, whatever the service was written in."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from eventgen.model import Action, Service
from eventgen.model.config import Perspective
from eventgen.spec.load import load

from tests.support.reading import CONFIG, named, read, schema, service, strip_spans

GOOD = Path(__file__).parents[2] / "specs" / "good"


@pytest.mark.parametrize("name", ["orders-2.6", "orders-short"])
def test_every_dialect_gives_the_same_model(name: str) -> None:
    reference = load(GOOD / "orders.yaml", CONFIG, "orders.yaml").service
    other = load(GOOD / f"{name}.yaml", CONFIG, f"{name}.yaml").service
    assert reference is not None
    assert strip_spans(other) == strip_spans(reference)


# What is read and understood, and does not become code yet.
TOLD = {"short-reply": {"reply-ignored"}}


# How many files they refer to.
OTHER_FILES = {"avro": 2, "protobuf": 2}


@pytest.mark.parametrize("path", sorted(GOOD.glob("*.yaml")), ids=lambda path: path.stem)
def test_good_specs_are_read_without_a_word(path: Path) -> None:
    loaded = load(path, CONFIG, path.name)
    assert {found.name for found in loaded.findings} == TOLD.get(path.stem, set())
    assert loaded.service is not None
    assert path in loaded.inputs
    assert len(loaded.inputs) == 1 + OTHER_FILES.get(path.stem, 0)


def test_the_example_is_what_it_says() -> None:
    orders = load(GOOD / "orders.yaml", CONFIG, "orders.yaml").service
    assert orders is not None
    assert orders.name.snake == "orders"
    assert [message.name.pascal for _, message in orders.sent()] == ["OrderPaid", "OrderPlaced"]
    received = [message.name.pascal for _, message in orders.received()]
    assert received == ["PaymentCaptured", "PaymentFailed"]
    assert {message.key for message in orders.messages} == {("order_id",)}
    assert orders.schemas[0].name == "Money"


V2 = """
asyncapi: 2.6.0
info: {title: Shop, version: 1.0.0}
channels:
  shop/orders:
    publish: {OPERATION, message: {name: a, payload: {type: object}}}
"""


@pytest.mark.parametrize(
    ("words", "action"),
    [
        ("operationId: sendOrder", Action.SEND),
        ("summary: The order service publishes these.", Action.SEND),
        ("operationId: receiveOrder", Action.RECEIVE),
        ("operationId: onOrder", Action.RECEIVE),
        ("tags: [{name: consumer}]", Action.RECEIVE),
        ("operationId: order", Action.SEND),  # nothing tells: what most authors mean
        ("operationId: sendAndReceive", Action.SEND),
    ],
)
def test_words_tell_whose_view_a_document_takes(tmp_path: Path, words: str, action: Action) -> None:
    loaded = read(tmp_path, V2.replace("OPERATION", words))
    assert loaded.service is not None
    assert loaded.service.operations[0].action is action
    told = named(loaded.findings, "perspective-assumed")
    view = "application" if action is Action.SEND else "specification"
    assert told.help is not None
    assert f"v2_perspective: {view}" in told.help
    assert told.notes


def test_a_configured_view_is_not_told(tmp_path: Path) -> None:
    text = V2.replace("OPERATION", "operationId: sendOrder")
    for view, action in (
        (Perspective.APPLICATION, Action.SEND),
        (Perspective.SPECIFICATION, Action.RECEIVE),
    ):
        config = dataclasses.replace(CONFIG, v2_perspective=view)
        loaded = read(tmp_path, text, config)
        assert loaded.findings == ()
        assert loaded.service is not None
        assert loaded.service.operations[0].action is action


def test_version_2_names_what_has_no_name(tmp_path: Path) -> None:
    text = """
asyncapi: 2.4.0
info: {title: Shop, version: 1.0.0}
x-eventgen: {v2_perspective: application}
channels:
  order/placed:
    publish: {message: {payload: {type: object}}}
    subscribe: {message: {payload: {type: string}}}
  order/paid:
    bindings: {kafka: {topic: shop.paid}}
    subscribe:
      operationId: onPaid
      message:
        oneOf:
          - payload: {$ref: '#/components/schemas/Paid'}
          - {messageId: refunded, payload: {$ref: '#/components/schemas/Paid'}}
components: {schemas: {Paid: {type: object}}}
"""
    shop = service(tmp_path, text)
    assert [message.name.pascal for message in shop.messages] == [
        "OrderPlacedPublish",
        "OrderPlacedSubscribe",
        "Paid",
        "Refunded",
    ]
    assert [operation.name.snake for operation in shop.operations] == [
        "on_paid",
        "publish_order_placed",
        "receive_order_placed",
    ]
    assert [channel.address.value for channel in shop.channels] == ["shop.paid", "order/placed"]
    assert schema(shop, "Paid") == {"allOf": [{"$ref": "#/$defs/PaidData"}]}


V3 = """
asyncapi: 3.0.0
info: {title: Shop, version: 1.0.0}
defaultContentType: application/cloudevents+json
channels:
  orders: {address: orders, messages: {placed: {$ref: '#/components/messages/placed'}}}
operations:
  publishOrders: {action: send, channel: {$ref: '#/channels/orders'}}
components:
"""


def components(tmp_path: Path, text: str, **others: str) -> Service:
    return service(tmp_path, V3 + text, CONFIG, **others)


def test_a_payload_that_is_only_one_messages_is_its_class(tmp_path: Path) -> None:
    shop = components(
        tmp_path,
        """
  messages: {placed: {payload: {$ref: '#/components/schemas/Order'}}}
  schemas:
    Order: {properties: {next: {$ref: '#/components/schemas/Order'}, a: {$ref: other.yaml#/A}}}
""",
        other="A: {type: object, properties: {b: {$ref: '#/B'}}}\nB: {type: string}",
    )
    assert {schema.name: schema.document for schema in shop.schemas} == {
        "Placed": {
            "type": "object",
            "properties": {"next": {"$ref": "#/$defs/Placed"}, "a": {"$ref": "#/$defs/A"}},
        },
        "A": {"type": "object", "properties": {"b": {"$ref": "#/$defs/B"}}},
        "B": {"type": "string"},
    }


def test_a_shared_payload_stays_a_class_of_its_own(tmp_path: Path) -> None:
    shop = components(
        tmp_path,
        """
  messages:
    placed:
      payload: {$ref: '#/components/schemas/Placed'}
      headers: {type: object, properties: {inner: {$ref: '#/components/schemas/Placed'}}}
      contentType: application/json
  schemas: {Placed: {type: object}}
""",
    )
    (message,) = shop.messages
    assert message.schema == "Placed"
    assert schema(shop, "Placed") == {"allOf": [{"$ref": "#/$defs/PlacedData"}]}
    assert message.content_type.value == "application/json"
    assert message.headers["type"] == "object"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("{type: string, nullable: true}", {"type": ["string", "null"]}),
        (
            "{type: string, enum: [a], nullable: true, description: d}",
            {"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "null"}], "description": "d"},
        ),
        ("{minimum: 1, exclusiveMinimum: true}", {"exclusiveMinimum": 1}),
        ("{minimum: 1, exclusiveMinimum: false}", {"minimum": 1}),
        ("{exclusiveMaximum: 5}", {"exclusiveMaximum": 5}),
        ("{items: [{type: string}]}", {"type": "array", "items": {"type": "string"}}),
        (
            "{type: array, items: [{type: string}, true], additionalItems: false}",
            {"type": "array", "prefixItems": [{"type": "string"}, True], "items": False},
        ),
        (
            "{type: array, items: [{type: string}], additionalItems: {type: integer}}",
            {
                "type": "array",
                "prefixItems": [{"type": "string"}],
                "items": {"type": "integer"},
            },
        ),
        (
            "{type: object, dependencies: {a: [b], c: {required: [d]}}}",
            {
                "type": "object",
                "dependentRequired": {"a": ["b"]},
                "dependentSchemas": {"c": {"required": ["d"]}},
            },
        ),
        ("{type: string, example: x}", {"type": "string", "examples": ["x"]}),
        ("{type: string, examples: x}", {"type": "string", "examples": ["x"]}),
        (
            "{properties: {a: {type: string, required: true}, b: {required: false}}}",
            {"type": "object", "properties": {"a": {"type": "string"}, "b": {}}, "required": ["a"]},
        ),
        ("{$id: x, $schema: y, customTypePath: os.system, type: string}", {"type": "string"}),
        ("{const: null, default: null, title: null}", {"const": None, "default": None}),
        (
            "{type: string, pattern: '^{[a-z]{2}}$'}",
            {"type": "string", "pattern": r"^\{[a-z]{2}\}$"},
        ),
        (
            "{type: object, patternProperties: {'^{a}': {type: string}}}",
            {"type": "object", "patternProperties": {r"^\{a\}": {"type": "string"}}},
        ),
        ("{type: object, properties: {$ref: {type: string}}}", None),
    ],
)
def test_older_drafts_are_written_as_2020_12(tmp_path: Path, written: str, meant: Any) -> None:
    payload = f"{{schemaFormat: application/schema+json;version=draft-04, schema: {written}}}"
    shop = components(tmp_path, f"  messages: {{placed: {{payload: {payload}}}}}\n")
    expected = {"type": "object", "properties": {"$ref": {"type": "string"}}}
    assert schema(shop, "Placed") == (expected if meant is None else meant)


def test_properties_that_contain_themselves_are_told(tmp_path: Path) -> None:
    text = """
  messages: {placed: {payload: {properties: {$ref: '#/components/schemas/A/properties'}}}}
  schemas: {A: {properties: {b: {properties: {$ref: '#/components/schemas/A/properties'}}}}}
"""
    assert named(read(tmp_path, V3 + text).findings, "reference-to-itself").primary is not None


def test_a_name_that_is_no_pattern_is_told(tmp_path: Path) -> None:
    text = "  messages: {placed: {payload: {patternProperties: {'[a': {type: string}}}}}\n"
    found = named(read(tmp_path, V3 + text).findings, "pattern-not-valid")
    assert "`[a`" in found.message


def test_a_reference_may_be_null_and_described(tmp_path: Path) -> None:
    shop = components(
        tmp_path,
        """
  messages:
    placed:
      payload:
        type: object
        properties:
          a: {$ref: '#/components/schemas/A', nullable: true, description: d, minLength: 2}
  schemas: {A: {type: string}}
""",
    )
    assert schema(shop, "Placed")["properties"]["a"] == {
        "anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}],
        "description": "d",
    }


@pytest.mark.parametrize("modern", [True, False])
def test_what_stands_beside_a_reference_counts_after_draft_07(tmp_path: Path, modern: bool) -> None:
    language = f"application/schema+json;version={'2020-12' if modern else 'draft-07'}"
    shop = components(
        tmp_path,
        f"""
  messages:
    placed:
      payload:
        schemaFormat: {language}
        schema: {{$ref: '#/components/schemas/Whole', required: [a]}}
  schemas:
    Whole: {{type: object, properties: {{part: {{$ref: '#/components/schemas/Part'}}}}}}
    Part: {{$ref: '#/components/schemas/Base', required: [b]}}
    Base: {{type: object}}
""",
    )
    document = schema(shop, "Placed")
    whole = schema(shop, "Whole") if modern else document
    part = whole["properties"]["part"]
    if modern:
        assert document == {"$ref": "#/$defs/Whole", "required": ["a"]}
        assert part == {"$ref": "#/$defs/Part"}
        assert schema(shop, "Part") == {"$ref": "#/$defs/Base", "required": ["b"]}
    else:
        assert "required" not in document
        assert part == {"$ref": "#/$defs/Base"}


def test_definitions_inside_a_payload_are_found(tmp_path: Path) -> None:
    shop = components(
        tmp_path,
        """
  messages:
    placed:
      payload:
        type: object
        definitions: {Line: {type: string}}
        properties: {line: {$ref: '#/definitions/Line'}}
""",
    )
    assert schema(shop, "Placed")["properties"]["line"] == {"$ref": "#/$defs/Line"}
    assert schema(shop, "Line") == {"type": "string"}


@pytest.mark.parametrize(("version", "wins"), [("2.6.0", "trait"), ("3.0.0", "own")])
def test_traits_are_merged(tmp_path: Path, version: str, wins: str) -> None:
    message = """
  messages:
    placed:
      title: own
      payload: {type: object}
      traits:
        - {title: trait, description: from the trait}
        - $ref: '#/components/messageTraits/typed'
  messageTraits: {typed: {contentType: text/plain}}
"""
    head = (
        V3
        if version == "3.0.0"
        else V2.replace("OPERATION", "operationId: sendIt").replace(
            "{name: a, payload: {type: object}}", "{$ref: '#/components/messages/placed'}"
        )
        + "components:\n"
    )
    (found,) = service(tmp_path, head + message).messages
    assert found.about.title.value == wins
    assert found.about.description.value == "from the trait"
    assert found.content_type.value == "text/plain"


def test_parameters_say_where_their_value_is() -> None:
    loaded = load(GOOD / "parameters.yaml", CONFIG, "parameters.yaml").service
    assert loaded is not None
    measured = next(one for one in loaded.channels if one.name.snake == "measured")
    assert [(one.name, one.path) for one in measured.parameters] == [
        ("device_id", ("device_id",)),
        ("site_id", ("site", "id")),
    ]


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Orders Service", "orders"),
        ("Orders API", "orders"),
        ("Order Events Service", "order"),
        ("Image upscaler microservice", "image_upscaler"),
        ("API", "api"),
        ("Größe & Co.", "grosse_co"),
    ],
)
def test_a_service_is_called_by_the_words_of_its_title(
    tmp_path: Path, title: str, name: str
) -> None:
    text = V3.replace("title: Shop", f"title: '{title}'")
    shop = service(tmp_path, text + "  messages: {placed: {payload: {type: object}}}")
    assert shop.name.snake == name


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("uuid", {"type": "string", "format": "uuid"}),
        ("'string[]'", {"type": "array", "items": {"type": "string"}}),
        ("[integer]", {"type": "array", "items": {"type": "integer"}}),
        ("[{a: any}]", {"type": "array", "items": {
            "type": "object", "required": ["a"], "properties": {"a": {}}}}),
        ("{$enum: [a, b]}", {"type": "string", "enum": ["a", "b"]}),
        ("{$enum: [1, 2]}", {"enum": [1, 2]}),
        ("{$enum: [a, null]}", {"type": ["string", "null"], "enum": ["a", None]}),
        ("{enum: [string]}", {"type": "object", "required": ["enum"], "properties": {
            "enum": {"type": "array", "items": {"type": "string"}}}}),
        ("{$map: decimal}", {
            "type": "object", "additionalProperties": {"type": "string", "format": "decimal"}}),
        ("{$type: integer, $minimum: 1}", {"type": "integer", "minimum": 1}),
        ("{a?: {b: date}}", {"type": "object", "properties": {"a": {
            "type": "object", "required": ["b"],
            "properties": {"b": {"type": "string", "format": "date"}}}}}),
        ("Money", {"$ref": "#/$defs/Money"}),
        ("'Money[]'", {"type": "array", "items": {"$ref": "#/$defs/Money"}}),
    ],
)  # fmt: skip
def test_short_types_are_json_schema(tmp_path: Path, written: str, meant: Any) -> None:
    text = (
        "eventgen: 1\nservice: shop\ntypes: {Money: {amount: decimal}}\n"
        f"publishes: {{placed: {{key: x, data: {{x: {written}, y: 'Money?'}}}}}}\n"
    )
    data = schema(service(tmp_path, text), "Placed")
    assert data["properties"]["x"] == meant
    assert data["required"] == ["x"]


def test_an_event_may_go_both_ways(tmp_path: Path) -> None:
    text = (
        "eventgen: 1\nservice: shop\n"
        "publishes: {placed: {key: x, data: {x: uuid}}}\nsubscribes: {placed: }\n"
    )
    shop = service(tmp_path, text)
    assert len(shop.messages) == len(shop.channels) == 1
    assert {operation.action for operation in shop.operations} == {Action.SEND, Action.RECEIVE}


def test_findings_of_several_files_come_in_order(tmp_path: Path) -> None:
    loaded = read(
        tmp_path,
        V3 + "  messages: {placed: {payload: {$ref: 'other.yaml'}}}\n  schemas: 5\n",
        other="type: object\nproperties: {a: {type: strin}, b: {$ref: '#/x'}}\n",
    )
    assert [
        (found.name, found.primary.span.source.path) for found in loaded.findings if found.primary
    ] == [
        ("wrong-kind", "spec.yaml"),
        ("unknown-type", "other.yaml"),
        ("dangling-reference", "other.yaml"),
    ]
    assert [path.name for path in loaded.inputs] == ["other.yaml", "spec.yaml"]
