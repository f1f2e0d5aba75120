"""What payloads that are not JSON on the wire need in a service: a row for each form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from eventgen.model import Avro, Foreign, Message, Protobuf, Service, Text
from eventgen.plan.views import WireView


@dataclass(frozen=True, slots=True)
class Form:
    """A form of payloads: the modules of the runtime for it, the first with the class to call."""

    modules: tuple[str, ...]
    class_name: str
    content_type: str
    requires: str  # distribution that the service needs, as in pyproject.toml
    arguments: Callable[[Any], tuple[Any, ...]]  # of the class, from the model


FORMS: Mapping[type, Form] = MappingProxyType(
    {
        Avro: Form(
            ("avro", "avro_values"),
            "AvroWire",
            "application/avro",
            "fastavro>=1.12,<2",
            lambda wire: (wire.schema, wire.writers) if wire.writers else (wire.schema,),
        ),
        Protobuf: Form(
            ("protobuf", "protobuf_values"),
            "ProtobufWire",
            "application/protobuf",
            "protobuf>=6.31,<8",
            lambda wire: (wire.descriptors, wire.message),
        ),
    }
)


def wires(message: Message) -> tuple[WireView, ...]:
    """The codec of a message's payload; none when it is JSON."""
    form = _form(message.foreign_payload)
    if form is None or message.foreign_payload is None:
        return ()
    arguments = form.arguments(message.foreign_payload.wire)
    return (WireView(form.modules[0], form.class_name, arguments),)


def content_type(message: Message) -> Text:
    """What a message's payload is called on the wire.

    A document that says `application/json` of all its messages does not mean those in Avro.
    """
    form, given = _form(message.foreign_payload), message.content_type
    word = "" if form is None else form.content_type.rpartition("/")[2]
    return given if form is None or word in given.value.lower() else Text(form.content_type)


def modules(service: Service) -> tuple[str, ...]:
    """The modules of the runtime that the payloads of a service need beside the common ones."""
    return tuple(sorted({name for form in _forms(service) for name in form.modules}))


def requirements(service: Service) -> tuple[str, ...]:
    """The distributions that the payloads of a service need."""
    return tuple(sorted({form.requires for form in _forms(service)}))


def _forms(service: Service) -> tuple[Form, ...]:
    used = {message.name: message for _, message in (*service.sent(), *service.received())}
    found = (_form(message.foreign_payload) for message in used.values())
    return tuple(form for form in found if form is not None)


def _form(foreign: Foreign | None) -> Form | None:
    return None if foreign is None else FORMS.get(type(foreign.wire))
