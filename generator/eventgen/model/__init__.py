"""The broker-neutral, immutable description of one service, whatever it was written in.

Everything downstream of `spec` reads these types and cannot tell which dialect or version of a
dialect the author used.
"""

from eventgen.model.about import (
    About,
    Docs,
    Location,
    Part,
    Permit,
    Places,
    Security,
    SecurityScheme,
    Tag,
)
from eventgen.model.channel import Channel, Handling, Ordering, Parameter, Retry
from eventgen.model.message import (
    Avro,
    Correlation,
    Envelope,
    Example,
    Foreign,
    Message,
    Protobuf,
    Schema,
    Wrapping,
)
from eventgen.model.operation import Action, Operation, ReplyAddress, Route
from eventgen.model.server import Server, Variable
from eventgen.model.service import Info, Link, Service, Spare
from eventgen.model.words import Name, Text

__all__ = [
    "About",
    "Action",
    "Avro",
    "Channel",
    "Correlation",
    "Docs",
    "Envelope",
    "Example",
    "Foreign",
    "Handling",
    "Info",
    "Link",
    "Location",
    "Message",
    "Name",
    "Operation",
    "Ordering",
    "Parameter",
    "Part",
    "Permit",
    "Places",
    "Protobuf",
    "ReplyAddress",
    "Retry",
    "Route",
    "Schema",
    "Security",
    "SecurityScheme",
    "Server",
    "Service",
    "Spare",
    "Tag",
    "Text",
    "Variable",
    "Wrapping",
]
