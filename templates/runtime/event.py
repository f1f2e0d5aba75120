"""The base class of every event."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class EventModel(BaseModel):
    """An event, or a part of one.

    What happened does not change, so neither does an event: `model_copy(update=...)` makes another.
    Only an event whose fields are all hashable is hashable itself; one with a list is not.

    Fields that a newer version of the producer added are kept, in `model_extra`, and are sent on
    with the rest. Where the specification closes an object, its class forbids them.

    What the schema says and types cannot is checked with the schema itself, on the wire. Docstrings
    name the fields and the keywords of JSON Schema, but for the formats that are types: that a UUID
    or a date is spelt as its format wants is always checked.
    """

    model_config = ConfigDict(
        extra="allow",
        frozen=True,
        protected_namespaces=(),  # `model_` is a name like any other: cars have one
        serialize_by_alias=True,
        validate_by_alias=True,
        validate_by_name=True,
    )
