"""The keys of the short form: what they hold, and what an editor tells about them."""

from __future__ import annotations

from dataclasses import replace

from eventgen.spec import settings
from eventgen.spec.fields import (
    Either,
    Entries,
    Field,
    Flag,
    Kind,
    Number,
    Opaque,
    Path,
    Table,
    Values,
    Words,
)

TYPE = Opaque("type")  # read by `native_types`

# Each word of a type, as JSON Schema.
WORDS: dict[str, dict[str, str]] = {
    "any": {},
    "boolean": {"type": "boolean"},
    "bytes": {"type": "string", "format": "byte"},
    "date": {"type": "string", "format": "date"},
    "date-time": {"type": "string", "format": "date-time"},
    "decimal": {"type": "string", "format": "decimal"},
    "double": {"type": "number", "format": "double"},
    "duration": {"type": "string", "format": "duration"},
    "email": {"type": "string", "format": "email"},
    "float": {"type": "number", "format": "float"},
    "hostname": {"type": "string", "format": "hostname"},
    "int32": {"type": "integer", "format": "int32"},
    "int64": {"type": "integer", "format": "int64"},
    "integer": {"type": "integer"},
    "ipv4": {"type": "string", "format": "ipv4"},
    "ipv6": {"type": "string", "format": "ipv6"},
    "null": {"type": "null"},
    "number": {"type": "number"},
    "object": {"type": "object"},
    "string": {"type": "string"},
    "time": {"type": "string", "format": "time"},
    "uri": {"type": "string", "format": "uri"},
    "uuid": {"type": "string", "format": "uuid"},
}
# What people write who think of another language, and the word for it.
MEANT = {
    "array": "[string]",
    "bool": "boolean",
    "bytearray": "bytes",
    "datetime": "date-time",
    "dict": "{$map: string}",
    "guid": "uuid",
    "int": "integer",
    "list": "[string]",
    "long": "int64",
    "map": "{$map: string}",
    "money": "decimal",
    "str": "string",
    "text": "string",
    "timestamp": "date-time",
    "url": "uri",
}

_NUMBERS = frozenset(("integer", "number"))
_TEXTS = frozenset(("string",))
_LISTS = frozenset(("array",))
_MAPPINGS = frozenset(("object",))
_COUNT = Number(0, whole=True)

# What a type may say about itself besides what it is, and the JSON types it may be said of.
_LIMITS: tuple[tuple[str, Kind, frozenset[str], str], ...] = (
    ("minimum", Number(), _NUMBERS, "The smallest value."),
    ("maximum", Number(), _NUMBERS, "The largest value."),
    ("exclusiveMinimum", Number(), _NUMBERS, "Every value is larger than this."),
    ("exclusiveMaximum", Number(), _NUMBERS, "Every value is smaller than this."),
    ("multipleOf", Number(), _NUMBERS, "Every value is a multiple of this."),
    ("minLength", _COUNT, _TEXTS, "The fewest characters."),
    ("maxLength", _COUNT, _TEXTS, "The most characters."),
    ("pattern", Words(), _TEXTS, "A regular expression that is found in every value."),
    ("minItems", _COUNT, _LISTS, "The fewest items."),
    ("maxItems", _COUNT, _LISTS, "The most items."),
    ("uniqueItems", Flag(), _LISTS, "Whether no two items are equal."),
    ("minProperties", _COUNT, _MAPPINGS, "The fewest properties."),
    ("maxProperties", _COUNT, _MAPPINGS, "The most properties."),
    ("additionalProperties", Flag(), _MAPPINGS, "Whether there may be properties besides these."),
)
LIMITED = {f"${key}": types for key, _, types, _ in _LIMITS}
FACETS = Table(
    "a type",
    (
        Field("$type", TYPE, "The type, when there is more to say about it."),
        Field("$map", TYPE, "The type of the values of a mapping whose keys may be any text."),
        Field("$enum", Values(1), "The values there are. All of them are text, or see `$type`."),
        Field("$const", Opaque(), "The only value there is."),
        Field("$union", Values(1, TYPE), "Types: a value is of one of them."),
        Field("$discriminator", Words(), "The property that tells which type of `$union` it is."),
        Field("$title", Words(), "A name for people."),
        Field("$description", Words(), "What it means."),
        Field("$default", Opaque(), "The value of a property that is absent; so it may be."),
        Field("$examples", Values(1), "Values, to show what is meant."),
        Field("$deprecated", Flag(), "Whether it should not be used any more."),
        *(Field(f"${key}", kind, says) for key, kind, _, says in _LIMITS),
    ),
)

PARAMETER = Table(
    "the parameter `{}`",
    (
        Field("from", Path(), "The property of the events that holds the value."),
        Field("description", Words(), "What it means."),
    ),
)
_TITLE = Field("title", Words(), "A name for people.")
_DESCRIPTION = Field("description", Words(), "What it means.")
# What belongs to a channel. An event with a channel of its own may say it in place.
_OF_CHANNEL = (
    Field("address", Words(), "Its name at the broker, with `{parameters}`. Its key otherwise."),
    Field(
        "parameters",
        Entries(Either(Path(), PARAMETER)),
        "For each `{parameter}` of the address, the property of the events that holds its value.",
    ),
    *settings.CHANNEL.fields,
    Field("bindings", Entries(Opaque()), "What is meant for one broker, as AsyncAPI writes it."),
)
CHANNEL = Table("the channel `{}`", (_TITLE, _DESCRIPTION, *_OF_CHANNEL))
IN_PLACE = tuple(field.key for field in _OF_CHANNEL)

_DATA = Field("data", TYPE, "The properties of the event and their types.")
_VERSION = Table(
    "the version `{}`",
    (
        _TITLE,
        _DESCRIPTION,
        Field(
            "key",
            Path(),
            "The property that tells what the event is about."
            " Events with the same value are handled in order.",
        ),
        _DATA,
        Field("headers", TYPE, "The headers that travel with the event, and their types."),
        Field("examples", Values(), "Events, as their `data` would be."),
        Field("content_type", Words(), "How `data` is written. `application/json` otherwise."),
        settings.ENVELOPE,
    ),
)
INHERITED = tuple(key for key in _VERSION.keys if key not in ("data", "examples"))
_REPLY = Table(
    "the event `{}`",
    (
        *_VERSION.fields,
        Field("version", Words(), "The version of the event. `1.0.0` otherwise."),
        Field("channel", Words(), "The channel it goes through. One of its own otherwise."),
    ),
)
EVENT = Table(
    "the event `{}`",
    (
        *_REPLY.fields,
        Field(
            "versions",
            Entries(_VERSION),
            "Other versions of the event, by version. `2.0.0` of `order.placed` is called"
            " `order.placed.v2`. What a version does not say is as in the event itself.",
        ),
        Field("reply", Entries(_REPLY), "The events that answer this one."),
        Field("reply_to", Words(), "The header that says where to send the answer."),
        *_OF_CHANNEL,
    ),
)
ROOT = Table(
    "the document",
    (
        Field(
            "eventgen",
            Number(1, 1, whole=True),
            "The version of the short form.",
            missing="write `eventgen: 1`",
        ),
        Field("service", Words(), "The service's name.", missing="write `service: orders`"),
        replace(_TITLE, says="The service's name for people."),
        Field("version", Words(), "The version of this document. `1.0.0` otherwise."),
        replace(_DESCRIPTION, says="What the service does."),
        Field("publishes", Entries(EVENT), "The events that this service publishes, by name."),
        Field("subscribes", Entries(EVENT), "The events that this service handles, by name."),
        Field("types", Entries(TYPE), "Types that have a name, for use in any event."),
        Field(
            "channels",
            Entries(CHANNEL),
            "What is to be said about channels, by the name that events give as `channel`.",
        ),
    ),
)
