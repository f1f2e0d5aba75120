"""What things are called on NATS: streams, subjects, headers.

An event's subject is its destination and a partition, the same for all events of its key:
`order.placed.7`. Its stream takes the subjects of all partitions, and the destination itself: what
others publish there, without a partition, is read with the first one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote
from zlib import crc32

from .dialect import clean

if TYPE_CHECKING:
    from .service import Channel

PARTITIONS = 16  # of every stream; publishers and subscribers have to agree on it
_KEY = "x-key"  # the header that holds a message's key: NATS has no place for it
_SERVERS = "nats-"  # what the names of the server's own headers begin with
_ATTRIBUTE, _ATTRIBUTE_HERE = "ce-", "ce_"
_PARAMETER = re.compile(r"\{[^{}]*\}")
# CloudEvents say for NATS: values as in HTTP, where all else is percent-encoded.
_AS_IT_IS = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')
_NAME_AS_IT_IS = "!#$&'*+^`|"


def stream_of(channel: Channel) -> str:
    """The stream that keeps a channel's events: of `order.{region}`, it is `order_region`."""
    return channel.destination.translate(str.maketrans(".", "_", "{}"))


def subjects(destination: str) -> list[str]:
    """What a stream takes of a destination: by partition, and last what has no partition."""
    plain = ".".join("*" if "{" in word else word for word in destination.split("."))
    return [*(f"{plain}.{number}" for number in range(PARTITIONS)), plain]


def subjects_of(destination: str, partition: int) -> list[str]:
    """What is read with a partition."""
    taken = subjects(destination)
    return [taken[partition], taken[-1]] if partition == 0 else [taken[partition]]


def subject(destination: str, key: str | None, turn: int) -> str:
    """Where to publish; `turn` spreads what has no key."""
    spread = turn if key is None else crc32(key.encode("utf-8", "replace"))
    return f"{destination}.{spread % PARTITIONS}"


class Destination:
    """A channel's destination, whose `{parameters}` each stand for one word."""

    def __init__(self, destination: str) -> None:
        fixed = (re.escape(part) for part in _PARAMETER.split(destination))
        self._pattern = re.compile(f"({'[^.]+'.join(fixed)})([.][0-9]+)?")

    def read(self, subject: str) -> tuple[str, bool] | None:
        """The destination in a subject, and whether it names a partition, as ours do.

        None when it is meant for others, as `order-x` is where `order.*` stands for `order-{id}`.
        """
        found = self._pattern.fullmatch(subject)
        if found is None:
            return None
        return found[1], found[2] is not None


def to_headers(headers: Mapping[str, str], key: str | None) -> dict[str, str]:
    """The headers as they are sent. The server drops a message whose id it has seen lately."""
    sent = {_sent_name(name): quote(clean(v), _AS_IT_IS) for name, v in headers.items()}
    if key is not None:
        sent[_KEY] = quote(clean(key), _AS_IT_IS)
    if "ce_id" in headers:
        sent["Nats-Msg-Id"] = sent["ce-id"]
    return sent


def from_headers(headers: Mapping[str, str], *, ours: bool) -> tuple[dict[str, str], str | None]:
    """The headers of a message, and its key. Others encode CloudEvents attributes alone."""
    read: dict[str, str] = {}
    for sent, value in headers.items():
        name = unquote(sent) if ours else sent
        attribute = name.lower().startswith(_ATTRIBUTE)
        if attribute:
            name = _ATTRIBUTE_HERE + name[len(_ATTRIBUTE) :].lower()
        elif name.lower() == "content-type":
            name = name.lower()
        elif name.lower().startswith(_SERVERS):
            continue
        read[clean(name)] = clean(unquote(value) if ours or attribute else value)
    return read, read.pop(_KEY, None)


def _sent_name(name: str) -> str:
    if name.startswith(_ATTRIBUTE_HERE):
        name = _ATTRIBUTE + name[len(_ATTRIBUTE_HERE) :]
    return quote(clean(name), _NAME_AS_IT_IS)
