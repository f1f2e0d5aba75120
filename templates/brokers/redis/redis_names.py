"""What things are called on Redis, and how an event is an entry of a stream.

The events of a channel are in a fixed number of streams, `events:orders:0`, `events:orders:1` and
so on; the CRC-32 of an event's key says in which. How many there are stands in
`events:orders:partitions`, because publishers and consumers must agree. A channel whose address has
parameters has the same streams for all their values: `events:user/*/signedup:0`.

An entry has the headers as its fields (`ce_id`, `content-type`), and the rest by names that no
header can have: `:body`, `:key` if there is one, and `:destination` where it has parameters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

from .dialect import clean
from .transport import Incoming, Outgoing

if TYPE_CHECKING:
    from .service import Service, Subscription

BODY, KEY, DESTINATION = ":body", ":key", ":destination"
_PARAMETER = re.compile(r"\{[^{}]*\}")
_SEQUENCE = 64  # bits of the second number of an entry's id


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one service, all of them after `prefix`."""

    service: Service
    prefix: str

    def base(self, destination: str) -> str:
        """What the streams of a channel with this destination begin with."""
        return self.prefix + clean(_PARAMETER.sub("*", destination))

    def base_for(self, destination: str) -> str:
        """The same for a destination whose parameters are filled in."""
        channels = self.service.channels
        if not any(channel.destination == destination for channel in channels):
            for channel in channels:
                if _means(channel.destination, destination):
                    return self.base(channel.destination)
        return self.base(destination)


def partitions_key(base: str) -> str:
    """Where the number of streams stands."""
    return f"{base}:partitions"


def stream(base: str, part: int) -> str:
    """One partition."""
    return f"{base}:{part}"


def group_name(subscription: Subscription, group: str) -> str:
    """What a subscription's place in its streams is called: each has its own."""
    return f"{group}.{subscription.name}"


def part_of(key: str | None, turn: int, partitions: int) -> int:
    """The partition of a key; `turn` spreads what has none."""
    return (turn if key is None else crc32(clean(key).encode())) % partitions


def fields_of(message: Outgoing, *, names_destination: bool) -> dict[str, str | bytes]:
    """A message as an entry, which says where it was meant for when its stream does not."""
    fields: dict[str, str | bytes] = {
        clean(name): clean(value) for name, value in message.headers.items()
    }
    if message.key is not None:
        fields[KEY] = clean(message.key)
    if names_destination:
        fields[DESTINATION] = clean(message.destination)
    fields[BODY] = message.body
    return fields


def read_entry(destination: str, name: str, id_: bytes, fields: Mapping[bytes, bytes]) -> Incoming:
    """An entry of the stream `name` as a message."""
    texts = {field.decode(errors="replace"): value for field, value in fields.items()}
    body = texts.pop(BODY, b"")
    known = {clean(field): clean(v.decode(errors="replace")) for field, v in texts.items()}
    return Incoming(
        destination=known.pop(DESTINATION, destination),
        key=known.pop(KEY, None),
        headers=known,
        body=body,
        origin=f"{name}/{id_.decode()}",
    )


def place_of(id_: bytes | str) -> int:
    """An entry's id as one number, which rises as ids do."""
    text = id_.decode() if isinstance(id_, bytes) else id_
    milliseconds, _, sequence = text.partition("-")
    return (int(milliseconds) << _SEQUENCE) + int(sequence or 0)


def id_of(place: int) -> str:
    """The entry's id that such a number stands for; the least there is for what is below."""
    place = max(place, 0)
    return f"{place >> _SEQUENCE}-{place & ((1 << _SEQUENCE) - 1)}"


def time_place(milliseconds: int) -> int:
    """Where the entries begin that were added from this time on, since 1970."""
    return milliseconds << _SEQUENCE


def _means(destination: str, filled: str) -> bool:
    fixed = (re.escape(part) for part in _PARAMETER.split(destination))
    return re.fullmatch("[A-Za-z0-9_-]+".join(fixed), filled) is not None
