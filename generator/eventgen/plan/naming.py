"""What channels become on a broker: two must not become one, and a name has to fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eventgen.diagnostics import Diagnostic, Label, Severity

if TYPE_CHECKING:
    from eventgen.diagnostics import Span
    from eventgen.model import Channel


def _address(channel: Channel) -> Span:
    return channel.places.at("address")


@dataclass(frozen=True, slots=True)
class Naming:
    """How a broker calls what a channel becomes.

    `kind` is what that is (a topic), `name` what it is called, `place` where the document decides
    it. The broker tells names apart by `identity`.
    """

    kind: str
    name: Callable[[Channel], str]
    place: Callable[[Channel], Span] = _address
    identity: Callable[[str], str] = str


def collisions(
    rule: str,
    channels: Iterable[Channel],
    naming: Naming,
    remedy: str = "give one of them another address",
) -> Iterator[Diagnostic]:
    """A finding of `rule` for each channel with the name of an earlier one at another address."""
    taken: dict[str, Channel] = {}
    for channel in channels:
        name = naming.name(channel)
        other = taken.setdefault(naming.identity(name), channel)
        if other.address == channel.address:
            continue
        first = naming.name(other)
        yield Diagnostic(
            rule,
            Severity.ERROR,
            f"two channels become the same {naming.kind}, `{name}`"
            if first == name
            else f"the broker cannot tell the {naming.kind}s `{first}` and `{name}` apart",
            Label(naming.place(channel)),
            (Label(naming.place(other), "the other channel"),),
            help=remedy,
        )


def too_long(
    rule: str,
    channels: Iterable[Channel],
    naming: Naming,
    most: int,
    remedy: str = "give the channel a shorter address",
) -> Iterator[Diagnostic]:
    """A finding of `rule` for each channel whose name has more than `most` characters."""
    for channel in channels:
        if (length := len(naming.name(channel))) > most:
            yield Diagnostic(
                rule,
                Severity.ERROR,
                f"the {naming.kind}'s name has {length} characters, and there is room for {most}",
                Label(naming.place(channel)),
                help=remedy,
            )
