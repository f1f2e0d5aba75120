"""The base class of every event."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class EventModel(BaseModel):
    """An event, or a part of one.

    What happened does not change, so neither does an event: `model_copy(update=...)` makes another.
    Only an event whose fields are all hashable is hashable itself; one with a list is not.

    Fields that a newer version of the producer added are kept, in `model_extra`, and are sent on
    with the rest. Where the specification closes an object, its class forbids them.
    """

    model_config = ConfigDict(
        extra="allow",
        frozen=True,
        protected_namespaces=(),  # `model_` is a name like any other: cars have one
        serialize_by_alias=True,
        validate_by_alias=True,
        validate_by_name=True,
    )
